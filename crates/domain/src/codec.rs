//! Events as bytes of the log.
//!
//! A frame is a run of events, each one line of JSON ended by a newline. An event that carries bytes says how many in
//! `len`; they follow its line raw, ended by another newline. So a frame is readable with any NATS tool, and
//! terminal output stays bytes.

use crate::Envelope;
use serde::{Deserialize, Serialize};

/// The version of the events that this program writes.
pub const CURRENT: u32 = 1;

/// The bytes are not a frame.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A line is not an event's JSON.
    #[error("an event is not readable")]
    Json(#[from] serde_json::Error),
    /// The frame ends before its last event does.
    #[error("a frame ends in the middle of an event")]
    Cut,
}

/// One event's line: the envelope, and how many raw bytes follow it.
#[derive(Serialize, Deserialize)]
struct Line<E> {
    #[serde(flatten)]
    envelope: E,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    len: Option<usize>,
}

/// Appends one event to a frame.
///
/// # Errors
/// When a value in the event cannot be written as JSON, which no event made by this program can cause.
pub fn encode(frame: &mut Vec<u8>, mut envelope: Envelope) -> Result<(), serde_json::Error> {
    let blob = envelope
        .event
        .blob_mut()
        .map(|blob| std::mem::take(&mut blob.0));
    let len = blob.as_ref().map(Vec::len);
    serde_json::to_writer(&mut *frame, &Line { envelope, len })?;
    frame.push(b'\n');
    if let Some(bytes) = blob {
        frame.extend_from_slice(&bytes);
        frame.push(b'\n');
    }
    Ok(())
}

/// Reads a frame's events, oldest first.
///
/// # Errors
/// When the bytes are no frame. Events of a newer version than [`CURRENT`] are no error: they come back as
/// [`crate::Event::Unknown`] where this program cannot read them.
pub fn decode(mut frame: &[u8]) -> Result<Vec<Envelope>, DecodeError> {
    let mut events = Vec::new();
    while !frame.is_empty() {
        let (line, rest) = split_at_newline(frame)?;
        let mut line: Line<Envelope> = serde_json::from_slice(line)?;
        frame = rest;
        if let (Some(len), Some(blob)) = (line.len, line.envelope.event.blob_mut()) {
            blob.0 = frame.get(..len).ok_or(DecodeError::Cut)?.to_vec();
        }
        if let Some(len) = line.len {
            frame = frame.get(len + 1..).ok_or(DecodeError::Cut)?;
        }
        events.push(line.envelope);
    }
    Ok(events)
}

fn split_at_newline(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or(DecodeError::Cut)?;
    Ok((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::{Blob, Event, TerminalId, Time, UserId, Writer};

    fn envelope(event: Event) -> Envelope {
        Envelope {
            v: CURRENT,
            at: Time(1_700_000_000_000),
            by: Writer::User(UserId::default()),
            epoch: None,
            turn: None,
            event,
        }
    }

    fn frame(events: &[Envelope]) -> Vec<u8> {
        let mut frame = Vec::new();
        for event in events {
            encode(&mut frame, event.clone()).unwrap();
        }
        frame
    }

    #[test]
    fn bytes_stay_bytes_whatever_they_are() {
        let bytes = Blob(b"\x00\xff\n{\"type\":\"ended\"}\n\r".to_vec());
        let events = [
            envelope(Event::Printed {
                terminal: TerminalId::default(),
                offset: 7,
                bytes: bytes.clone(),
            }),
            envelope(Event::TextDelta {
                block: 3,
                text: "zwei\nZeilen".into(),
            }),
        ];

        let frame = frame(&events);

        assert!(frame.windows(bytes.0.len()).any(|part| part == bytes.0));
        assert_eq!(decode(&frame).unwrap(), events);
    }

    #[test]
    fn an_event_of_a_newer_program_is_kept_as_it_is() {
        let newer = br#"{"v":9,"at":5,"by":{"user":"00000000000000000000000000000000"},"event":{"type":"danced","steps":3}}"#;
        let mut bytes = newer.to_vec();
        bytes.push(b'\n');

        let events = decode(&bytes).unwrap();

        let kept = serde_json::json!({"type": "danced", "steps": 3});
        assert_eq!(events[0].event, Event::Unknown(kept));
        assert_eq!(frame(&events), bytes);
    }

    #[test]
    fn a_frame_cut_anywhere_inside_an_event_is_refused() {
        let whole = frame(&[envelope(Event::Ended {})]);
        for cut in 1..whole.len() {
            assert!(decode(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }
}
