// A terminal's place in the page: keeps what comes in until the terminal's own code is loaded.
import type { Screen } from "./terminal-screen";

/** The most bytes kept while the code loads; a terminal that puts out more is drawn afresh. */
const MOST_KEPT = 8 * 1024 * 1024;

/** What a terminal tells the page: `keys` typed, the size that would `fit`, bytes `drawn`, a key `denied`, a sentence `said`, or that it `failed`. */
export type Report = (what: string, data: unknown) => void;

export class TerminalHost {
  private screen: Screen | undefined;
  private kept: Array<{ act: (screen: Screen) => void; output: boolean }> = [];
  private keptBytes = 0;
  private gone = false;

  constructor(
    host: HTMLElement,
    cols: number,
    rows: number,
    private readonly report: Report,
  ) {
    // What is still on its way when the terminal goes, such as a paste, finds nobody to tell.
    const tell: Report = (what, data) => {
      if (!this.gone) report(what, data);
    };
    import("./terminal-screen")
      .then(async ({ Screen }) => {
        const screen = await Screen.open(host, cols, rows, tell);
        if (this.gone) return screen.dispose();
        this.screen = screen;
        for (const { act } of this.kept.splice(0)) act(screen);
      })
      .catch((error: unknown) => {
        console.error(error);
        tell("failed", undefined);
      });
  }

  /** Appends output. False when it could not be kept. */
  write(bytes: Uint8Array): boolean {
    const copy = bytes.slice();
    if (!this.screen) this.keptBytes += copy.length;
    if (this.keptBytes > MOST_KEPT) return false;
    this.act((screen) => screen.write(copy), true);
    return true;
  }

  /** Replaces everything shown. */
  draw(bytes: Uint8Array): void {
    const copy = bytes.slice();
    if (!this.screen) {
      this.kept = this.kept.filter(({ output }) => !output);
      // What is never drawn need not be waited for.
      if (this.keptBytes > 0) this.report("drawn", this.keptBytes);
      this.keptBytes = copy.length;
    }
    this.act((screen) => screen.draw(copy), true);
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

  /** What the terminal is called in messages. */
  call(name: string): void {
    this.act((screen) => screen.call(name));
  }

  /** Does what its menu offers. */
  does(what: string): void {
    this.act((screen) => screen.act(what));
  }

  dispose(): void {
    this.gone = true;
    this.kept = [];
    this.screen?.dispose();
  }

  private act(act: (screen: Screen) => void, output = false): void {
    if (this.screen) act(this.screen);
    else this.kept.push({ act, output });
  }
}
