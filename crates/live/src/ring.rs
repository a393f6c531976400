//! The newest frames of a session, kept so that who comes back after a moment gets just what they missed.

use crate::Shown;
use duplex_domain::Seq;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many frames are kept.
const MOST_FRAMES: usize = 4_096;
/// How many bytes are kept, about.
const MOST_BYTES: usize = 1024 * 1024;

/// The newest frames: all of them after `base`.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    base: Seq,
    frames: VecDeque<Arc<Shown>>,
    bytes: usize,
}

impl Ring {
    /// An empty ring: the next frame is the first after `base`.
    pub fn new(base: Seq) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    pub fn push(&mut self, shown: Arc<Shown>) {
        self.bytes += shown.weight();
        self.frames.push_back(shown);
        while self.frames.len() > MOST_FRAMES || self.bytes > MOST_BYTES {
            let Some(oldest) = self.frames.pop_front() else {
                return;
            };
            self.bytes -= oldest.weight();
            self.base = oldest.seq;
        }
    }

    /// The frames after one that a reader has, if all of them are here.
    ///
    /// A reader may have the events of its newest frame without all terminal output of it, since those travel as
    /// several messages; so that output comes first once more, and the reader skips by offset what it has.
    pub fn after(&self, seen: Seq) -> Option<Vec<Arc<Shown>>> {
        let from = self
            .frames
            .binary_search_by_key(&seen, |shown| shown.seq)
            .ok()?;
        let again = Arc::new(self.frames.get(from)?.output_only());
        Some(
            std::iter::once(again)
                .chain(self.frames.range(from + 1..).cloned())
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use bytes::Bytes;

    fn shown(seq: u64, size: usize) -> Arc<Shown> {
        let json = Some(Bytes::from(vec![b'x'; size]));
        Arc::new(Shown {
            seq: Seq(seq),
            json,
            output: vec![Bytes::from(seq.to_string())],
        })
    }

    fn ring(seqs: impl IntoIterator<Item = u64>, size: usize) -> Ring {
        let mut ring = Ring::new(Seq(1));
        seqs.into_iter().for_each(|seq| ring.push(shown(seq, size)));
        ring
    }

    #[test]
    fn who_comes_back_gets_what_they_missed() {
        let ring = ring([3, 5, 9], 10);
        let again = Arc::new(shown(5, 10).output_only());
        assert_eq!(ring.after(Seq(5)), Some(vec![again, shown(9, 10)]));
        assert_eq!(ring.after(Seq(9)).unwrap().len(), 1);
    }

    #[test]
    fn a_frame_that_is_not_here_says_nothing() {
        let ring = ring([3, 5, 9], 10);
        assert_eq!(ring.after(Seq(1)), None);
        assert_eq!(ring.after(Seq(4)), None);
        assert_eq!(ring.after(Seq(10)), None);
    }

    #[test]
    fn old_frames_go_when_there_are_too_many_or_too_large() {
        let many = ring(2..6_000, 1);
        assert_eq!(
            (many.frames.len(), many.base),
            (MOST_FRAMES, Seq(5_999 - 4_096))
        );
        let large = ring(2..6, MOST_BYTES / 2);
        assert_eq!((large.frames.len(), large.base), (1, Seq(4)));
        assert_eq!(ring(2..3, MOST_BYTES * 2).frames.len(), 0);
    }
}
