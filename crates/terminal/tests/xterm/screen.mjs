// Shows what xterm.js shows. Each line of the input is one case, {cols, rows, parts}: a part is output in hexadecimal, or a
// new size [cols, rows]. Each line of the output is the screen after it. Or {widths}, code points: their columns.
import { createInterface } from "node:readline";
import headless from "@xterm/headless";
import unicode from "@xterm/addon-unicode11";

const MODES = ["mouseTrackingMode", "wraparoundMode", "originMode", "insertMode", "applicationCursorKeysMode",
  "applicationKeypadMode", "bracketedPasteMode", "sendFocusMode"];

/** What a cell looks like: its colours and what else is set. */
function look(cell) {
  // A colour of the sixteen is the same as that one of the 256.
  const color = (mode, value) => (mode === 0 ? "-" : `${mode >> 24 === 3 ? "#" : ""}${value.toString(16)}`);
  const flags = [cell.isBold(), cell.isDim(), cell.isItalic(), cell.isUnderline(), cell.isBlink(), cell.isInverse(),
    cell.isStrikethrough(), cell.isInvisible(), cell.isOverline()];
  return [color(cell.getFgColorMode(), cell.getFgColor()), color(cell.getBgColorMode(), cell.getBgColor()),
    flags.map((on) => (on ? 1 : 0)).join("")].join(" ");
}

/** The looks along a line, each with the column it begins at. */
function looks(line) {
  const runs = [];
  let last = null;
  for (let x = 0; x < line.length; x++) {
    const cell = line.getCell(x);
    // The second half of a wide character has none of its own.
    const now = cell.getWidth() === 0 ? last : look(cell);
    if (now !== last) runs.push(`${x} ${now}`);
    last = now;
  }
  return runs.join(", ");
}

function lines(buffer, from, to, of) {
  return Array.from({ length: to - from }, (_, at) => of(buffer.getLine(from + at)));
}

function seen(terminal) {
  const { active, normal } = terminal.buffer;
  const text = (line) => line.translateToString(true).trimEnd();
  const end = active.baseY + terminal.rows;
  return {
    text: lines(active, active.baseY, end, text),
    looks: lines(active, active.baseY, end, looks),
    history: lines(normal, 0, normal.baseY, text),
    history_looks: lines(normal, 0, normal.baseY, looks),
    cursor: [active.cursorX, active.cursorY],
    visible: !terminal._core.coreService.isCursorHidden,
    alternate: active.type === "alternate",
    modes: MODES.map((mode) => `${mode} ${terminal.modes[mode]}`).join(", "),
  };
}

const write = (terminal, bytes) => new Promise((resolve) => terminal.write(bytes, resolve));

/** As on the page: erasing up to the last corner is the one thing that throws in xterm.js 6.0.0. */
function wall(terminal) {
  for (const prefix of ["", "?"]) {
    terminal.parser.registerCsiHandler({ prefix, final: "J" }, ([what]) => {
      const { cursorX, cursorY, length } = terminal.buffer.active;
      const corner = cursorX >= terminal.cols - 1 && cursorY + 1 >= length;
      if (what !== 1 || !corner) return false;
      terminal._core._inputHandler.eraseInDisplay({ params: [2] });
      return true;
    });
  }
}

async function show({ cols, rows, scrollback, parts }) {
  const terminal = new headless.Terminal({ cols, rows, scrollback, allowProposedApi: true, logLevel: "off" });
  terminal.loadAddon(new unicode.Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  wall(terminal);
  for (const part of parts) {
    if (typeof part === "string") await write(terminal, Buffer.from(part, "hex"));
    else terminal.resize(...part);
  }
  const screen = seen(terminal);
  terminal.dispose();
  return screen;
}

function widths(codes) {
  const terminal = new headless.Terminal({ allowProposedApi: true });
  terminal.loadAddon(new unicode.Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  return codes.map((code) => terminal._core.unicodeService.wcwidth(code));
}

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const answer = question.widths ? widths(question.widths) : await show(question);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
