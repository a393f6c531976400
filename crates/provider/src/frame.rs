//! Cuts a byte stream into whole events before the event-stream parser sees it.
//!
//! The parser panics on a leading byte-order mark, loses streams that end their lines with CR alone, keeps an endless
//! line in memory, and reads a long event again with every piece that arrives. So it is only ever given whole events,
//! of bounded size, whose lines end with LF.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use crate::Error;

/// No event of a provider comes near this; what does is a mistake or an attack.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// Whole events, one or more at a time; fails when nothing at all arrives for `idle`.
/// Bytes after the last whole event are dropped, as the standard has it.
pub(crate) fn whole_events(
    bytes: BoxStream<'static, Result<Bytes, Error>>,
    idle: Duration,
) -> impl Stream<Item = Result<Vec<u8>, Error>> + Send + 'static {
    stream::try_unfold(
        (bytes, Framer::default()),
        move |(mut bytes, mut framer)| async move {
            loop {
                let next = tokio::time::timeout(idle, bytes.next()).await;
                let Some(piece) = next.map_err(|_| Error::Silent(idle))? else {
                    return Ok(None);
                };
                if let Some(whole) = framer.push(&piece?)? {
                    return Ok(Some((whole, (bytes, framer))));
                }
            }
        },
    )
}

/// What of an event has arrived so far.
#[derive(Default)]
struct Framer {
    held: Vec<u8>,
    /// Where in `held` the event in progress begins.
    event: usize,
    /// Where in `held` the line in progress begins.
    line: usize,
    after_cr: bool,
    started: bool,
}

impl Framer {
    /// Takes a piece and gives back all events it completed.
    fn push(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        for &byte in piece {
            self.take(byte);
            if self.held.len() - self.event > LIMIT {
                return Err(Error::TooLarge(LIMIT));
            }
        }
        Ok(self.whole())
    }

    fn take(&mut self, byte: u8) {
        let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match byte {
            b'\n' if after_cr => {}
            b'\n' | b'\r' => self.end_line(),
            byte => self.held.push(byte),
        }
    }

    fn end_line(&mut self) {
        let empty = self.line == self.held.len();
        self.held.push(b'\n');
        self.line = self.held.len();
        if empty {
            self.event = self.held.len();
        }
    }

    fn whole(&mut self) -> Option<Vec<u8>> {
        if self.event == 0 {
            return None;
        }
        let rest = self.held.split_off(self.event);
        let mut whole = std::mem::replace(&mut self.held, rest);
        self.line -= self.event;
        self.event = 0;
        if !self.started {
            self.started = true;
            while whole.starts_with(MARK) {
                whole.drain(..MARK.len());
            }
        }
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn framed(input: &[u8], size: usize) -> Vec<u8> {
        let mut framer = Framer::default();
        let mut all = Vec::new();
        for piece in input.chunks(size) {
            all.extend(framer.push(piece).unwrap().unwrap_or_default());
        }
        all
    }

    #[test]
    fn line_ends_become_one_kind_however_they_are_cut() {
        for size in 1..12 {
            assert_eq!(
                framed(b"a: 1\r\n\r\nb: 2\r\rc: 3\n\nd", size),
                b"a: 1\n\nb: 2\n\nc: 3\n\n"
            );
        }
    }

    #[test]
    fn byte_order_marks_are_dropped_however_they_are_cut() {
        for size in 1..8 {
            assert_eq!(
                framed("\u{feff}\u{feff}a: \u{feff}\n\n".as_bytes(), size),
                "a: \u{feff}\n\n".as_bytes()
            );
        }
    }

    #[test]
    fn an_event_that_never_ends_is_refused() {
        let mut framer = Framer::default();
        let line = vec![b'a'; LIMIT / 2];

        assert_eq!(framer.push(&line), Ok(None));
        assert_eq!(framer.push(b"\n"), Ok(None));
        assert_eq!(framer.push(&line), Err(Error::TooLarge(LIMIT)));
    }

    #[test]
    fn many_small_events_are_not_a_large_one() {
        let mut framer = Framer::default();
        let events = b"data: 12345\n\n".repeat(LIMIT / 10);

        assert_eq!(
            framer.push(&events).unwrap().map(|whole| whole.len()),
            Some(events.len())
        );
    }
}
