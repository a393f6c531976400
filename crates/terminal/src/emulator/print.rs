//! Text: characters, marks, and the controls between them.

use super::width::width;
use super::{Emulator, write_pen};
use avt::Cell;

impl Emulator {
    /// Takes text and controls.
    pub(crate) fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            let plain = self.plain_run(rest);
            if plain > 0 {
                let (run, after) = rest.split_at(plain);
                self.say(run);
                self.printed = true;
                rest = after;
            } else {
                self.char(char);
                rest = &rest[char.len_utf8()..];
            }
        }
    }

    /// How many of the next bytes the emulator draws as xterm.js does.
    fn plain_run(&self, text: &str) -> usize {
        if self.insert || !self.autowrap {
            return 0;
        }
        let special = |byte: &u8| !(0x20..0x7f).contains(byte);
        let run = text.bytes().position(|byte| special(&byte));
        let run = run.unwrap_or(text.len());
        if self.fancy {
            run.min(self.cols() - self.col())
        } else {
            run
        }
    }

    fn char(&mut self, char: char) {
        match char {
            // xterm.js leaves these two out.
            '\u{feff}' | '\u{7f}' => {}
            '\0'..='\u{1f}' => self.control(char),
            _ => match width(char) {
                0 => self.mark(char),
                width => {
                    let char = self.stand_ins.of(char);
                    self.print(char, width);
                }
            },
        }
    }

    /// Prints a character as it stands in a cell.
    pub(super) fn print(&mut self, char: char, width: usize) {
        let wraps = self.col() + width > self.cols();
        if wraps && !self.autowrap {
            self.go_to_col(self.cols() - 1);
            self.printed = false;
            if width == 2 {
                return;
            }
        }
        if self.insert {
            self.make_room(width, wraps && self.autowrap);
        }
        if wraps && self.autowrap {
            self.leave_line();
        }
        let scrolls = wraps && self.autowrap && self.row() == self.margins.bottom;
        self.say(char.encode_utf8(&mut [0; 4]));
        if scrolls && self.fancy {
            self.say_blank("\x1b[K");
        }
        self.printed = true;
    }

    /// Moves what follows to the right, on the next row if the character goes there.
    fn make_room(&mut self, width: usize, wraps: bool) {
        let row = self.row();
        if !wraps {
            return self.say(&format!("\x1b[{width}@"));
        }
        let (Some((last, cell)), false) = (self.cell_before(), row == self.margins.bottom) else {
            return;
        };
        self.go_to(0, (row + 1).min(self.rows() - 1));
        self.say(&format!("\x1b[{width}@"));
        self.go_to(last, row);
        let mut again = String::new();
        write_pen(&mut again, cell.pen());
        again.push(cell.char());
        write_pen(&mut again, &self.pen);
        self.say(&again);
    }

    /// A wide character that does not fit leaves a blank in the last column.
    fn leave_line(&mut self) {
        while self.col() < self.cols() {
            self.say(" ");
        }
    }

    fn mark(&mut self, mark: char) {
        let Some((col, cell)) = self.last_printed() else {
            return self.lone_mark(mark);
        };
        let (char, width) = (cell.char(), cell.width().into());
        if let Some(char) = self.stand_ins.joined(char, mark, width) {
            self.go_to_col(col);
            self.say(char.encode_utf8(&mut [0; 4]));
        }
    }

    /// The character that was just printed, and its column.
    pub(super) fn last_printed(&self) -> Option<(usize, Cell)> {
        self.printed.then(|| self.cell_before())?
    }

    /// The character before the cursor, and its column.
    pub(super) fn cell_before(&self) -> Option<(usize, Cell)> {
        let line = self.terminal.screen().line(self.row())?;
        let before = line.cells().get(..self.col())?;
        let col = before.iter().rposition(|cell| cell.width() > 0)?;
        Some((col, *before.get(col)?))
    }

    /// A mark that joins nothing has a cell of its own, but never begins a line.
    fn lone_mark(&mut self, mark: char) {
        if self.col() < self.cols() {
            self.say(mark.encode_utf8(&mut [0; 4]));
        }
    }

    /// Takes one of the controls below U+0020.
    pub(super) fn control(&mut self, control: char) {
        self.printed = false;
        match control {
            '\n' | '\u{b}' | '\u{c}' => self.line_feed(),
            '\r' => self.say("\r"),
            '\u{8}' => self.say("\u{8}"),
            '\u{e}' => self.say("\u{e}"),
            '\u{f}' => self.say("\u{f}"),
            '\t' if self.col() < self.cols() => self.say("\t"),
            _ => {}
        }
    }

    pub(super) fn c1(&mut self, control: u8) {
        match control {
            0x84 => self.index(),
            0x85 => {
                self.say("\r");
                self.index();
            }
            0x88 => self.say("\x1bH"),
            _ => {}
        }
    }

    fn line_feed(&mut self) {
        self.restrict();
        self.say_blank("\n");
    }

    /// A line feed that is none to the mode `LNM`.
    fn index(&mut self) {
        let newline = self.newline;
        if newline {
            self.say("\x1b[20l");
        }
        self.line_feed();
        if newline {
            self.say("\x1b[20h");
        }
    }

    /// `REP`: what was just printed, again.
    pub(super) fn repeat(&mut self, count: usize) {
        if let Some((_, cell)) = self.last_printed() {
            for _ in 0..count {
                self.print(cell.char(), cell.width().into());
            }
        }
    }

    /// `DECALN`: a screen of E, in origin mode from the top margin on.
    pub(super) fn align(&mut self) {
        let first = if self.origin { self.margins.top } else { 0 };
        for row in first..self.rows() {
            self.go_to(0, row);
            self.say(&"E".repeat(self.cols()));
        }
        self.ask_position(0, 0);
    }
}
