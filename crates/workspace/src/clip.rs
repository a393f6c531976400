//! Long text made short enough for a model: its head, its tail, and a line that says what is missing.

use std::collections::VecDeque;

/// A model is shown at most this many lines of one result.
pub(crate) const MAX_LINES: usize = 2000;
/// A model is shown at most this many bytes of one result.
pub(crate) const MAX_BYTES: usize = 50 * 1024;

/// What the marker advises where the full text is not kept.
const NARROW: &str = "narrow the command down to see them";

/// Room for the marker, and for a line the caller adds.
const MARKER_BYTES: usize = 200;
const HALF_LINES: usize = MAX_LINES / 2 - 2;
const HALF_BYTES: usize = MAX_BYTES / 2 - MARKER_BYTES;

/// The first and last bytes of an output of any length, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: usize,
    lines: usize,
}

impl Kept {
    /// Takes the next bytes of the output.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.lines += newlines(bytes);
        let (head, rest) = bytes.split_at(bytes.len().min(HALF_BYTES - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail
            .extend(&rest[rest.len().saturating_sub(HALF_BYTES)..]);
        self.tail
            .drain(..self.tail.len().saturating_sub(HALF_BYTES));
    }

    /// What a model reads of it; bytes that are not UTF-8 become replacement characters.
    pub(crate) fn text(&self) -> Shown {
        self.text_with(NARROW)
    }

    /// Like [`Self::text`], with an advice where to find what was cut.
    pub(crate) fn text_with(&self, advice: &str) -> Shown {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.head.len() + tail.len() == self.bytes {
            let whole = [self.head.as_slice(), &tail].concat();
            return clip_with(&String::from_utf8_lossy(&whole), advice);
        }
        let head = String::from_utf8_lossy(whole_end(&self.head));
        let tail = String::from_utf8_lossy(whole_start(&tail));
        Shown {
            text: joined(&head, &tail, (self.bytes, self.lines), advice),
            cut: true,
        }
    }
}

/// A text as a model reads it.
pub(crate) struct Shown {
    pub text: String,
    /// Whether some of it is missing.
    pub cut: bool,
}

/// The text itself if it is short enough, else its head and tail.
pub(crate) fn clip(text: &str) -> String {
    clip_with(text, NARROW).text
}

pub(crate) fn clip_with(text: &str, advice: &str) -> Shown {
    let lines = newlines(text.as_bytes());
    let cut = text.len() > MAX_BYTES - MARKER_BYTES || lines >= MAX_LINES - 2;
    let text = if cut {
        joined(text, text, (text.len(), lines), advice)
    } else {
        text.to_owned()
    };
    Shown { text, cut }
}

fn joined(head: &str, tail: &str, (bytes, lines): (usize, usize), advice: &str) -> String {
    let (head, tail) = (first(head), last(tail));
    let bytes = bytes.saturating_sub(head.len() + tail.len());
    let lines = lines.saturating_sub(newlines(head.as_bytes()) + newlines(tail.as_bytes()));
    let gap = if head.ends_with('\n') { "" } else { "\n" };
    format!("{head}{gap}[... {lines} lines, {bytes} bytes cut here: {advice} ...]\n{tail}")
}

/// As many whole lines from the start as may be shown; part of a line if even one is too long.
fn first(text: &str) -> &str {
    let end = nth_newline(text.bytes(), HALF_LINES).map_or(text.len(), |at| at + 1);
    if end <= HALF_BYTES {
        return &text[..end];
    }
    let cut = &text[..text.floor_char_boundary(HALF_BYTES)];
    cut.rfind('\n').map_or(cut, |at| &cut[..=at])
}

fn last(text: &str) -> &str {
    let lines = nth_newline(text.bytes().rev(), HALF_LINES + 1).unwrap_or(text.len());
    if lines <= HALF_BYTES {
        return &text[text.len() - lines..];
    }
    let cut = &text[text.ceil_char_boundary(text.len() - HALF_BYTES)..];
    let body = cut.strip_suffix('\n').unwrap_or(cut);
    body.find('\n').map_or(cut, |at| &cut[at + 1..])
}

fn nth_newline(bytes: impl Iterator<Item = u8>, n: usize) -> Option<usize> {
    bytes
        .enumerate()
        .filter(|(_, byte)| *byte == b'\n')
        .map(|(at, _)| at)
        .nth(n - 1)
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// Without the character that the cut fell into.
fn whole_end(bytes: &[u8]) -> &[u8] {
    let start = (1..=bytes.len().min(3))
        .map(|back| bytes.len() - back)
        .find(|at| bytes[*at] >= 0xC0);
    match start {
        Some(at) if std::str::from_utf8(&bytes[at..]).is_err() => &bytes[..at],
        _ => bytes,
    }
}

fn whole_start(bytes: &[u8]) -> &[u8] {
    let rest = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xC0 == 0x80)
        .count();
    &bytes[rest..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: &[u8], step: usize) -> String {
        let mut kept = Kept::default();
        bytes.chunks(step).for_each(|chunk| kept.push(chunk));
        kept.text().text
    }

    #[test]
    fn short_output_is_shown_as_it_is() {
        assert_eq!(kept("zwölf\nüber\n".as_bytes(), 1), "zwölf\nüber\n");
    }

    #[test]
    fn long_output_keeps_whole_lines_of_head_and_tail() {
        use std::fmt::Write as _;
        let mut all = String::new();
        for n in 0..1_000_000 {
            writeln!(all, "{n}").unwrap_or_default();
        }
        let text = kept(all.as_bytes(), 1000);
        let lines: Vec<&str> = text.lines().collect();

        assert!(text.len() <= MAX_BYTES && lines.len() <= MAX_LINES);
        assert_eq!(&lines[..2], ["0", "1"]);
        assert_eq!(
            lines[HALF_LINES],
            format!(
                "[... {} lines, {} bytes cut here: narrow the command down to see them ...]",
                1_000_000 - 2 * HALF_LINES,
                all.len()
                    - lines[..HALF_LINES].join("\n").len()
                    - lines[HALF_LINES + 1..].join("\n").len()
                    - 2,
            )
        );
        assert_eq!(lines[lines.len() - 2..], ["999998", "999999"]);
    }

    #[test]
    fn one_endless_line_of_long_characters_is_cut_between_characters() {
        let text = kept("猫".repeat(100_000).as_bytes(), 7);

        assert!(text.len() <= MAX_BYTES);
        assert!(!text.contains('\u{FFFD}'), "cut inside a character");
        assert!(text.starts_with('猫') && text.ends_with('猫'));
    }

    #[test]
    fn bytes_that_are_no_text_stay_within_the_limit() {
        assert!(kept(&vec![0xFF; 300_000], 4096).len() <= MAX_BYTES);
    }
}
