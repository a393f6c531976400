//! Terminal output on the socket: a fixed head, then the bytes as they came.

use duplex_domain::{Seq, SessionId, Size, TerminalId};

/// What the bytes of a [`Screenful`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScreenfulKind {
    /// Output, to be written after what came before.
    Output,
    /// A whole screen: reset the terminal, then write this.
    Screen,
    /// The terminal has another size from here on: columns and rows, each of two bytes, big-endian.
    Size,
}

/// One terminal's bytes.
///
/// Layout: kind (1 = output, 2 = screen, 3 = size), session (16 bytes), terminal (16), sequence (8, big-endian), offset (8,
/// big-endian: how many bytes of output the terminal had put out before these, or before a screen was taken).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screenful<'a> {
    /// What the bytes are.
    pub kind: ScreenfulKind,
    /// Which session.
    pub session: SessionId,
    /// Which terminal.
    pub terminal: TerminalId,
    /// The frame that carried them.
    pub seq: Seq,
    /// How many bytes came before.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// The bytes are not a screenful.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScreenfulError {
    /// Shorter than the head.
    #[error("a terminal frame is cut short")]
    Cut,
    /// A kind this program does not know.
    #[error("a terminal frame is of the unknown kind {0}")]
    Kind(u8),
}

impl<'a> Screenful<'a> {
    /// Bytes of the head: kind, session, terminal, sequence, offset.
    pub const HEAD: usize = 1 + 16 + 16 + 8 + 8;

    /// The frame's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(Self::HEAD + self.bytes.len());
        frame.push(match self.kind {
            ScreenfulKind::Output => 1,
            ScreenfulKind::Screen => 2,
            ScreenfulKind::Size => 3,
        });
        frame.extend_from_slice(self.session.0.as_bytes());
        frame.extend_from_slice(self.terminal.0.as_bytes());
        frame.extend_from_slice(&self.seq.0.to_be_bytes());
        frame.extend_from_slice(&self.offset.to_be_bytes());
        frame.extend_from_slice(self.bytes);
        frame
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// When it is no terminal frame.
    pub fn decode(frame: &'a [u8]) -> Result<Self, ScreenfulError> {
        let (kind, rest) = take::<1>(frame)?;
        let (session, rest) = take::<16>(rest)?;
        let (terminal, rest) = take::<16>(rest)?;
        let (seq, rest) = take::<8>(rest)?;
        let (offset, bytes) = take::<8>(rest)?;
        let kind = match kind {
            [1] => ScreenfulKind::Output,
            [2] => ScreenfulKind::Screen,
            [3] => ScreenfulKind::Size,
            [other] => return Err(ScreenfulError::Kind(other)),
        };
        Ok(Self {
            kind,
            session: SessionId(uuid::Uuid::from_bytes(session)),
            terminal: TerminalId(uuid::Uuid::from_bytes(terminal)),
            seq: Seq(u64::from_be_bytes(seq)),
            offset: u64::from_be_bytes(offset),
            bytes,
        })
    }
}

/// The bytes of a [`ScreenfulKind::Size`].
#[must_use]
pub fn size_bytes(size: Size) -> [u8; 4] {
    let ([a, b], [c, d]) = (size.cols.to_be_bytes(), size.rows.to_be_bytes());
    [a, b, c, d]
}

/// The size in the bytes of a [`ScreenfulKind::Size`]; none if they are no size.
#[must_use]
pub fn size_of(bytes: &[u8]) -> Option<Size> {
    let [a, b, c, d] = *<&[u8; 4]>::try_from(bytes).ok()?;
    Some(Size {
        cols: u16::from_be_bytes([a, b]),
        rows: u16::from_be_bytes([c, d]),
    })
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), ScreenfulError> {
    let (head, rest) = bytes.split_first_chunk::<N>().ok_or(ScreenfulError::Cut)?;
    Ok((*head, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_screenful_comes_back_as_it_went() {
        let screenful = Screenful {
            kind: ScreenfulKind::Screen,
            session: SessionId(uuid::Uuid::from_u128(7)),
            terminal: TerminalId(uuid::Uuid::from_u128(9)),
            seq: Seq(u64::MAX - 1),
            offset: 1 << 40,
            bytes: b"\x1b[31mred\xff\0",
        };

        let frame = screenful.encode();

        assert_eq!(Screenful::decode(&frame), Ok(screenful));
        assert_eq!(Screenful::decode(&frame[..48]), Err(ScreenfulError::Cut));
        let size = Size {
            cols: 300,
            rows: 24,
        };
        assert_eq!(size_of(&size_bytes(size)), Some(size));
        assert_eq!(size_of(&[1, 2, 3]), None);
        assert_eq!(Screenful::decode(&[0; 60]), Err(ScreenfulError::Kind(0)));
    }
}
