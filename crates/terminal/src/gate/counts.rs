//! Brings the numbers in control sequences down to what a screen can use.

use crate::scan::belongs;
use std::iter;

/// The largest number anywhere but in a count.
const LARGEST: u32 = 65_535;
/// Final bytes of the sequences whose cost grows with their parameter, `DECIC` and `DECDC` among them.
const REPEATING: &[u8] = b"@ILMPSTXZb^}~";

/// The sequence with sane numbers, if it has others; `side` is the most that a count may be.
pub(super) fn clamped(sequence: &[u8], side: u32) -> Option<Vec<u8>> {
    let repeats = sequence.last().is_some_and(|last| REPEATING.contains(last));
    let limit = if repeats { side } else { LARGEST };
    let large = numbers(sequence).any(|number| number > limit);
    large.then(|| rewritten(sequence, limit))
}

/// The numbers in a sequence. Controls between digits do not end a number, as in every terminal.
fn numbers(sequence: &[u8]) -> impl Iterator<Item = u32> {
    let mut bytes = sequence.iter().copied().filter(|byte| belongs(*byte));
    iter::from_fn(move || {
        let first = bytes.by_ref().find(u8::is_ascii_digit)?;
        let digits = bytes.by_ref().take_while(u8::is_ascii_digit);
        Some(digits.fold(value(0, first), value))
    })
}

fn rewritten(sequence: &[u8], limit: u32) -> Vec<u8> {
    let mut number = None;
    let mut out: Vec<u8> = sequence.first().copied().into_iter().collect();
    let body = sequence.iter().copied().skip(1);
    for byte in body.filter(|byte| belongs(*byte)) {
        if byte.is_ascii_digit() {
            number = Some(value(number.unwrap_or(0), byte));
            continue;
        }
        if let Some(number) = number.take() {
            out.extend_from_slice(number.min(limit).to_string().as_bytes());
        }
        out.push(byte);
    }
    out
}

fn value(number: u32, digit: u8) -> u32 {
    number
        .saturating_mul(10)
        .saturating_add(u32::from(digit - b'0'))
}
