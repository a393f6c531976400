//! The cursor, the margins it moves in, and the two screens.

use super::Emulator;

/// First and last row of the part that scrolls, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Margins {
    pub top: usize,
    pub bottom: usize,
}

/// The line of a saved cursor: in xterm.js it moves with its text.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Saved {
    line: usize,
}

impl Saved {
    pub fn at(row: usize, base: usize) -> Self {
        Self { line: base + row }
    }

    pub fn row(self, base: usize, rows: usize) -> usize {
        self.line.saturating_sub(base).min(rows - 1)
    }
}

impl Margins {
    pub fn whole(rows: usize) -> Self {
        Self {
            top: 0,
            bottom: rows - 1,
        }
    }

    pub fn contain(self, row: usize) -> bool {
        (self.top..=self.bottom).contains(&row)
    }

    /// The sequence that sets these margins.
    pub fn sequence(self) -> String {
        format!("\x1b[{};{}r", self.top + 1, self.bottom + 1)
    }
}

impl Emulator {
    pub(super) fn cols(&self) -> usize {
        self.terminal.size().0
    }

    pub(super) fn rows(&self) -> usize {
        self.terminal.size().1
    }

    pub(super) fn col(&self) -> usize {
        self.terminal.cursor().col
    }

    pub(super) fn row(&self) -> usize {
        self.terminal.cursor().row
    }

    /// Puts the cursor on the last column if it stands behind it.
    pub(super) fn restrict(&mut self) {
        if self.col() >= self.cols() {
            self.go_to_col(self.cols() - 1);
        }
    }

    pub(super) fn go_to_col(&mut self, col: usize) {
        self.say(&format!("\x1b[{}G", col + 1));
    }

    pub(super) fn go_to(&mut self, col: usize, row: usize) {
        self.say(&format!("\x1b[{};{}H", row + 1, col + 1));
    }

    /// Where a program asks for, counted from 0: in origin mode from the top margin.
    pub(super) fn ask_position(&mut self, col: usize, row: usize) {
        let row = if self.origin {
            (row + self.margins.top).min(self.margins.bottom)
        } else {
            row
        };
        self.go_to(col, row);
    }

    /// In origin mode xterm.js counts the top margin twice when the cursor moves by a distance, or along its row.
    pub(super) fn after_move(&mut self) {
        if self.origin && self.margins.top > 0 {
            self.ask_position(self.col(), self.row());
        }
    }

    /// What a program asks for, counted from 1; `bottom` 0 is the last row. The cursor goes home.
    pub(super) fn ask_margins(&mut self, top: usize, bottom: usize) {
        let rows = self.rows();
        let bottom = if bottom == 0 || bottom > rows {
            rows
        } else {
            bottom
        };
        if bottom <= top.max(1) {
            return;
        }
        self.margins = Margins {
            top: top.max(1) - 1,
            bottom: bottom - 1,
        };
        self.say(&self.margins.sequence());
        self.ask_position(0, 0);
    }

    /// Sets the margins and leaves the cursor where it is.
    pub(super) fn set_margins(&mut self, margins: Margins) {
        let (col, row) = (self.col(), self.row());
        self.margins = margins;
        self.say(&margins.sequence());
        self.go_to(col, row);
    }

    /// The emulator is not told: it would save the mode with the cursor, which xterm.js does not.
    pub(super) fn set_origin(&mut self, on: bool) {
        self.origin = on;
        self.ask_position(0, 0);
    }

    pub(super) fn save_cursor(&mut self) {
        self.say_of_pen("\x1b7");
        self.saved = Saved::at(self.row(), self.base());
    }

    pub(super) fn restore_cursor(&mut self) {
        self.say_of_pen("\x1b8");
        let row = self.saved.row(self.base(), self.rows());
        let row = if self.origin {
            row.clamp(self.margins.top, self.margins.bottom)
        } else {
            row
        };
        self.go_to(self.col(), row);
    }

    /// How many lines stand above the screen that shows.
    pub(super) fn base(&self) -> usize {
        if self.is_alternate() {
            0
        } else {
            self.above() - self.forgotten
        }
    }

    /// Shows the other screen. Its margins are its own, and always the whole at first.
    pub(super) fn show_alternate(&mut self) {
        if self.is_alternate() {
            return;
        }
        self.say_blank("\x1b[?1047h");
        self.mirror.feed("\x1b[?1047h");
        self.below = self.margins;
        std::mem::swap(&mut self.saved, &mut self.saved_other);
        let whole = Margins::whole(self.rows());
        self.change_margins(whole);
    }

    pub(super) fn show_ordinary(&mut self) {
        if !self.is_alternate() {
            return;
        }
        self.say("\x1b[?1047l");
        self.mirror.feed("\x1b[?1047l");
        std::mem::swap(&mut self.saved, &mut self.saved_other);
        self.change_margins(self.below);
    }

    fn change_margins(&mut self, margins: Margins) {
        if margins != self.margins {
            self.set_margins(margins);
        }
    }

    pub(super) fn reverse_index(&mut self) {
        self.restrict();
        if self.row() == self.margins.top {
            self.say_blank("\x1bM");
        } else {
            self.say("\x1b[A");
        }
    }
}
