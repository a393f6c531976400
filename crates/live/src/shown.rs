//! What watchers are sent, written once for all of them.

use bytes::Bytes;
use duplex_domain::{Envelope, Event, Lane, Picture, Recorded, Seq, SessionId};
use duplex_wire::{Screenful, ScreenfulKind, size_bytes};
use serde::Serialize;

/// A frame as watchers get it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its place.
    pub seq: Seq,
    /// The JSON of a [`duplex_wire::Frame`]; none where nothing of the frame is told as JSON.
    pub json: Option<Bytes>,
    /// Terminal output: encoded [`Screenful`]s.
    pub output: Vec<Bytes>,
}

impl Shown {
    /// What watchers see of a frame: keys never, terminal output as bytes, saved screens not at all.
    pub(crate) fn of(recorded: &Recorded) -> Self {
        let told: Vec<&Envelope> = match recorded.lane {
            Lane::Input => Vec::new(),
            Lane::Fact | Lane::Output => recorded.events.iter().filter(|e| is_told(e)).collect(),
        };
        Self {
            seq: recorded.seq,
            json: (!told.is_empty()).then(|| json(recorded, told)),
            output: recorded
                .events
                .iter()
                .filter_map(|event| output(recorded, event))
                .collect(),
        }
    }

    /// Bytes it takes, about.
    #[must_use]
    pub fn weight(&self) -> usize {
        let json = self.json.as_ref().map_or(0, Bytes::len);
        json + self.output.iter().map(Bytes::len).sum::<usize>() + 64
    }

    /// The terminal output alone.
    pub(crate) fn output_only(&self) -> Self {
        Self {
            seq: self.seq,
            json: None,
            output: self.output.clone(),
        }
    }
}

fn is_told(envelope: &Envelope) -> bool {
    !matches!(
        envelope.event,
        Event::Printed { .. } | Event::ScreenSaved { .. } | Event::Typed { .. }
    )
}

fn json(recorded: &Recorded, events: Vec<&Envelope>) -> Bytes {
    /// A [`duplex_wire::Frame`] that borrows its events.
    #[derive(Serialize)]
    struct Frame<'a> {
        seq: Seq,
        lane: Lane,
        events: Vec<&'a Envelope>,
    }
    written(&Frame {
        seq: recorded.seq,
        lane: recorded.lane,
        events,
    })
}

fn output(recorded: &Recorded, envelope: &Envelope) -> Option<Bytes> {
    let sized;
    let (kind, terminal, offset, bytes): (_, _, _, &[u8]) = match &envelope.event {
        Event::Printed {
            terminal,
            offset,
            bytes,
        } => (ScreenfulKind::Output, terminal, offset, &bytes.0),
        // What the log does not have is shown by the screen that stands for it.
        Event::ScreenSaved {
            terminal,
            offset,
            bytes,
            elided: true,
        } => (ScreenfulKind::Screen, terminal, offset, &bytes.0),
        Event::TerminalSized {
            terminal,
            offset,
            size,
        } => {
            sized = size_bytes(*size);
            (ScreenfulKind::Size, terminal, offset, &sized)
        }
        _ => return None,
    };
    let screenful = Screenful {
        kind,
        session: recorded.session,
        terminal: *terminal,
        seq: recorded.seq,
        offset: *offset,
        bytes,
    };
    Some(screenful.encode().into())
}

/// A session as it stands, as watchers get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The newest frame in it.
    pub seq: Seq,
    /// The JSON of a [`duplex_wire::Down::Snapshot`].
    pub json: Bytes,
    /// The terminals' screens: encoded [`Screenful`]s.
    pub screens: Vec<Bytes>,
}

impl Snapshot {
    pub(crate) fn of(picture: &Picture, screens: Vec<Bytes>) -> Self {
        /// A [`duplex_wire::Down::Snapshot`] that borrows its picture.
        #[derive(Serialize)]
        struct Down<'a> {
            r#type: &'static str,
            session: SessionId,
            seq: Seq,
            picture: &'a Picture,
        }
        let session = picture.session.id;
        let seq = picture.session.seq;
        let json = written(&Down {
            r#type: "snapshot",
            session,
            seq,
            picture,
        });
        Self { seq, json, screens }
    }
}

/// Our own values always have a JSON form; if one had not, watchers get `null`, which they skip, and we are told.
fn written(value: &impl Serialize) -> Bytes {
    match serde_json::to_vec(value) {
        Ok(json) => json.into(),
        Err(error) => {
            tracing::error!("something of a session has no JSON form: {error}");
            Bytes::from_static(b"null")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use duplex_domain::{Blob, TerminalId, Time, UserId, Writer};
    use duplex_wire::{Down, Frame};

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

    fn recorded(lane: Lane, events: Vec<Event>) -> Recorded {
        let events = events.into_iter().map(envelope).collect();
        Recorded {
            session: SessionId::default(),
            seq: Seq(9),
            lane,
            events,
        }
    }

    #[test]
    fn a_frame_is_told_without_terminal_output_and_saved_screens() {
        let terminal = TerminalId::default();
        let text = Event::TextDelta {
            block: 1,
            text: "hé".into(),
        };
        let printed = Event::Printed {
            terminal,
            offset: 3,
            bytes: Blob(b"ls\r\n".to_vec()),
        };
        let saved = Event::ScreenSaved {
            terminal,
            offset: 3,
            bytes: Blob(b"x".to_vec()),
            elided: false,
        };
        let shown = Shown::of(&recorded(Lane::Output, vec![printed, text.clone(), saved]));

        let frame: Frame = serde_json::from_slice(shown.json.as_ref().unwrap()).unwrap();
        assert_eq!(frame, Frame::from(recorded(Lane::Output, vec![text])));
        let output: Vec<_> = shown
            .output
            .iter()
            .map(|bytes| Screenful::decode(bytes).unwrap())
            .collect();
        assert_eq!(output.len(), 1);
        assert_eq!(
            (output[0].offset, output[0].bytes, output[0].seq),
            (3, b"ls\r\n".as_slice(), Seq(9))
        );
    }

    #[test]
    fn keys_are_never_told() {
        let user = UserId::default();
        let typed = Event::Typed {
            terminal: TerminalId::default(),
            user,
            count: 8,
            bytes: Blob::default(),
        };
        let shown = Shown::of(&recorded(Lane::Input, vec![typed]));
        assert_eq!(
            shown,
            Shown {
                seq: Seq(9),
                json: None,
                output: vec![]
            }
        );
    }

    #[test]
    fn a_snapshot_reads_as_the_page_expects() {
        let mut picture = Picture::new(SessionId::default());
        picture.session.seq = Seq(4);
        let snapshot = Snapshot::of(&picture, vec![]);
        let down: Down = serde_json::from_slice(&snapshot.json).unwrap();
        let expected = Down::Snapshot {
            session: SessionId::default(),
            seq: Seq(4),
            picture: Box::new(picture),
        };
        assert_eq!(down, expected);
    }
}
