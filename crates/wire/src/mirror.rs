//! How a reader follows a terminal: whether its bytes follow those before them.

use crate::{Screenful, ScreenfulKind, size_of};
use duplex_domain::Size;

/// How many bytes of a terminal are on the screen; nothing before its first screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown(Option<u64>);

/// What to do with a terminal's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reset the terminal, then write all of it.
    Draw,
    /// Write it, without as many bytes of its beginning as are shown already.
    Write(usize),
    /// Give the terminal this size.
    Resize(Size),
    /// All of it is shown already.
    Skip,
    /// Something between is missing: a new screen is needed.
    Gap,
}

impl Shown {
    /// How many bytes are shown.
    #[must_use]
    pub fn offset(self) -> u64 {
        self.0.unwrap_or_default()
    }

    /// Takes in a frame.
    pub fn take(&mut self, frame: &Screenful<'_>) -> Step {
        let end = frame.offset + frame.bytes.len() as u64;
        match (frame.kind, self.0) {
            (ScreenfulKind::Screen, _) => {
                self.0 = Some(frame.offset);
                Step::Draw
            }
            // A size that came before the screen is in the screen already.
            (ScreenfulKind::Size, Some(shown)) if frame.offset < shown => Step::Skip,
            (ScreenfulKind::Size, _) => size_of(frame.bytes).map_or(Step::Skip, Step::Resize),
            (ScreenfulKind::Output, None) if frame.offset == 0 => self.write(end, 0),
            (ScreenfulKind::Output, Some(shown)) if end <= shown => Step::Skip,
            (ScreenfulKind::Output, Some(shown)) if frame.offset <= shown => {
                self.write(end, shown - frame.offset)
            }
            (ScreenfulKind::Output, _) => Step::Gap,
        }
    }

    fn write(&mut self, end: u64, without: u64) -> Step {
        self.0 = Some(end);
        Step::Write(usize::try_from(without).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::{Seq, SessionId, TerminalId};

    fn frame(kind: ScreenfulKind, offset: u64, bytes: &[u8]) -> Screenful<'_> {
        let (session, terminal) = (SessionId::default(), TerminalId::default());
        Screenful {
            kind,
            session,
            terminal,
            seq: Seq(1),
            offset,
            bytes,
        }
    }

    #[test]
    fn output_is_written_once_and_in_order() {
        let output = |offset, bytes| frame(ScreenfulKind::Output, offset, bytes);
        let mut shown = Shown::default();

        assert_eq!(shown.take(&output(3, b"xx")), Step::Gap);
        assert_eq!(
            shown.take(&frame(ScreenfulKind::Screen, 10, b"a whole screen")),
            Step::Draw
        );
        assert_eq!(shown.take(&output(4, b"old")), Step::Skip);
        assert_eq!(shown.take(&output(8, b"oldnew")), Step::Write(2));
        assert_eq!(shown.take(&output(14, b"more")), Step::Write(0));
        assert_eq!(shown.take(&output(20, b"later")), Step::Gap);
    }

    #[test]
    fn a_size_counts_from_where_it_was_given() {
        let size = Size {
            cols: 100,
            rows: 30,
        };
        let bytes = crate::size_bytes(size);
        let mut shown = Shown::default();

        shown.take(&frame(ScreenfulKind::Screen, 10, b"a screen"));
        let before = frame(ScreenfulKind::Size, 4, &bytes);
        let now = frame(ScreenfulKind::Size, 10, &bytes);

        assert_eq!(shown.take(&before), Step::Skip);
        assert_eq!(shown.take(&now), Step::Resize(size));
        let next = frame(ScreenfulKind::Output, 10, b"more");
        assert_eq!(shown.take(&next), Step::Write(0));
    }

    #[test]
    fn a_new_terminal_needs_no_screen() {
        let mut shown = Shown::default();

        assert_eq!(
            shown.take(&frame(ScreenfulKind::Output, 0, b"$ ")),
            Step::Write(0)
        );
        assert_eq!(
            shown.take(&frame(ScreenfulKind::Output, 2, b"ls")),
            Step::Write(0)
        );
    }
}
