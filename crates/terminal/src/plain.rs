//! Terminal output as text, as a person would read it in a file.

use crate::scan::{Scanner, Token};
use crate::text::{Decoder, turns_text};

/// The longest line that is held while it may still be rewritten, in characters; a longer one is cut into several.
const LONGEST_LINE: usize = 4096;
const TAB: usize = 8;

/// Terminal output on its way to text: sequences are gone, a line that was written over shows what it showed last, and
/// what would make a reader see another order than was written is left out. What moves between lines is not followed: a
/// full-screen program leaves its words, not its picture.
///
/// Any split of the output gives the same text.
#[derive(Debug, Default)]
pub struct Plain {
    scanner: Scanner,
    line: Line,
}

/// A line that may still be rewritten.
#[derive(Debug, Default)]
struct Line {
    chars: Vec<char>,
    /// Where the next character goes.
    at: usize,
    decoder: Decoder,
}

impl Plain {
    /// The beginning of a terminal's output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines that the next piece of output completes.
    pub fn feed(&mut self, bytes: &[u8]) -> String {
        let (mut out, line) = (String::new(), &mut self.line);
        self.scanner
            .feed(bytes, |token, _| line.take(&token, &mut out));
        out
    }

    /// Whether the line that is not completed shows nothing.
    pub(crate) fn is_blank(&self) -> bool {
        self.line.shown().trim().is_empty()
    }

    /// The line that was not completed.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        self.line.broken_char(&mut out);
        out.push_str(&self.line.shown());
        *self = Self::default();
        out
    }
}

/// All of some output as text.
#[must_use]
pub fn plain(bytes: &[u8]) -> String {
    let mut plain = Plain::new();
    let mut text = plain.feed(bytes);
    text.push_str(&plain.finish());
    text
}

impl Line {
    fn take(&mut self, token: &Token<'_>, out: &mut String) {
        match token {
            Token::Text(bytes) => self.text(bytes, out),
            Token::Csi(bytes) => {
                self.broken_char(out);
                self.erase(bytes);
            }
            Token::Opener(_) => self.broken_char(out),
            Token::Escape(_) | Token::Broken(_) | Token::Payload(_) => {}
        }
    }

    fn text(&mut self, bytes: &[u8], out: &mut String) {
        let text = self.decoder.feed(bytes);
        text.chars().for_each(|char| self.put(char, out));
    }

    /// A sequence breaks into a character.
    fn broken_char(&mut self, out: &mut String) {
        if let Some(char) = self.decoder.break_off() {
            self.put(char, out);
        }
    }

    fn put(&mut self, char: char, out: &mut String) {
        match char {
            '\n' => {
                out.push_str(&self.shown());
                out.push('\n');
                (self.at, self.chars) = (0, Vec::new());
            }
            '\r' => self.at = 0,
            '\u{8}' => self.at = self.at.saturating_sub(1),
            '\t' => {
                let stop = (self.at / TAB + 1) * TAB;
                // A tab over what is written already only moves.
                if self.at >= self.chars.len() {
                    self.write('\t', out);
                } else {
                    self.at = stop.min(self.chars.len());
                }
            }
            char if char.is_control() || turns_text(char) => {}
            char => self.write(char, out),
        }
    }

    fn write(&mut self, char: char, out: &mut String) {
        if self.at >= LONGEST_LINE {
            out.push_str(&self.shown());
            (self.at, self.chars) = (0, Vec::new());
        }
        match self.chars.get_mut(self.at) {
            Some(old) => *old = char,
            None => self.chars.push(char),
        }
        self.at += 1;
    }

    /// `CSI K` and its like are how progress lines are cleared.
    fn erase(&mut self, sequence: &[u8]) {
        match crate::scan::body(sequence).as_slice() {
            b"K" | b"0K" | b"J" | b"0J" => self.chars.truncate(self.at),
            b"2K" => {
                self.chars = vec![' '; self.at.min(self.chars.len())];
            }
            _ => {}
        }
    }

    fn shown(&self) -> String {
        let text: String = self.chars.iter().collect();
        text.trim_end_matches(' ').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_are_gone_and_lines_end_as_in_files() {
        assert_eq!(
            plain(b"\x1b]0;title\x07\x1b[1;32mok\x1b[0m\r\nnext\x1b(B \x1bP$q\x1b\\x\r\n$ "),
            "ok\nnext x\n$"
        );
    }

    #[test]
    fn a_line_that_is_written_over_shows_what_it_showed_last() {
        assert_eq!(plain(b" 10%\r 50%\r100% done\r\n"), "100% done\n");
        assert_eq!(plain(b"a long line\r\x1b[Kshort\n"), "short\n");
        assert_eq!(plain(b"typo\x08\x08pe\n"), "type\n");
        assert_eq!(plain(b"abc\rx\n"), "xbc\n");
    }

    #[test]
    fn tabs_stay_and_other_controls_go() {
        assert_eq!(plain(b"a\tb\x07\x00\x0e\x7fc\n"), "a\tbc\n");
        assert_eq!(plain("evil\u{202e}txt\n".as_bytes()), "eviltxt\n");
        assert_eq!(plain(b"caf\xc3\xa9 \xff!"), "café \u{fffd}!");
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let mut text = Plain::new();
        let given: usize = (0..100).map(|_| text.feed(&[b'x'; 1000]).len()).sum();
        assert!(text.line.chars.len() <= LONGEST_LINE);
        assert_eq!(given + text.finish().len(), 100_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
        #[test]
        fn any_split_gives_the_same_text(
            pieces in prop::collection::vec(prop_oneof![
                Just("é\u{1f600}".as_bytes().to_vec()), Just(b"\x1b[2K\r".to_vec()), Just(b"\x1b]0;t\x07".to_vec()),
                prop::collection::vec(any::<u8>(), 0..8), Just(b"word\tword\r\n".to_vec()), Just(b"\x1b[31".to_vec()),
            ], 0..20),
            cut in 1usize..6,
        ) {
            let whole = pieces.concat();
            let mut text = Plain::new();
            let mut cut_up = String::new();
            for piece in whole.chunks(cut) {
                cut_up.push_str(&text.feed(piece));
            }
            cut_up.push_str(&text.finish());
            prop_assert_eq!(&cut_up, &plain(&whole));
            prop_assert!(cut_up.chars().all(|char| matches!(char, '\n' | '\t') || !char.is_control()));
        }
    }
}
