// A terminal drawn by xterm.js. Its program runs on the server, which also answers the program's questions.
import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { type ITheme, Terminal } from "@xterm/xterm";

const FONT = '"JetBrains Mono Variable", ui-monospace, monospace';
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;

/** Fonts decide the size of a cell; a slow one is not waited for longer than this. */
const FONT_WAIT = 1500;

export class Screen {
  private constructor(
    private readonly host: HTMLElement,
    private readonly terminal: Terminal,
    private readonly fit: FitAddon,
    private readonly onFit: (cols: number, rows: number) => void,
  ) {}

  private readonly leave: Array<() => void> = [];
  private keys = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  static async open(
    host: HTMLElement,
    cols: number,
    rows: number,
    onKeys: (bytes: Uint8Array) => void,
    onFit: (cols: number, rows: number) => void,
  ): Promise<Screen> {
    await Promise.race([
      document.fonts.load(`13px ${FONT}`).catch(() => []),
      new Promise((resolve) => setTimeout(resolve, FONT_WAIT)),
    ]);
    const terminal = new Terminal({
      cols,
      rows,
      allowProposedApi: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: FONT,
      fontSize: 13,
      lineHeight: 1.25,
      minimumContrastRatio: 4.5,
      scrollback: 10_000,
      theme: theme(),
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.loadAddon(new Unicode11Addon());
    terminal.unicode.activeVersion = "11";
    terminal.loadAddon(new WebLinksAddon(openLink));
    leaveQuestionsToTheServer(terminal);
    terminal.open(host);
    if (document.documentElement.dataset.renderer !== "dom") drawFast(terminal);
    const screen = new Screen(host, terminal, fit, onFit);
    screen.listen(onKeys);
    return screen;
  }

  write(bytes: Uint8Array): void {
    this.terminal.write(bytes);
  }

  draw(bytes: Uint8Array): void {
    this.terminal.reset();
    this.terminal.write(bytes);
  }

  resize(cols: number, rows: number): void {
    this.terminal.resize(cols, rows);
    requestAnimationFrame(() => this.scale());
  }

  focus(): void {
    this.terminal.focus();
  }

  allow(keys: boolean): void {
    this.keys = keys;
    this.terminal.options.disableStdin = !keys;
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const leave of this.leave) leave();
    this.terminal.dispose();
  }

  private listen(onKeys: (bytes: Uint8Array) => void): void {
    const encoder = new TextEncoder();
    this.terminal.onData((text) => this.keys && onKeys(encoder.encode(text)));
    this.terminal.onBinary((text) => this.keys && onKeys(Uint8Array.from(text, (char) => char.charCodeAt(0))));
    this.terminal.attachCustomKeyEventHandler((event) => this.passes(event));
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
    const focused = () => this.settle();
    this.terminal.textarea?.addEventListener("focus", focused);
  }

  /** Which keys are the terminal's: all but the way out of it, and copying what is selected. */
  private passes(event: KeyboardEvent): boolean {
    if (event.ctrlKey && event.key === "`") return false;
    const copies = event.ctrlKey && (event.key === "c" || event.key === "C") && this.terminal.hasSelection();
    if (copies && event.type === "keydown") {
      void navigator.clipboard?.writeText(this.terminal.getSelection()).catch(() => undefined);
      this.terminal.clearSelection();
      event.preventDefault();
    }
    return !copies;
  }

  /** Once the pane rests, says which size would fill it. */
  private settle(): void {
    this.scale();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.host.clientWidth === 0) return;
      const size = this.fit.proposeDimensions();
      if (size && Number.isFinite(size.cols) && Number.isFinite(size.rows)) this.onFit(size.cols, size.rows);
    }, 100);
  }

  /** Shows a terminal that is larger than its pane whole, smaller. */
  private scale(): void {
    const element = this.terminal.element;
    const drawn = element?.querySelector<HTMLElement>(".xterm-screen");
    if (!element || !drawn || this.host.clientWidth === 0) return;
    const wide = this.host.clientWidth / drawn.offsetWidth;
    const high = this.host.clientHeight / drawn.offsetHeight;
    const scale = Math.min(1, wide, high);
    element.style.transformOrigin = "0 0";
    element.style.transform = scale < 0.995 ? `scale(${scale})` : "";
  }
}

function openLink(event: MouseEvent, address: string): void {
  if (!/^https?:\/\//i.test(address)) return;
  event.preventDefault();
  window.open(address, "_blank", "noopener,noreferrer");
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

/** Each page would answer a program's question about the terminal; only the server's answer may reach it. */
function leaveQuestionsToTheServer({ parser }: Terminal): void {
  const taken = () => true;
  for (const prefix of ["", ">", "="]) parser.registerCsiHandler({ prefix, final: "c" }, taken);
  for (const prefix of ["", "?"]) {
    parser.registerCsiHandler({ prefix, final: "n" }, taken);
    parser.registerCsiHandler({ prefix, intermediates: "$", final: "p" }, taken);
  }
  parser.registerCsiHandler({ prefix: ">", final: "q" }, taken);
  parser.registerCsiHandler({ prefix: "?", final: "u" }, taken);
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, taken);
  parser.registerDcsHandler({ intermediates: "+", final: "q" }, taken);
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (data) => data.includes("?"));
  // A program may not read or write the clipboard of who looks at it.
  parser.registerOscHandler(52, taken);
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
