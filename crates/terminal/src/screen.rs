//! What a terminal shows.

use crate::modes::Modes;
use crate::scan::Scanner;
use crate::{Size, history};
use avt::{Line, Terminal};

/// Where the next character goes, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Column; equal to the number of columns while the next character will wrap.
    pub col: usize,
    /// Row on the screen.
    pub row: usize,
    /// Whether it is shown.
    pub visible: bool,
}

/// A terminal's screen, its history and its modes, made from its output.
///
/// Memory is bounded by the largest [`Size`] and the number of history lines. Any split of the output gives the
/// same screen.
pub struct Screen {
    terminal: Terminal,
    scanner: Scanner,
    modes: Modes,
    /// The beginning of a character whose end has not come yet.
    tail: Vec<u8>,
}

impl Screen {
    /// How many lines of history are usual.
    pub const SCROLLBACK: usize = 1_000;

    /// An empty screen. The size is clamped, see [`Size::clamped`].
    #[must_use]
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "only a size of zero fails, and no clamped size is zero"
    )]
    pub fn new(size: Size, scrollback_lines: usize) -> Self {
        let size = size.clamped();
        let (cols, rows) = (size.cols.into(), size.rows.into());
        let terminal = Terminal::with_scrollback(cols, rows, Some(scrollback_lines))
            .expect("a size above zero");
        Self {
            terminal,
            scanner: Scanner::default(),
            modes: Modes::default(),
            tail: Vec::new(),
        }
    }

    /// Shows the next piece of output. Bytes that are no UTF-8 show as U+FFFD.
    pub fn feed(&mut self, bytes: &[u8]) {
        let modes = &mut self.modes;
        self.scanner.feed(bytes, |token, _| modes.see(&token));
        if self.tail.is_empty() {
            self.show(bytes);
        } else {
            let mut whole = std::mem::take(&mut self.tail);
            whole.extend_from_slice(bytes);
            self.show(&whole);
        }
    }

    /// Changes the size; lines are wrapped anew. The size is clamped.
    pub fn resize(&mut self, size: Size) {
        let size = size.clamped();
        self.terminal.resize(size.cols.into(), size.rows.into());
    }

    /// The size now.
    #[must_use]
    pub fn size(&self) -> Size {
        let (cols, rows) = self.terminal.size();
        let cell = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        Size {
            cols: cell(cols),
            rows: cell(rows),
        }
    }

    /// Where the cursor is.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let cursor = self.terminal.cursor();
        Cursor {
            col: cursor.col,
            row: cursor.row,
            visible: cursor.visible,
        }
    }

    /// Whether the program wants pasted text wrapped in markers.
    #[must_use]
    pub fn bracketed_paste(&self) -> bool {
        self.modes.bracketed_paste()
    }

    /// The rows on the screen, top to bottom, without the blanks at their ends.
    #[must_use]
    pub fn text(&self) -> Vec<String> {
        self.terminal
            .screen()
            .visible_lines()
            .map(trimmed)
            .collect()
    }

    /// The rows that scrolled off the ordinary screen, oldest first, without the blanks at their ends.
    #[must_use]
    pub fn history(&self) -> Vec<String> {
        history::lines(&self.terminal).map(trimmed).collect()
    }

    /// Bytes which, written into a fresh terminal of this [size](Self::size), give the same history, screen,
    /// cursor, modes, and the same half-read sequence or character at the end.
    #[must_use]
    pub fn dump(&self) -> Vec<u8> {
        // xterm.js does not know the sequence the emulator sets tab stops with.
        let screen = self
            .terminal
            .dump()
            .replace("\x1b[5W", "\x1b[3g")
            .replace("\x1b[0W", "\x1bH");
        let mut out = history::dump(&self.terminal).into_bytes();
        out.extend_from_slice(self.modes.dump().as_bytes());
        out.extend_from_slice(screen.as_bytes());
        out.extend_from_slice(&self.tail);
        out
    }

    fn show(&mut self, mut bytes: &[u8]) {
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => return self.terminal.feed(text),
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            self.terminal
                .feed(std::str::from_utf8(valid).unwrap_or_default());
            let Some(bad) = error.error_len() else {
                self.tail = rest.to_vec();
                return;
            };
            self.terminal.feed(char::REPLACEMENT_CHARACTER);
            bytes = &rest[bad..];
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("size", &self.size())
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}

fn trimmed(line: &Line) -> String {
    line.text().trim_end().to_owned()
}
