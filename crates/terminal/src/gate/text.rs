//! Lets text pass, but for what makes one cell grow without end.

use crate::scan::CAN;
use unicode_width::UnicodeWidthChar;

/// How many combining marks a cell may have.
const MOST_MARKS: u8 = 16;
/// Asks the terminal for its answerback text.
const ENQ: char = '\u{5}';
const BACKSPACE: char = '\u{8}';

/// A place in the text between sequences.
///
/// A mark joins the cell before the cursor. So a fresh allowance comes only with a character that fills a cell, or with
/// a carriage return; whatever moves the cursor back to a filled cell uses it up.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The beginning of a character. It is out already, unless it might be a mark too many.
    partial: Vec<u8>,
    marks: u8,
}

impl Text {
    /// Passes the next bytes. Dropped is a mark too many and `ENQ`; each becomes a `CAN`, or the bytes around
    /// it might make something new.
    pub(super) fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let [first, rest @ ..] = bytes
            && !self.partial.is_empty()
        {
            self.join(*first, out);
            bytes = rest;
        }
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.pass_valid(chunk.valid(), out);
            if chunks.peek().is_none() {
                for byte in chunk.invalid() {
                    self.join(*byte, out);
                }
            } else {
                out.extend_from_slice(chunk.invalid());
            }
        }
    }

    /// A sequence comes: an unfinished character stays so. `moves` if it may move the cursor.
    pub(super) fn interrupt(&mut self, moves: bool, out: &mut Vec<u8>) {
        self.give_up(out);
        if moves {
            self.marks = MOST_MARKS;
        }
    }

    /// How many bytes are held back.
    pub(super) fn held(&self) -> usize {
        if self.full() { self.partial.len() } else { 0 }
    }

    fn full(&self) -> bool {
        self.marks >= MOST_MARKS
    }

    fn give_up(&mut self, out: &mut Vec<u8>) {
        if self.full() {
            out.extend_from_slice(&self.partial);
        }
        self.partial.clear();
    }

    /// Takes a byte that may continue a character.
    fn join(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial).map(|text| text.chars().next()) {
            Ok(Some(whole)) => self.whole(whole, byte, out),
            Ok(None) => {}
            Err(error) if error.error_len().is_none() => {
                if !self.full() {
                    out.push(byte);
                }
            }
            Err(_) => self.broken_off(byte, out),
        }
    }

    /// A character is complete. Its first bytes are out already, if it could be no mark too many.
    fn whole(&mut self, char: char, last: u8, out: &mut Vec<u8>) {
        let bytes = std::mem::take(&mut self.partial);
        let held = self.full();
        match self.admits(char) {
            true if held => out.extend_from_slice(&bytes),
            true => out.push(last),
            false => out.push(CAN),
        }
    }

    fn broken_off(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.partial.pop();
        if self.partial.is_empty() {
            out.push(byte);
        } else {
            self.give_up(out);
            self.join(byte, out);
        }
    }

    fn pass_valid(&mut self, text: &str, out: &mut Vec<u8>) {
        let plain = |byte: &u8| *byte >= 0x20 && *byte < 0x7f;
        if text.as_bytes().iter().all(plain) {
            out.extend_from_slice(text.as_bytes());
            if !text.is_empty() {
                self.marks = 0;
            }
            return;
        }
        for char in text.chars() {
            let passing = if self.admits(char) {
                char
            } else {
                char::from(CAN)
            };
            out.extend_from_slice(passing.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    fn admits(&mut self, char: char) -> bool {
        match char {
            ENQ => return false,
            BACKSPACE => self.marks = MOST_MARKS,
            '\r' => self.marks = 0,
            _ if char.is_control() => {}
            _ if is_mark(char) && self.full() => return false,
            _ if is_mark(char) => self.marks += 1,
            _ => self.marks = 0,
        }
        true
    }
}

/// Whether a terminal may draw this into the cell before it. More than the newest Unicode says: xterm.js joins these
/// format characters as well, by the tables of Unicode 6.
fn is_mark(char: char) -> bool {
    matches!(char, '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}')
        || char.width().unwrap_or(0) == 0
}
