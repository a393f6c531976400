//! What makes a fresh terminal like this one.

use super::cursor::Margins;
use super::{Emulator, StandIns, sgr, terminal, write_pen};
use crate::lines;
use avt::{Cell, Line, Terminal};
use std::fmt::Write as _;

/// The emulator's own sequence for the screen of a full-screen program, and what it says after it.
const ALTERNATE: &str = "\x1b[?1047h";
const ERASE: &str = "\r\x1b[m\x1b[1J\x1b[J";
const ALTERNATE_HOME: &str = "\x1b[?1047h\x1b[1;1H";

impl Emulator {
    /// Sequences which, written into a fresh or reset terminal of the same size, leave the same history, screen, cursor and
    /// `modes`.
    pub(crate) fn dump(&self, modes: &str) -> String {
        // Resetting xterm.js leaves these two as they are.
        let mut out = format!("\x1b[?25h\x1b[20l{modes}");
        let state = self.state();
        self.write_content(&state, &self.stand_ins, &mut out);
        if !self.autowrap {
            out.push_str("\x1b[?7l");
        }
        if self.origin {
            out.push_str("\x1b[?6h");
        }
        let first = if self.origin { self.margins.top } else { 0 };
        if self.insert {
            out.push_str("\x1b[4h");
        }
        if let Some(cell) = self.write_cursor(first, &mut out) {
            if self.insert {
                // The character goes, and comes again in front of the others.
                let _ = write!(out, "\x1b[{}P", cell.width());
            }
            self.write_again(&cell, &state, &self.stand_ins, &mut out);
        }
        out
    }

    /// The same for an emulator, in its own characters.
    pub(super) fn own_dump(&self) -> String {
        let (state, plain) = (self.state(), StandIns::default());
        let mut out = String::new();
        self.write_content(&state, &plain, &mut out);
        if let Some(cell) = self.write_cursor(0, &mut out) {
            self.write_again(&cell, &state, &plain, &mut out);
        }
        out
    }

    /// All the lines, and the emulator's state.
    fn write_content(&self, state: &str, stand_ins: &StandIns, out: &mut String) {
        let ordinary = self.terminal.primary_screen().all_lines();
        let ordinary: Vec<&Line> = ordinary.skip(self.forgotten).collect();
        lines::write(out, &ordinary, stand_ins);
        let Some((before, after)) = state
            .split_once(ALTERNATE_HOME)
            .filter(|_| self.is_alternate())
        else {
            out.push_str(state);
            return;
        };
        out.push_str(before);
        if self.below != Margins::whole(self.rows()) {
            out.push_str(&self.below.sequence());
        }
        out.push_str(self.cursor_below().as_str());
        out.push_str(ALTERNATE_HOME);
        let alternate: Vec<&Line> = self.terminal.screen().visible_lines().collect();
        lines::write(out, &alternate, stand_ins);
        out.push_str(after);
    }

    /// What the emulator says of itself but for its lines, which it writes with all the blanks at their ends.
    fn state(&self) -> String {
        let mut empty = terminal(self.size(), 0);
        let mut pen = String::new();
        write_pen(&mut pen, &self.pen);
        empty.feed(self.terminal.dump().as_str());
        save_anew(&mut empty, self.saved.row(self.base(), self.rows()));
        empty.feed(ERASE);
        if self.is_alternate() {
            empty.feed("\x1b[?1047l");
            let row = self
                .saved_other
                .row(self.above() - self.forgotten, self.rows());
            save_anew(&mut empty, row);
            empty.feed(ERASE);
            empty.feed(ALTERNATE);
        }
        empty.feed(format!("{pen}\x1b[{};{}H", self.row() + 1, self.col() + 1).as_str());
        // xterm.js does not know the sequence the emulator sets tab stops with.
        let state = empty
            .dump()
            .replace("\x1b[5W", "\x1b[3g")
            .replace("\x1b[0W", "\x1bH");
        sgr::with_semicolons(&state)
    }

    /// Puts the cursor where it is on the ordinary screen while the other one shows: on another size, it decides which lines
    /// go.
    fn cursor_below(&self) -> String {
        let dump = self.terminal.dump();
        let before = dump.split(ALTERNATE).next().unwrap_or_default();
        let place = before.split("\x1b[").filter_map(position).last();
        let (row, col) = place.unwrap_or((1, 1));
        format!("\x1b[{row};{}H", col.min(self.cols()))
    }

    /// Puts the cursor in its place; `first` is the row that rows are counted from. That may be on a character to be written
    /// once more, so that a mark that comes next joins it, or the next character wraps.
    fn write_cursor(&self, first: usize, out: &mut String) -> Option<Cell> {
        let row = self.row().saturating_sub(first);
        let again = self.printed || self.col() == self.cols();
        let last = self.cell_before().filter(|_| again);
        let col = last.map_or(self.col(), |(col, _)| col);
        // Writing to a string cannot fail.
        let _ = write!(out, "\x1b[{};{}H", row + 1, col + 1);
        last.map(|(_, cell)| cell)
    }

    fn write_again(&self, cell: &Cell, state: &str, stand_ins: &StandIns, out: &mut String) {
        let drawn = state.contains("\x1b(0") || state.contains("\x1b)0");
        let stands = matches!(cell.char(), '`'..='~') && drawn;
        let other = *cell.pen() != self.pen;
        if stands {
            out.push_str("\x0f\x1b(B");
        }
        if other {
            write_pen(out, cell.pen());
        }
        stand_ins.write(cell.char(), out);
        if other {
            write_pen(out, &self.pen);
        }
        if stands {
            let sets = ["\x1b(0", "\x0e"]
                .into_iter()
                .filter(|set| state.contains(set));
            out.extend(sets);
        }
    }
}

/// Row and column of what follows `CSI`, if it is a `CUP`.
fn position(piece: &str) -> Option<(usize, usize)> {
    let (place, _) = piece.split_once('H')?;
    let (row, col) = place.split_once(';')?;
    Some((row.parse().ok()?, col.parse().ok()?))
}

/// Saves the cursor on the row where it is now.
fn save_anew(terminal: &mut Terminal, row: usize) {
    terminal.feed("\x1b8");
    if terminal.cursor().row != row {
        terminal.feed(format!("\x1b[{}d\x1b7", row + 1).as_str());
    }
}
