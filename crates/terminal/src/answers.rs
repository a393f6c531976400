//! Answers what programs ask their terminal.
//!
//! Every viewer's emulator would answer by itself, and n viewers would type n answers into the shell. So the
//! server's screen is the only one that answers, with the words of xterm.js.

use crate::Screen;
use crate::scan::{Scanner, Token, body};

/// How much is answered to one piece of output, in bytes; beyond it a flood of questions goes unanswered.
const MOST: usize = 1024;

/// A place in terminal output, where questions are looked for.
///
/// Known are the device attributes (`CSI c`, `CSI > c`), the status (`CSI 5 n`) and the cursor position
/// (`CSI 6 n`, `CSI ? 6 n`).
#[derive(Debug, Default)]
pub struct Answers {
    scanner: Scanner,
}

impl Answers {
    /// At the beginning of a terminal's output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Feeds the screen, and gives what is to be written back to the program. The cursor is reported as it was
    /// when the question came.
    ///
    /// Write the answer without waiting (a program that asks and does not read must not stop its own output).
    pub fn feed(&mut self, screen: &mut Screen, bytes: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut shown = 0;
        self.scanner.feed(bytes, |token, end| {
            let Token::Csi(sequence) = token else { return };
            let Some(question) = Question::read(&body(sequence)) else {
                return;
            };
            screen.feed(&bytes[shown..end]);
            shown = end;
            if answer.len() < MOST {
                answer.extend_from_slice(question.answer(screen).as_bytes());
            }
        });
        screen.feed(&bytes[shown..]);
        answer
    }
}

enum Question {
    PrimaryAttributes,
    SecondaryAttributes,
    Status,
    Position,
    ExtendedPosition,
}

impl Question {
    fn read(body: &[u8]) -> Option<Self> {
        match body {
            b"c" | b"0c" => Some(Self::PrimaryAttributes),
            b">c" | b">0c" => Some(Self::SecondaryAttributes),
            b"5n" => Some(Self::Status),
            b"6n" => Some(Self::Position),
            b"?6n" => Some(Self::ExtendedPosition),
            _ => None,
        }
    }

    fn answer(&self, screen: &Screen) -> String {
        let cursor = screen.cursor();
        let row = cursor.row + 1;
        let col = (cursor.col + 1).min(screen.size().cols.into());
        match self {
            Self::PrimaryAttributes => "\x1b[?1;2c".to_owned(),
            Self::SecondaryAttributes => "\x1b[>0;276;0c".to_owned(),
            Self::Status => "\x1b[0n".to_owned(),
            Self::Position => format!("\x1b[{row};{col}R"),
            Self::ExtendedPosition => format!("\x1b[?{row};{col}R"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    #[test]
    fn questions_are_answered_once_whatever_the_split() {
        let asked = b"ab\x1b[6n\r\ncde\x1b[c\x1b[>c\x1b[5n\x1b[?6n\x1b[1;200H\x1b[6n\x1b[7n";
        let expected = b"\x1b[1;3R\x1b[?1;2c\x1b[>0;276;0c\x1b[0n\x1b[?2;4R\x1b[1;80R".to_vec();
        for size in 1..=asked.len() {
            let mut screen = Screen::new(Size::default(), 0);
            let mut answers = Answers::new();
            let answer: Vec<u8> = asked
                .chunks(size)
                .flat_map(|piece| answers.feed(&mut screen, piece))
                .collect();
            assert_eq!(answer, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_flood_of_questions_is_not_answered_without_end() {
        let mut screen = Screen::new(Size::default(), 0);
        let answer = Answers::new().feed(&mut screen, &b"\x1b[c".repeat(100_000));
        assert!(answer.len() < MOST + 16);
    }
}
