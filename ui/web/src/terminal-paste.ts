// Pasting: what is pasted is text, never keys.
import type { Terminal } from "@xterm/xterm";
import { ask } from "./terminal-ask";

/** Longer pastes are asked about. */
const MOST_BYTES = 5 * 1024;
/** So are more lines, where the program does not ask for pastes to be marked: each line would be run. */
const MOST_LINES = 5;

/** Text without controls: in a paste, its end could hide among them, and keys such as Ctrl-C. */
export function clean(text: string): string {
  // Controls are what this is about.
  return text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Pastes a text into the terminal, after a question if it is large. */
export function paste(terminal: Terminal, text: string): void {
  const cleaned = clean(text);
  if (!cleaned) return;
  const lines = cleaned.split("\n").length;
  const marked = terminal.modes.bracketedPasteMode;
  if (cleaned.length <= MOST_BYTES && (marked || lines <= MOST_LINES)) return terminal.paste(cleaned);
  const run = marked ? "" : " The program would take each line as it comes.";
  const size = cleaned.length > 2048 ? `${Math.ceil(cleaned.length / 1024)} KB` : `${cleaned.length} characters`;
  const begins = cleaned.length > 600 ? `${cleaned.slice(0, 600)}…` : cleaned;
  const choice = { label: "Paste", act: () => terminal.paste(cleaned) };
  ask(`Paste ${lines} lines?`, `${size}.${run}`, begins, [choice], () => terminal.focus());
}

/** Takes pastes before xterm.js does. */
export function takePastes(terminal: Terminal, host: HTMLElement, allowed: () => boolean): () => void {
  const pasted = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    if (allowed()) paste(terminal, event.clipboardData?.getData("text/plain") ?? "");
  };
  host.addEventListener("paste", pasted, true);
  return () => host.removeEventListener("paste", pasted, true);
}
