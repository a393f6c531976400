//! The terminals' screens, drawn as their output comes.

use crate::StoredScreen;
use bytes::Bytes;
use duplex_domain::{Envelope, Event, Seq, Session, SessionId, Size, TerminalId};
use duplex_terminal::Screen;
use duplex_wire::{Screenful, ScreenfulKind, TerminalView};
use std::collections::BTreeMap;

/// One terminal's screen.
struct Drawn {
    screen: Screen,
    /// The newest frame in it.
    seq: Seq,
    /// How many bytes of output are in it.
    offset: u64,
}

/// The screens of a session's terminals.
#[derive(Default)]
pub(crate) struct Screens(BTreeMap<TerminalId, Drawn>);

impl Screens {
    /// The stored screens of a session.
    pub fn new(session: &Session, stored: Vec<StoredScreen>) -> Self {
        let sized = |stored: StoredScreen| {
            let size = session.terminals.get(&stored.terminal)?.drawn;
            let mut screen = blank(size);
            screen.feed(&stored.bytes);
            Some((
                stored.terminal,
                Drawn {
                    screen,
                    seq: stored.seq,
                    offset: stored.offset,
                },
            ))
        };
        Self(stored.into_iter().filter_map(sized).collect())
    }

    /// The frame after which the log has to be read, so that every screen is whole at the session's own frame.
    pub fn missing_after(session: &Session, stored: &[StoredScreen]) -> Seq {
        let behind = stored
            .iter()
            .filter(|screen| screen.printed_seq > screen.seq)
            .map(|screen| screen.seq);
        let is_stored = |id: &TerminalId| stored.iter().any(|screen| screen.terminal == *id);
        let unknown = session
            .terminals
            .iter()
            .any(|(id, terminal)| terminal.offset > 0 && !is_stored(id));
        let from = unknown.then_some(Seq(0));
        behind.chain(from).fold(session.seq, Seq::min)
    }

    /// Takes in an event.
    pub fn apply(&mut self, seq: Seq, envelope: &Envelope) {
        match &envelope.event {
            Event::TerminalOpened { terminal, size } => {
                let fresh = || Drawn {
                    screen: blank(*size),
                    seq,
                    offset: 0,
                };
                self.0.entry(*terminal).or_insert_with(fresh);
            }
            Event::TerminalSized { terminal, size, .. } => {
                if let Some(drawn) = self.behind(*terminal, seq) {
                    drawn.screen.resize(cells(*size));
                    drawn.seq = seq;
                }
            }
            Event::Printed {
                terminal,
                offset,
                bytes,
            } => {
                if let Some(drawn) = self.behind(*terminal, seq) {
                    drawn.print(*offset, &bytes.0);
                }
            }
            Event::ScreenSaved {
                terminal,
                offset,
                bytes,
                elided: true,
            } => {
                if let Some(drawn) = self.behind(*terminal, seq) {
                    drawn.redraw(*offset, &bytes.0);
                }
            }
            // Everything else is not drawn.
            _ => {}
        }
    }

    /// Notes that all of a frame is in; a frame may carry many pieces of one terminal's output.
    pub fn passed(&mut self, seq: Seq) {
        for drawn in self.0.values_mut() {
            drawn.seq = drawn.seq.max(seq);
        }
    }

    fn behind(&mut self, terminal: TerminalId, seq: Seq) -> Option<&mut Drawn> {
        self.0.get_mut(&terminal).filter(|drawn| drawn.seq <= seq)
    }

    /// Each screen as a message that draws it.
    pub fn encoded(&self, session: SessionId, seq: Seq) -> Vec<Bytes> {
        let encode = |(terminal, drawn): (&TerminalId, &Drawn)| {
            let bytes = &drawn.screen.dump();
            let (kind, terminal, offset) = (ScreenfulKind::Screen, *terminal, drawn.offset);
            Screenful {
                kind,
                session,
                terminal,
                seq,
                offset,
                bytes,
            }
            .encode()
            .into()
        };
        self.0.iter().map(encode).collect()
    }

    /// Each screen as text.
    pub fn views(&self) -> Vec<TerminalView> {
        let view = |(id, drawn): (&TerminalId, &Drawn)| {
            let size = drawn.screen.size();
            let size = Size {
                cols: size.cols,
                rows: size.rows,
            };
            TerminalView {
                id: *id,
                size,
                text: drawn.screen.text(),
            }
        };
        self.0.iter().map(view).collect()
    }
}

