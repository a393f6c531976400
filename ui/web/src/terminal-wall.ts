// The second wall: what the server lets through is safe; this holds should it ever err.
import type { IFunctionIdentifier, Terminal } from "@xterm/xterm";

/** Sequences whose cost grows with their parameter; xterm.js has no limit of its own (insert, delete, scroll, repeat). */
const REPEATING: IFunctionIdentifier[] = [
  ..."@ILMPSTXZ^b".split("").map((final) => ({ final })),
  { intermediates: "'", final: "}" },
  { intermediates: "'", final: "~" },
];
/** Notifications, files and more: of no use in a shared terminal. */
const NOT_HERE = [9, 50, 51, 52, 99, 777, 1337, 5113];

/** Swallows what would hang the page, answer a program, or reach out of the terminal. */
export function wall(terminal: Terminal): void {
  const taken = () => true;
  const { parser } = terminal;
  const tooMany = (params: (number | number[])[]) => {
    const most = Math.max(terminal.cols, terminal.rows);
    return params.flat().some((count) => count > most);
  };
  for (const id of REPEATING) parser.registerCsiHandler(id, tooMany);
  // A window is the person's own.
  parser.registerCsiHandler({ final: "t" }, taken);
  eraseInTheLastCorner(terminal);
  for (const code of NOT_HERE) parser.registerOscHandler(code, taken);
  leaveQuestionsToTheServer(terminal);
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
}

/** Erasing up to the cursor throws in xterm.js 6.0.0 when it stands in the last column of the last line, and nothing is
 * drawn from then on; there it erases the whole screen instead, which is the same. */
function eraseInTheLastCorner(terminal: Terminal): void {
  for (const prefix of ["", "?"])
    terminal.parser.registerCsiHandler({ prefix, final: "J" }, ([what]) => {
      const { cursorX, cursorY, length } = terminal.buffer.active;
      if (what !== 1 || cursorX < terminal.cols - 1 || cursorY + 1 < length) return false;
      core(terminal)._inputHandler.eraseInDisplay({ params: [2] });
      return true;
    });
}

interface Core {
  _inputHandler: { eraseInDisplay(params: { params: number[] }): boolean };
}

/** There is no public way to erase from within a sequence. */
function core(terminal: Terminal): Core {
  return (terminal as unknown as { _core: Core })._core;
}
