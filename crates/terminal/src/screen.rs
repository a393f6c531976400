//! What a terminal shows.

use crate::Size;
use crate::emulator::Emulator;
use crate::modes::Modes;
use crate::scan::{Scanner, Token, controls};
use avt::Line;

/// The longest string that is kept while its end has not come, in bytes.
const LONGEST_STRING: usize = 64 * 1024;

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
    emulator: Emulator,
    scanner: Scanner,
    modes: Modes,
    /// The beginning of a character whose end has not come yet.
    tail: Vec<u8>,
    /// A string (OSC, DCS and so on) whose end has not come yet.
    string: Vec<u8>,
}

impl Screen {
    /// How many lines of history are usual.
    pub const SCROLLBACK: usize = 1_000;

    /// An empty screen. The size is clamped, see [`Size::clamped`].
    #[must_use]
    pub fn new(size: Size, scrollback_lines: usize) -> Self {
        Self {
            emulator: Emulator::new(size.clamped(), scrollback_lines),
            scanner: Scanner::default(),
            modes: Modes::default(),
            tail: Vec::new(),
            string: Vec::new(),
        }
    }

    /// Shows the next piece of output. Bytes that are no UTF-8 show nothing, as in xterm.js.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut scanner = std::mem::take(&mut self.scanner);
        scanner.feed(bytes, |token, _| self.take(&token));
        self.scanner = scanner;
    }

    /// Changes the size; lines are wrapped anew. The size is clamped.
    pub fn resize(&mut self, size: Size) {
        self.emulator.resize(size.clamped());
    }

    /// The size now.
    #[must_use]
    pub fn size(&self) -> Size {
        self.emulator.size()
    }

    /// Where the cursor is.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let cursor = self.emulator.terminal.cursor();
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
        let screen = self.emulator.terminal.screen();
        screen
            .visible_lines()
            .map(|line| self.trimmed(line))
            .collect()
    }

    /// The rows that scrolled off the ordinary screen, oldest first, without the blanks at their ends.
    #[must_use]
    pub fn history(&self) -> Vec<String> {
        self.emulator
            .history()
            .map(|line| self.trimmed(line))
            .collect()
    }

    /// Bytes which, written into a fresh terminal of this [size](Self::size), give the same history, screen,
    /// cursor, modes, and the same half-read sequence or character at the end.
    #[must_use]
    pub fn dump(&self) -> Vec<u8> {
        let mut out = self.emulator.dump(&self.modes.dump()).into_bytes();
        out.extend_from_slice(&self.string);
        out.extend_from_slice(self.scanner.begun());
        out.extend_from_slice(&self.tail);
        out
    }

    fn take(&mut self, token: &Token<'_>) {
        self.modes.see(token);
        if let Token::Payload(bytes) = token {
            if self.string.len() + bytes.len() <= LONGEST_STRING {
                self.string.extend_from_slice(bytes);
            }
            return;
        }
        self.string.clear();
        if let Token::Text(bytes) = token {
            return self.show(bytes);
        }
        self.tail.clear();
        match token {
            Token::Csi(sequence) => self.emulator.csi(sequence),
            Token::Escape(sequence) => self.emulator.escape(sequence),
            Token::Opener(sequence) => {
                self.act(sequence);
                self.string.extend_from_slice(sequence);
            }
            Token::Broken(sequence) => self.act(sequence),
            Token::Text(_) | Token::Payload(_) => {}
        }
    }

    /// Controls inside a sequence act even if it does nothing.
    fn act(&mut self, sequence: &[u8]) {
        self.emulator.interrupted();
        for control in controls(sequence) {
            self.emulator
                .text(char::from(control).encode_utf8(&mut [0; 4]));
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        let mut whole = std::mem::take(&mut self.tail);
        whole.extend_from_slice(bytes);
        let mut rest = whole.as_slice();
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => return self.emulator.text(text),
                Err(error) => error,
            };
            let (valid, bad) = rest.split_at(error.valid_up_to());
            self.emulator
                .text(std::str::from_utf8(valid).unwrap_or_default());
            let Some(length) = error.error_len() else {
                self.tail = bad.to_vec();
                return;
            };
            rest = &bad[length..];
        }
    }

    fn trimmed(&self, line: &Line) -> String {
        let text = self.emulator.stand_ins.read(&line.text());
        text.trim_end().to_owned()
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
