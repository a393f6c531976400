//! The words the double says, so that a reader can compare every byte.

use std::time::{SystemTime, UNIX_EPOCH};

const WORDS: [&str; 6] = ["é", "漢字", "🦀", "ñandú", "Ω", "👩‍🔬"];

/// The text of `[[say n]]`: `tok0 tok1 tok2 …`.
#[must_use]
pub fn expected_text(tokens: u64) -> String {
    (0..tokens).map(token).collect()
}

/// The text of `[[say-utf8 n]]`: words of several bytes a letter.
#[must_use]
pub fn expected_utf8(tokens: u64) -> String {
    (0..tokens).map(utf8_token).collect()
}

/// The thinking of `[[think n]]`: `thought0 thought1 …`.
#[must_use]
pub fn expected_thought(tokens: u64) -> String {
    (0..tokens).map(thought).collect()
}

/// When the tokens of a `[[clock n]]` were sent, in nanoseconds since 1970 UTC; none where the text is anything else
/// or its last token is not whole.
#[must_use]
pub fn clock_times(text: &str) -> Option<Vec<u64>> {
    let whole = text.strip_suffix(' ').or(text.is_empty().then_some(""))?;
    let tokens = whole.split(' ').filter(|_| !text.is_empty());
    tokens
        .map(|token| token.strip_prefix('t')?.parse().ok())
        .collect()
}

/// The signature of a thinking text; the double takes no other one back.
#[must_use]
pub fn signature(thinking: &str) -> String {
    format!("sig{:016x}", hash(thinking.as_bytes()))
}

pub(crate) fn token(number: u64) -> String {
    numbered("tok", number)
}

pub(crate) fn thought(number: u64) -> String {
    numbered("thought", number)
}

pub(crate) fn utf8_token(number: u64) -> String {
    let word = usize::try_from(number % WORDS.len() as u64).map_or("", |place| WORDS[place]);
    format!("{word}{number} ")
}

/// A token of `[[clock n]]`, as it is sent now.
pub(crate) fn clock_token() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    format!("t{nanoseconds} ")
}

fn numbered(word: &str, number: u64) -> String {
    let space = if number == 0 { "" } else { " " };
    format!("{space}{word}{number}")
}

/// FNV-1a, 64 bits: the same in every build and on every machine, unlike the standard library's.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_read_as_it_is_said() {
        let token = clock_token();
        let times = clock_times(&token.repeat(2)).map(|times| times.len());

        assert_eq!(times, Some(2));
        assert_eq!(
            clock_times("t1700000000000000000 t17 "),
            Some(vec![1_700_000_000_000_000_000, 17])
        );
        assert_eq!(clock_times(""), Some(vec![]));
        assert_eq!(clock_times("t17 t1"), None);
        assert_eq!(clock_times("tok1 "), None);
    }

    #[test]
    fn texts_are_what_the_help_says() {
        assert_eq!(expected_text(3), "tok0 tok1 tok2");
        assert_eq!(expected_thought(2), "thought0 thought1");
        assert_eq!(expected_utf8(2), "é0 漢字1 ");
    }
}
