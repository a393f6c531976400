// Keys that a touch keyboard lacks.
import type { Terminal } from "@xterm/xterm";

const KEYS: Array<[label: string, name: string, bytes: string]> = [
  ["Esc", "Escape", "\x1b"],
  ["Tab", "Tab", "\t"],
  ["↑", "Up", "\x1b[A"],
  ["↓", "Down", "\x1b[B"],
  ["←", "Left", "\x1b[D"],
  ["→", "Right", "\x1b[C"],
  ["|", "Bar", "|"],
  ["/", "Slash", "/"],
  ["~", "Tilde", "~"],
  ["-", "Hyphen", "-"],
];

/** A row of keys, and the modifiers that hold for the next key typed. */
export class TouchKeys {
  readonly row = document.createElement("div");
  private readonly held = { ctrl: false, alt: false };
  private readonly holders = new Map<"ctrl" | "alt", HTMLButtonElement>();

  constructor(terminal: Terminal, type: (text: string) => void, pasted: () => void) {
    this.row.className = "terminal-keys";
    this.row.setAttribute("role", "toolbar");
    this.row.setAttribute("aria-label", "Keys");
    for (const [label, name] of [["Ctrl", "ctrl"], ["Alt", "alt"]] as const) {
      const holder = key(label, label, () => this.hold(name, !this.held[name]));
      holder.setAttribute("aria-pressed", "false");
      this.holders.set(name, holder);
    }
    const keys = KEYS.map(([label, name, bytes]) =>
      key(label, name, () => {
        const application = terminal.modes.applicationCursorKeysMode && bytes.startsWith("\x1b[");
        type(this.changed(application ? bytes.replace("[", "O") : bytes));
      }),
    );
    this.row.append(...keys.slice(0, 2), ...this.holders.values(), ...keys.slice(2), key("Paste", "Paste", pasted));
  }

  /** What a typed text becomes under the modifiers held; they are let go. */
  changed(text: string): string {
    const { ctrl, alt } = this.held;
    if (!ctrl && !alt) return text;
    this.hold("ctrl", false);
    this.hold("alt", false);
    const code = text.toUpperCase().charCodeAt(0);
    const controlled = ctrl && text.length === 1 && code >= 0x40 && code <= 0x5f;
    const plain = controlled ? String.fromCharCode(code & 0x1f) : text;
    return alt ? `\x1b${plain}` : plain;
  }

  private hold(name: "ctrl" | "alt", on: boolean): void {
    this.held[name] = on;
    this.holders.get(name)?.setAttribute("aria-pressed", String(on));
  }
}

function key(label: string, name: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.setAttribute("aria-label", name);
  // The terminal keeps the focus, and with it the keyboard stays open.
  made.addEventListener("pointerdown", (event) => event.preventDefault());
  made.addEventListener("click", act);
  return made;
}
