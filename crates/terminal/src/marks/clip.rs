//! Text of which head and tail are kept.

/// How much of each is kept, in bytes.
const HEAD: usize = 32 * 1024;
const TAIL: usize = 32 * 1024;

/// Text of any length in bounded memory.
#[derive(Debug, Default)]
pub(super) struct Clip {
    head: String,
    tail: String,
    left_out: usize,
}

impl Clip {
    pub(super) fn push(&mut self, text: &str) {
        let room = HEAD.saturating_sub(self.head.len());
        let (head, rest) = if self.tail.is_empty() && self.left_out == 0 {
            text.split_at(text.floor_char_boundary(room))
        } else {
            ("", text)
        };
        self.head.push_str(head);
        self.tail.push_str(rest);
        // Not with each piece: moving the text costs as much as it is long.
        if self.tail.len() > 2 * TAIL {
            let cut = self.tail.ceil_char_boundary(self.tail.len() - TAIL);
            self.tail.drain(..cut);
            self.left_out += cut;
        }
    }

    /// What is kept, with a word on what is not.
    pub(super) fn text(&self) -> String {
        let over = self.tail.len().saturating_sub(TAIL);
        let cut = self.tail.ceil_char_boundary(over);
        let left_out = self.left_out + cut;
        if left_out == 0 {
            return format!("{}{}", self.head, self.tail);
        }
        let tail = &self.tail[cut..];
        format!("{}\n[{left_out} bytes left out]\n{tail}", self.head)
    }
}
