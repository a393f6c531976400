// What the shell tells of its commands (OSC 133, OSC 633), and what of the terminal goes into the chat.
import type { IDecoration, IMarker, Terminal } from "@xterm/xterm";
import { clean } from "./terminal-paste";

/** The most that is put into a message, in characters; the end is kept. */
const MOST = 32 * 1024;

interface Command {
  line: string;
  from: IMarker;
  to?: IMarker;
  code?: number;
}

export class Commands {
  private line = "";
  private prompt: { marker: IMarker; column: number } | undefined;
  private running: Command | undefined;
  /** The newest command that has ended. */
  last: Command | undefined;

  constructor(private readonly terminal: Terminal) {
    const marked = (data: string) => {
      this.mark(data);
      return true;
    };
    terminal.parser.registerOscHandler(133, marked);
    terminal.parser.registerOscHandler(633, marked);
    terminal.parser.registerOscHandler(7, () => true);
  }

  /** The newest command with its output, as a block of a message. */
  block(name: string): string | undefined {
    const command = this.last;
    if (!command?.to || command.from.isDisposed || command.to.isDisposed) return undefined;
    const output = lines(this.terminal, command.from.line, command.to.line);
    const code = command.code === undefined ? "" : `\n[exit code ${command.code}]`;
    return block(name, `$ ${command.line}\n${output}`.trimEnd() + code);
  }

  private mark(data: string): void {
    const [kind, value] = data.split(";", 2);
    const marker = () => this.terminal.registerMarker(0);
    if (kind === "A") this.running = undefined;
    else if (kind === "B") {
      this.line = "";
      this.prompt = { marker: marker(), column: this.terminal.buffer.active.cursorX };
    } else if (kind === "E") this.line = unescaped(value ?? "");
    else if (kind === "C") this.running = { line: this.line || this.typed(), from: marker() };
    else if (kind === "D" && this.running) {
      const code = value ? Number.parseInt(value, 10) : undefined;
      this.last = { ...this.running, to: marker(), ...(Number.isNaN(code) ? {} : { code }) };
      this.running = undefined;
      if (code) this.flag(this.last.from, code);
    }
  }

  /** What stands behind the prompt, where the shell did not tell the line. */
  private typed(): string {
    if (!this.prompt || this.prompt.marker.isDisposed) return "";
    const end = this.terminal.buffer.active.baseY + this.terminal.buffer.active.cursorY;
    return lines(this.terminal, this.prompt.marker.line, end).slice(this.prompt.column).trim();
  }

  /** A mark in the margin beside a command that failed. */
  private flag(marker: IMarker, code: number): void {
    const decoration: IDecoration | undefined = this.terminal.registerDecoration({ marker, width: 1, x: 0 });
    decoration?.onRender((element) => {
      element.classList.add("terminal-failed");
      element.title = `exit code ${code}`;
    });
  }
}

/** The rows from one up to another, as text. */
function lines(terminal: Terminal, from: number, to: number): string {
  let text = "";
  for (let row = from; row < to; row++) {
    const line = terminal.buffer.active.getLine(row);
    if (!line) continue;
    if (row > from && !line.isWrapped) text += "\n";
    text += line.translateToString(true);
  }
  return text;
}

function unescaped(line: string): string {
  return line.replace(/\\(\\|x[0-9a-f]{2})/gi, (_, code: string) =>
    code === "\\" ? "\\" : String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
}

/** Text of a terminal as a fenced block: without controls, its end if it is too long. */
export function block(name: string, text: string): string {
  // A reader must not see another order than was written.
  const plain = clean(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
  const over = plain.length - MOST;
  const kept = over > 0 ? `[${over} characters before this are left out]\n${plain.slice(over)}` : plain;
  const longest = Math.max(2, ...(kept.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `From ${name}:\n${fence}\n${kept}\n${fence}\n`;
}

/** Puts a block behind what is written in the composer and goes there; nothing is sent. */
export function quote(text: string): boolean {
  const area = document.querySelector<HTMLTextAreaElement>("#composer");
  if (!area) return false;
  const before = area.value.trimEnd();
  area.value = before ? `${before}\n\n${text}` : text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
  area.scrollTop = area.scrollHeight;
  return true;
}
