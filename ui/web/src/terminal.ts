// A terminal's place in the page: keeps what comes in until the terminal's own code is loaded.
import type { Screen } from "./terminal-screen";

/** The most bytes kept while the code loads; a terminal that puts out more is drawn afresh. */
const MOST_KEPT = 8 * 1024 * 1024;

export class TerminalHost {
  private screen: Screen | undefined;
  private kept: Array<(screen: Screen) => void> = [];
  private keptBytes = 0;
  private gone = false;

  constructor(
    host: HTMLElement,
    cols: number,
    rows: number,
    onKeys: (bytes: Uint8Array) => void,
    onFit: (cols: number, rows: number) => void,
    onFailure: () => void,
  ) {
    import("./terminal-screen")
      .then(async ({ Screen }) => {
        const screen = await Screen.open(host, cols, rows, onKeys, onFit);
        if (this.gone) return screen.dispose();
        this.screen = screen;
        for (const act of this.kept.splice(0)) act(screen);
      })
      .catch((error: unknown) => {
        console.error(error);
        if (!this.gone) onFailure();
      });
  }

  /** Appends output. False when it could not be kept. */
  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice();
    if (!this.screen) this.keptBytes += copy.length;
    if (this.keptBytes > MOST_KEPT) return false;
    this.act((screen) => screen.write(copy));
    return true;
  }

  /** Replaces everything shown. */
  draw(bytes: Uint8Array): void {
    const copy = bytes.slice();
    if (!this.screen) {
      this.kept = [];
      this.keptBytes = copy.length;
    }
    this.act((screen) => screen.draw(copy));
  }

  resize(cols: number, rows: number): void {
    this.act((screen) => screen.resize(cols, rows));
  }

  focus(): void {
    this.act((screen) => screen.focus());
  }

  /** Whether keys go to the server. */
  allow(keys: boolean): void {
    this.act((screen) => screen.allow(keys));
  }

  dispose(): void {
    this.gone = true;
    this.kept = [];
    this.screen?.dispose();
  }

  private act(what: (screen: Screen) => void): void {
    if (this.screen) what(this.screen);
    else this.kept.push(what);
  }
}
