//! Takes secrets out of terminal output before anything keeps or shows it.

mod patterns;
mod values;

use patterns::Patterns;
use values::Values;

/// What stands for a secret. Not as many stars as it had characters: its length is nobody's business either.
const REDACTED: &[u8] = b"[redacted]";
/// A value shorter than this is no secret that could be told from other text.
const SHORTEST: usize = 6;

/// A place in output, behind which secrets are `[redacted]`: values that are known, and what looks like a token or
/// a private key.
///
/// Any split of the output gives the same bytes. What may be the beginning of a secret is held back: of known values
/// at most the longest without its last byte, of tokens at most 80 bytes. So that the echo of a typed letter does not
/// wait for the next, [`release`](Self::release) gives it out when the output rests.
///
/// It stands before the [`Gate`](crate::Gate), so that nothing it puts in can become part of a sequence unseen.
#[derive(Debug)]
pub struct Scrubber {
    values: Values,
    patterns: Patterns,
}

impl Scrubber {
    /// A scrubber that knows these secrets. Those shorter than 6 bytes are passed over. A line break in one is also found
    /// as terminals print it.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long = |secret: &&str| secret.len() >= SHORTEST;
        let secrets: Vec<&str> = secrets.into_iter().filter(long).collect();
        let breaks = |secret: &&str| secret.contains('\n') && !secret.contains('\r');
        let printed: Vec<String> = secrets
            .iter()
            .copied()
            .filter(breaks)
            .map(|secret| secret.replace('\n', "\r\n"))
            .collect();
        let all = secrets
            .into_iter()
            .chain(printed.iter().map(String::as_str));
        Self {
            values: Values::new(all.map(str::as_bytes)),
            patterns: Patterns::new(),
        }
    }

    /// What may be shown and kept of the next piece of output.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut known = Vec::with_capacity(bytes.len());
        self.values.feed(bytes, &mut known);
        let mut out = Vec::with_capacity(known.len());
        self.patterns.feed(&known, &mut out);
        out
    }

    /// Gives out what is held back, if it is no more than `most` bytes; to be called when no more output is at hand. With
    /// 3, at once, the echo of typed letters never waits; with all, after some 20 ms, a prompt that looks like
    /// the beginning of a secret. Of a known value that goes on nevertheless, only the rest is redacted.
    pub fn release(&mut self, most: usize) -> Vec<u8> {
        let mut out = Vec::new();
        if self.held() <= most {
            let mut known = Vec::new();
            self.values.release(&mut known);
            self.patterns.feed(&known, &mut out);
            self.patterns.release(&mut out);
        }
        out
    }

    /// What is held back when the output ends.
    pub fn finish(&mut self) -> Vec<u8> {
        self.release(usize::MAX)
    }

    /// How many bytes are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.values.held() + self.patterns.held()
    }
}
