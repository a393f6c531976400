//! Takes out of terminal output what would hang or fill the one who shows it.
//!
//! xterm.js counts down from a sequence's parameter without a limit, so `CSI 2147483647 L` freezes a browser tab
//! for hours, and, once stored, freezes the tab of everybody who joins later. The gate stands before the screen
//! and before the log.

use crate::scan::{CAN, LEAD, Scanner, Token, belongs, controls};
use std::iter;

/// The largest count for sequences that repeat, insert, delete, scroll or tab.
const MOST_REPEATS: u32 = 1_000;
/// The largest number anywhere else in a sequence.
const LARGEST: u32 = 65_535;
/// How much of a string (OSC, DCS, APC, PM, SOS) is let through, in bytes.
const LONGEST_STRING: usize = 64 * 1024;
/// Final bytes of the sequences whose cost grows with their parameter, `DECIC` and `DECDC` among them.
const REPEATING: &[u8] = b"@ILMPSTXZb^}~";

/// A place in terminal output, behind which everything is safe to show.
///
/// Any split of the output gives the same bytes, and gating twice changes nothing. Well-formed sequences with
/// sane numbers pass unchanged; an unfinished one (at most 256 bytes) is held back until it is complete, and one
/// that something breaks into, which no terminal obeys, becomes a `CAN`.
#[derive(Debug, Default)]
pub struct Gate {
    scanner: Scanner,
    /// Bytes seen of the string that is open.
    string: usize,
}

impl Gate {
    /// A gate at the beginning of a terminal's output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What may be shown and kept of the next piece of output.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let string = &mut self.string;
        self.scanner
            .feed(bytes, |token, _| pass(&token, string, &mut out));
        out
    }

    /// What may be shown of a sequence that the end of the output cut off. The gate is as new afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        self.string = 0;
        let held = self.scanner.finish();
        match held.as_slice() {
            [] | [LEAD] => held,
            _ => given_up(&held).collect(),
        }
    }
}

