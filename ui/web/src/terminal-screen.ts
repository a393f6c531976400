// A terminal drawn by xterm.js. Its program runs on the server, which also answers the program's questions.
import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { type ITheme, Terminal } from "@xterm/xterm";
import { store, stored } from "./dom";
import type { Report } from "./terminal";
import { askToOpen } from "./terminal-ask";
import { block, Commands, quote } from "./terminal-commands";
import { paste, takePastes } from "./terminal-paste";
import { Search } from "./terminal-search";
import { TouchKeys } from "./terminal-touch";
import { wall } from "./terminal-wall";

const FONT = '"JetBrains Mono Variable", ui-monospace, monospace';
const FONT_SIZE = "duplex.terminal.font";
const USUAL_SIZE = 13;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/** Fonts decide the size of a cell; a slow one is not waited for longer than this. */
const FONT_WAIT = 1500;
/** How many bytes are drawn before it is told, unless all is drawn; the server sends half a mebibyte beyond. */
const TELL_AFTER = 32 * 1024;

export class Screen {
  private readonly leave: Array<() => void> = [];
  private readonly commands: Commands;
  private readonly search: Search;
  private readonly touch: TouchKeys;
  private readonly send = document.createElement("button");
  private keys = false;
  private name = "the terminal";
  private drawn = 0;
  private waiting = 0;
  private size = Number(stored(FONT_SIZE)) || USUAL_SIZE;
  private timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    private readonly host: HTMLElement,
    private readonly terminal: Terminal,
    private readonly fit: FitAddon,
    private readonly report: Report,
  ) {
    this.commands = new Commands(terminal);
    this.search = new Search(terminal, host);
    this.touch = new TouchKeys(
      terminal,
      (text) => this.type(text),
      () => void this.pasteFromClipboard(),
    );
    host.after(this.touch.row);
    this.send.type = "button";
    this.send.className = "button small terminal-send";
    this.send.textContent = "Send to chat";
    this.send.title = "Put the selection into the message (Ctrl+Shift+Enter)";
    this.send.hidden = true;
    host.append(this.send);
  }

  static async open(host: HTMLElement, cols: number, rows: number, report: Report): Promise<Screen> {
    await Promise.race([
      document.fonts.load(`13px ${FONT}`).catch(() => []),
      new Promise((resolve) => setTimeout(resolve, FONT_WAIT)),
    ]);
    const open = (address: string) => askToOpen(address, () => terminal.focus());
    const terminal: Terminal = new Terminal({
      cols,
      rows,
      allowProposedApi: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: FONT,
      fontSize: Number(stored(FONT_SIZE)) || USUAL_SIZE,
      lineHeight: 1.25,
      linkHandler: { activate: (_, address) => open(address) },
      minimumContrastRatio: 4.5,
      scrollback: 10_000,
      theme: theme(),
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    terminal.loadAddon(
      new WebLinksAddon((event, address) => {
        event.preventDefault();
        open(address);
      }),
    );
    wall(terminal);
    terminal.open(host);
    if (document.documentElement.dataset.renderer !== "dom") drawFast(terminal);
    const screen = new Screen(host, terminal, fit, report);
    screen.listen();
    return screen;
  }

  write(bytes: Uint8Array): void {
    this.waiting++;
    this.terminal.write(bytes, () => {
      this.waiting--;
      this.drew(bytes.length);
    });
  }

  /** Everything anew, in its turn: what waits to be drawn is drawn before it. */
  draw(bytes: Uint8Array): void {
    this.terminal.write("\x1bc");
    this.write(bytes);
  }

  /** In its turn too: what waits to be drawn was put out for the size before. */
  resize(cols: number, rows: number): void {
    this.terminal.write("", () => {
      this.terminal.resize(cols, rows);
      requestAnimationFrame(() => this.scale());
    });
  }

  focus(): void {
    this.terminal.focus();
  }

  allow(keys: boolean): void {
    this.keys = keys;
    this.terminal.options.disableStdin = !keys;
    this.host.classList.toggle("read-only", !keys);
  }

  call(name: string): void {
    this.name = name;
  }

  /** What the terminal's menu offers. */
  act(what: string): void {
    if (what === "find") this.search.open();
    else if (what === "paste") void this.pasteFromClipboard();
    else if (what === "all") this.terminal.selectAll();
    else if (what === "larger") this.zoom(1);
    else if (what === "smaller") this.zoom(-1);
    else if (what === "last") this.sendLast();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const leave of this.leave) leave();
    this.touch.row.remove();
    this.terminal.dispose();
  }

  private drew(bytes: number): void {
    this.drawn += bytes;
    if (this.drawn < TELL_AFTER && this.waiting > 0) return;
    this.report("drawn", this.drawn);
    this.drawn = 0;
  }

  private type(text: string): void {
    if (this.keys) this.report("keys", new TextEncoder().encode(text));
    else this.report("denied", undefined);
  }

  private listen(): void {
    this.terminal.onData((text) => this.type(this.touch.changed(text)));
    this.terminal.onBinary((text) => {
      if (this.keys) this.report("keys", Uint8Array.from(text, (char) => char.charCodeAt(0)));
    });
    this.terminal.attachCustomKeyEventHandler((event) => this.passes(event));
    this.terminal.onSelectionChange(() => {
      this.send.hidden = !this.terminal.hasSelection();
    });
    this.send.addEventListener("click", () => this.sendSelection());
    // A smaller screen than the pane leaves room beside it, which is the terminal's too.
    const beside = (event: MouseEvent) => {
      if (event.target !== this.host) return;
      event.preventDefault();
      this.terminal.focus();
    };
    this.host.addEventListener("mousedown", beside);
    this.leave.push(() => this.host.removeEventListener("mousedown", beside));
    this.leave.push(takePastes(this.terminal, this.host, () => this.mayType()));
    const resized = new ResizeObserver(() => this.settle());
    resized.observe(this.host);
    this.leave.push(() => resized.disconnect());
    const themed = () => {
      this.terminal.options.theme = theme();
    };
    const system = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("duplex-theme", themed);
    system.addEventListener("change", themed);
    this.leave.push(() => removeEventListener("duplex-theme", themed));
    this.leave.push(() => system.removeEventListener("change", themed));
    this.terminal.textarea?.addEventListener("focus", () => this.settle());
  }

  /** Whether keys are taken; if not, the person is told why. */
  private mayType(): boolean {
    if (!this.keys) this.report("denied", undefined);
    return this.keys;
  }

  /** Which keys are the terminal's: all but those of the page around it. */
  private passes(event: KeyboardEvent): boolean {
    const ctrl = event.ctrlKey && !event.altKey && !event.metaKey;
    if (ctrl && event.key === "`") return false;
    const act = ctrl ? this.shortcut(event) : undefined;
    if (!act) {
      const printable = event.key.length === 1 || event.key === "Enter";
      if (event.type === "keydown" && printable && !event.metaKey && !this.keys) this.mayType();
      return true;
    }
    if (event.type === "keydown") {
      event.preventDefault();
      act();
    }
    return false;
  }

  private shortcut(event: KeyboardEvent): (() => void) | undefined {
    const key = event.key.toLowerCase();
    if (key === "c" && this.terminal.hasSelection()) return () => this.copy();
    if (event.shiftKey && key === "c") return () => undefined;
    if (event.shiftKey && key === "f") return () => this.search.open();
    if (event.shiftKey && key === "enter") return () => this.sendSelection();
    if (key === "=" || key === "+") return () => this.zoom(1);
    if (key === "-") return () => this.zoom(-1);
    if (key === "0") return () => this.zoom(0);
    return undefined;
  }

  private copy(): void {
    void navigator.clipboard?.writeText(this.terminal.getSelection()).catch(() => undefined);
    this.terminal.clearSelection();
  }

  private async pasteFromClipboard(): Promise<void> {
    if (!this.mayType()) return;
    try {
      paste(this.terminal, await navigator.clipboard.readText());
    } catch {
      this.report("said", "the browser does not let this page read the clipboard; paste with Ctrl+Shift+V");
    }
  }

  private sendSelection(): void {
    const selected = this.terminal.getSelection();
    if (!selected) return;
    this.quote(block(this.name, selected));
    this.terminal.clearSelection();
  }

  private sendLast(): void {
    const last = this.commands.block(this.name);
    if (last) this.quote(last);
    else this.report("said", "no command has ended here yet, or the shell does not tell of its commands");
  }

  private quote(text: string): void {
    if (!quote(text)) this.report("said", "you can read this session, but not write to its agent");
  }

  private zoom(step: number): void {
    this.size = step === 0 ? USUAL_SIZE : Math.min(28, Math.max(8, this.size + step));
    store(FONT_SIZE, String(this.size));
    this.terminal.options.fontSize = this.size;
    this.settle();
  }

  /** Once the pane rests, says which size would fill it. */
  private settle(): void {
    this.scale();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.host.clientWidth === 0) return;
      const size = this.fit.proposeDimensions();
      if (!size || !Number.isFinite(size.cols) || !Number.isFinite(size.rows)) return;
      // Another's larger screen is drawn smaller here; the size that fits is that of the usual letters.
      const shrunk = (this.terminal.options.fontSize ?? this.size) / this.size;
      this.report("fit", [Math.floor(size.cols * shrunk), Math.floor(size.rows * shrunk)]);
    }, 100);
  }

  /** Shows a terminal that is larger than its pane whole, in smaller letters. */
  private scale(): void {
    const drawn = this.terminal.element?.querySelector<HTMLElement>(".xterm-screen");
    if (!drawn || this.host.clientWidth === 0 || drawn.offsetWidth === 0) return;
    const now = this.terminal.options.fontSize ?? this.size;
    const fits = Math.min(this.host.clientWidth / drawn.offsetWidth, this.host.clientHeight / drawn.offsetHeight);
    const wanted = Math.min(this.size, Math.max(4, Math.floor(now * fits * 2) / 2));
    if (wanted !== now) this.terminal.options.fontSize = wanted;
  }
}

/** Draws with the graphics card where there is one; without, and when it goes away, xterm draws with elements. */
function drawFast(terminal: Terminal): void {
  try {
    const webgl = new WebglAddon();
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // xterm's own renderer stays.
  }
}

function theme(): ITheme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--term-${name}`).trim();
  const result: Record<string, string> = {
    background: colour("background"),
    foreground: colour("foreground"),
    cursor: colour("cursor"),
    cursorAccent: colour("background"),
    selectionBackground: colour("selection"),
  };
  for (const name of COLOURS) {
    result[name] = colour(name);
    result[`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`] = colour(`bright-${name}`);
  }
  return result;
}
