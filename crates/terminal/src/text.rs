//! What is to be known of single characters.

/// Characters that make a reader see another order than was written.
pub(crate) fn turns_text(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