fn pass(token: &Token<'_>, string: &mut usize, out: &mut Vec<u8>) {
    match token {
        Token::Text(bytes) | Token::Escape(bytes) => out.extend_from_slice(bytes),
        Token::Opener(bytes) => {
            *string = 0;
            out.extend_from_slice(bytes);
        }
        Token::Payload(bytes) => {
            let room = LONGEST_STRING.saturating_sub(*string);
            *string = string.saturating_add(bytes.len());
            out.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Token::Csi(bytes) => clamp(bytes, out),
        Token::Broken(bytes) => out.extend(given_up(bytes)),
    }
}

/// `CAN` leaves every terminal in the state the gate is in, whatever it made of the broken sequence. It comes
/// first, or the controls would go into a string that the sequence broke into.
fn given_up(sequence: &[u8]) -> impl Iterator<Item = u8> {
    iter::once(CAN).chain(controls(sequence))
}

fn clamp(sequence: &[u8], out: &mut Vec<u8>) {
    let repeats = sequence.last().is_some_and(|last| REPEATING.contains(last));
    let limit = if repeats { MOST_REPEATS } else { LARGEST };
    if numbers(sequence).all(|number| number <= limit) {
        out.extend_from_slice(sequence);
        return;
    }
    if controls(sequence).next().is_some() {
        out.extend(given_up(sequence));
    }
    rewrite(sequence, limit, out);
}

/// The numbers in a sequence. Controls between digits do not end a number, as in every terminal.
fn numbers(sequence: &[u8]) -> impl Iterator<Item = u32> {
    let mut bytes = sequence.iter().copied().filter(|byte| belongs(*byte));
    iter::from_fn(move || {
        let first = bytes.by_ref().find(u8::is_ascii_digit)?;
        Some(
            bytes
                .by_ref()
                .take_while(u8::is_ascii_digit)
                .fold(value(0, first), value),
        )
    })
}

fn rewrite(sequence: &[u8], limit: u32, out: &mut Vec<u8>) {
    let mut number = None;
    out.extend(sequence.first());
    for byte in sequence
        .iter()
        .copied()
        .skip(1)
        .filter(|byte| belongs(*byte))
    {
        if byte.is_ascii_digit() {
            number = Some(value(number.unwrap_or(0), byte));
            continue;
        }
        if let Some(number) = number.take() {
            out.extend_from_slice(number.min(limit).to_string().as_bytes());
        }
        out.push(byte);
    }
}

fn value(number: u32, digit: u8) -> u32 {
    number
        .saturating_mul(10)
        .saturating_add(u32::from(digit - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gated(bytes: &[u8]) -> Vec<u8> {
        let mut gate = Gate::new();
        let mut out = gate.feed(bytes);
        out.extend(gate.finish());
        out
    }

    #[test]
    fn counts_that_hang_a_browser_are_clamped() {
        for last in *b"LMSTbIZ@PX" {
            let hostile = [b"\x1b[2147483647".as_slice(), &[last]].concat();
            assert_eq!(gated(&hostile), [b"\x1b[1000".as_slice(), &[last]].concat());
        }
        assert_eq!(gated(b"\x1b[70000;3H"), b"\x1b[65535;3H");
        assert_eq!(gated(b"a\xc2\x9b9999999Lb"), b"a\xc2\x9b1000Lb");
    }

    #[test]
    fn controls_and_bad_bytes_do_not_hide_a_count() {
        assert_eq!(gated(b"\x1b[21474\n83647L"), b"\x18\n\x1b[1000L");
        assert_eq!(gated(b"\x1b\n[21474\x7f83647L"), b"\x18\n\x1b[1000L");
        assert_eq!(gated(b"\x1b[21474\xff83647L"), b"\x18\xff83647L");
        assert_eq!(gated(b"\x1b\x80[2147483647L"), b"\x18\x80[2147483647L");
        assert_eq!(gated(b"\x1b[2147483647\x1b\x80L"), b"\x18\x18\x80L");
        assert_eq!(gated(b"\x1b]0;t\x1b[2147483647L"), b"\x1b]0;t\x1b[1000L");
    }

    #[test]
    fn ordinary_output_passes_unchanged() {
        let ordinary = "\x1b[38;2;255;128;0mfür\u{a0}é\x1b[0m\x1b[1;1000r\x1b[?2004h\x1b]0;title\x07\x1b(B\
                        \x1bPq#0\x1b\\\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\\u{85}\x1b[5\n;3H\x1b[999L";
        assert_eq!(gated(ordinary.as_bytes()), ordinary.as_bytes());
    }

    #[test]
    fn strings_and_sequences_without_end_are_cut() {
        let long = [b"\x1b]0;".as_slice(), &vec![b'x'; 200_000], b"\x07after"].concat();
        let cut = gated(&long);
        assert_eq!(cut.len(), 2 + LONGEST_STRING + 6);
        assert!(cut.ends_with(b"x\x07after"));

        // Cut within a character.
        let long = [
            b"\x1bP".as_slice(),
            &vec![b'x'; LONGEST_STRING - 1],
            "é".as_bytes(),
        ]
        .concat();
        assert!(gated(&long) == long[..long.len() - 1] && gated(&gated(&long)) == gated(&long));

        let long = [b"a\x1b[".as_slice(), &[b'1'; 10_000], b"mb"].concat();
        assert_eq!(gated(&long), b"a\x18b");
        assert_eq!(gated(b"a\x1b[12"), b"a\x18");
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\x1b".to_vec()),
            Just(b"\x1b[".to_vec()),
            Just(b"\xc2".to_vec()),
            Just(b"\xc2\x9b".to_vec()),
            Just(b"\xc2\x9c".to_vec()),
            Just(b"\x1b]".to_vec()),
            Just(b"\x1bP".to_vec()),
            Just(b"\x1b\\".to_vec()),
            Just(b"\x07".to_vec()),
            Just(b"\x18".to_vec()),
            Just(vec![b'7'; 260]),
            Just(vec![b'y'; 70_000]),
            "[0-9;:?>LMSTbZHm $]{1,12}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 1..6),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn any_split_gives_the_same_output(bytes in pieces(), cuts in prop::collection::vec(1usize..9, 1..20)) {
            let mut gate = Gate::new();
            let (mut out, mut rest) = (Vec::new(), bytes.as_slice());
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                out.extend(gate.feed(now));
                rest = later;
            }
            out.extend(gate.feed(rest));
            out.extend(gate.finish());
            prop_assert!(out == gated(&bytes), "{} bytes of {}", out.len(), bytes.len());
        }

        #[test]
        fn gating_twice_changes_nothing(bytes in pieces()) {
            let once = gated(&bytes);
            let twice = gated(&once);
            let differs = once.iter().zip(&twice).position(|(a, b)| a != b);
            prop_assert!(once == twice, "at {differs:?} of {} and {}", once.len(), twice.len());
        }
    }
}