impl Drawn {
    /// Draws a whole screen in place of what was there.
    fn redraw(&mut self, offset: u64, bytes: &[u8]) {
        self.screen = Screen::new(self.screen.size(), Screen::SCROLLBACK);
        self.screen.feed(bytes);
        self.offset = offset;
    }

    /// Draws what is new of a piece of output.
    fn print(&mut self, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(known..) else {
            return;
        };
        self.screen.feed(new);
        self.offset = offset + bytes.len() as u64;
    }
}

fn blank(size: Size) -> Screen {
    Screen::new(cells(size), Screen::SCROLLBACK)
}

/// A session's size as screens know it.
#[must_use]
pub fn cells(size: Size) -> duplex_terminal::Size {
    duplex_terminal::Size {
        cols: size.cols,
        rows: size.rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::{Blob, Terminal, Time, UserId, Writer};

    const SIZE: Size = Size { cols: 80, rows: 24 };
    const TERMINAL: TerminalId = TerminalId(uuid::Uuid::from_u128(7));

    fn envelope(event: Event) -> Envelope {
        let by = Writer::User(UserId::default());
        Envelope {
            v: 1,
            at: Time(5),
            by,
            epoch: None,
            turn: None,
            event,
        }
    }

    fn printed(offset: u64, bytes: &[u8]) -> Envelope {
        envelope(Event::Printed {
            terminal: TERMINAL,
            offset,
            bytes: Blob::from(bytes),
        })
    }

    fn session() -> Session {
        let mut session = Session::new(SessionId::default());
        session.seq = Seq(20);
        let terminal = Terminal {
            offset: 6,
            saved: 3,
            ..Terminal::opened(None, SIZE)
        };
        session.terminals.insert(TERMINAL, terminal);
        session
    }

    fn stored(seq: u64, printed_seq: u64) -> StoredScreen {
        let (seq, printed_seq) = (Seq(seq), Seq(printed_seq));
        StoredScreen {
            terminal: TERMINAL,
            bytes: b"one".to_vec(),
            offset: 3,
            seq,
            printed_seq,
        }
    }

    fn first_row(screens: &Screens) -> String {
        screens.views()[0].text[0].clone()
    }

    #[test]
    fn a_stored_screen_is_completed_from_the_log() {
        let session = session();
        assert_eq!(Screens::missing_after(&session, &[stored(10, 15)]), Seq(10));
        assert_eq!(Screens::missing_after(&session, &[stored(10, 10)]), Seq(20));
        assert_eq!(Screens::missing_after(&session, &[]), Seq(0));

        let mut screens = Screens::new(&session, vec![stored(10, 15)]);
        screens.apply(Seq(9), &printed(0, b"one"));
        screens.apply(Seq(15), &printed(3, b"two"));
        assert_eq!(first_row(&screens), "onetwo");
    }

    #[test]
    fn what_the_log_left_out_is_shown_by_the_screen_that_stands_for_it() {
        let mut screens = Screens::new(&session(), vec![stored(10, 10)]);
        let terminal = TERMINAL;
        let (offset, elided) = (500, true);
        let bytes = Blob::from(&b"later"[..]);
        let saved = Event::ScreenSaved {
            terminal,
            offset,
            bytes,
            elided,
        };

        screens.apply(Seq(11), &envelope(saved));
        screens.apply(Seq(12), &printed(500, b" on"));

        assert_eq!(first_row(&screens), "later on");
    }

    #[test]
    fn a_screen_has_the_size_that_its_output_was_drawn_for() {
        let mut screens = Screens::new(&session(), vec![stored(10, 10)]);
        let (terminal, offset) = (TERMINAL, 3);
        let size = Size { cols: 20, rows: 5 };

        let asked = Event::TerminalResized { terminal, size };
        screens.apply(Seq(11), &envelope(asked));
        assert_eq!(screens.views()[0].size, SIZE);
        let given = Event::TerminalSized {
            terminal,
            offset,
            size,
        };
        screens.apply(Seq(12), &envelope(given));
        assert_eq!(screens.views()[0].size, size);
    }

    #[test]
    fn output_that_comes_twice_is_drawn_once() {
        let mut screens = Screens::default();
        screens.apply(
            Seq(1),
            &envelope(Event::TerminalOpened {
                terminal: TERMINAL,
                size: SIZE,
            }),
        );
        screens.apply(Seq(2), &printed(0, b"abc"));
        screens.apply(Seq(2), &printed(3, b"de"));
        screens.passed(Seq(2));
        screens.apply(Seq(3), &printed(1, b"bcdefg"));
        assert_eq!(first_row(&screens), "abcdefg");
    }
}
