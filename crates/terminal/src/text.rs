//! What is to be known of single characters.

/// Characters from bytes that come in pieces.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a character whose end has not come yet.
    tail: Vec<u8>,
}

impl Decoder {
    /// The characters of the next piece. What is no UTF-8 becomes U+FFFD; a character without its end waits for it.
    pub fn feed(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.tail);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let error = std::str::from_utf8(invalid).err();
            let unfinished = error.is_some_and(|error| error.error_len().is_none());
            if chunks.peek().is_none() && unfinished {
                self.tail = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text
    }

    /// The end of a character will not come: what stands for it, if one was begun.
    pub fn break_off(&mut self) -> Option<char> {
        let begun = !std::mem::take(&mut self.tail).is_empty();
        begun.then_some(char::REPLACEMENT_CHARACTER)
    }
}

/// Characters that make a reader see another order than was written.
pub(crate) fn turns_text(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
