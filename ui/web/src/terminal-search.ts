// Finding text in a terminal.
import { type ISearchOptions, SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";

const OPTIONS: ISearchOptions = {
  decorations: {
    matchBackground: "#8a6d00",
    matchOverviewRuler: "#8a6d00",
    activeMatchBackground: "#c75b12",
    activeMatchColorOverviewRuler: "#c75b12",
  },
};

/** A bar over the terminal: Enter for the next, Shift+Enter for the one before, Esc to leave. */
export class Search {
  private readonly addon = new SearchAddon({ highlightLimit: 1000 });
  private readonly bar = document.createElement("div");
  private readonly field = document.createElement("input");
  private readonly count = document.createElement("span");

  constructor(
    private readonly terminal: Terminal,
    host: HTMLElement,
  ) {
    terminal.loadAddon(this.addon);
    this.bar.className = "terminal-search";
    this.bar.hidden = true;
    this.bar.setAttribute("role", "search");
    this.field.type = "search";
    this.field.placeholder = "Find in terminal";
    this.field.setAttribute("aria-label", "Find in terminal");
    this.count.className = "muted small";
    this.count.setAttribute("role", "status");
    this.bar.append(
      this.field,
      this.count,
      button("↑", "Previous (Shift+Enter)", () => this.find(false)),
      button("↓", "Next (Enter)", () => this.find(true)),
      button("×", "Close (Esc)", () => this.close()),
    );
    host.append(this.bar);
    this.field.addEventListener("input", () => this.find(true, true));
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      const of = resultCount >= 1000 ? "1000+" : `${resultCount}`;
      this.count.textContent = resultCount === 0 ? "none" : `${resultIndex + 1} of ${of}`;
    });
  }

  open(): void {
    this.bar.hidden = false;
    const selected = this.terminal.getSelection();
    if (selected && !selected.includes("\n")) this.field.value = selected;
    this.field.focus();
    this.field.select();
    this.find(true, true);
  }

  close(): void {
    this.bar.hidden = true;
    this.addon.clearDecorations();
    this.terminal.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Enter") this.find(!event.shiftKey);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private find(forwards: boolean, incremental = false): void {
    const text = this.field.value;
    if (!text) {
      this.addon.clearDecorations();
      this.count.textContent = "";
    } else if (forwards) this.addon.findNext(text, { ...OPTIONS, incremental });
    else this.addon.findPrevious(text, OPTIONS);
  }
}

function button(sign: string, title: string, act: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "icon-button";
  made.textContent = sign;
  made.title = title;
  made.setAttribute("aria-label", title);
  made.addEventListener("click", act);
  return made;
}
