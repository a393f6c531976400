//! Keys on their way to terminals: in order, a paste in pieces, and never late.

use duplex_domain::{SessionId, TerminalId};
use std::collections::VecDeque;

/// The most bytes that are under way: a paste goes piece by piece, each after the last one's answer.
pub const PIECE: usize = 32 * 1024;
/// The most commands that are under way; the server lets 64 of a page wait.
const AT_ONCE: usize = 32;

/// A piece of what was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The session.
    pub session: SessionId,
    /// Its terminal.
    pub terminal: TerminalId,
    /// The keys' bytes.
    pub bytes: Vec<u8>,
}

/// Keys that were typed and not yet answered for.
#[derive(Default)]
pub struct Keys {
    waiting: VecDeque<Piece>,
    /// Commands under way, and how many bytes each has.
    sent: Vec<(String, usize)>,
}

impl Keys {
    /// Takes what was typed.
    pub fn push(&mut self, session: SessionId, terminal: TerminalId, keys: &[u8]) {
        let pieces = keys.chunks(PIECE).map(|bytes| Piece {
            session,
            terminal,
            bytes: bytes.to_vec(),
        });
        self.waiting.extend(pieces);
    }

    /// The piece to be sent now, as the command with this id.
    pub fn send(&mut self, id: &str) -> Option<Piece> {
        let under_way: usize = self.sent.iter().map(|(_, bytes)| bytes).sum();
        let next = self.waiting.front()?.bytes.len();
        if self.sent.len() >= AT_ONCE || (under_way > 0 && under_way + next > PIECE) {
            return None;
        }
        self.sent.push((id.to_owned(), next));
        self.waiting.pop_front()
    }

    /// A command was answered. False if it is none of ours.
    pub fn answered(&mut self, id: &str) -> bool {
        let before = self.sent.len();
        self.sent.retain(|(sent, _)| sent != id);
        self.sent.len() < before
    }

    /// Forgets what was not sent: what could not be typed now must not be typed later. Answers how many bytes.
    pub fn stop(&mut self) -> usize {
        let left = self.waiting.drain(..).map(|piece| piece.bytes.len());
        left.sum()
    }

    /// The connection is gone, and with it what was under way.
    pub fn disconnected(&mut self) -> usize {
        self.sent.clear();
        self.stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Keys {
        let mut all = Keys::default();
        all.push(SessionId::default(), TerminalId::default(), keys);
        all
    }

    #[test]
    fn a_paste_goes_piece_by_piece_and_whole() {
        let paste: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut keys = typed(&paste);
        let mut arrived = Vec::new();
        while let Some(piece) = keys.send("a") {
            assert_eq!(keys.send("b"), None, "one piece is under way");
            arrived.extend(piece.bytes);
            assert!(keys.answered("a"));
        }
        assert_eq!(arrived, paste);
    }

    #[test]
    fn single_keys_do_not_wait_for_each_other() {
        let mut keys = typed(b"l");
        keys.push(SessionId::default(), TerminalId::default(), b"s");
        assert_eq!(keys.send("a").map(|piece| piece.bytes), Some(b"l".to_vec()));
        assert_eq!(keys.send("b").map(|piece| piece.bytes), Some(b"s".to_vec()));
    }

    #[test]
    fn what_was_not_sent_is_not_typed_later() {
        let mut keys = typed(&vec![b'x'; 2 * PIECE]);
        assert!(keys.send("a").is_some());
        assert_eq!(keys.disconnected(), PIECE);
        assert_eq!(keys.send("b"), None);
        assert!(!keys.answered("a"));
    }
}
