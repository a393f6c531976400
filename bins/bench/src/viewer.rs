//! Somebody who watches sessions and notes when each token arrives.

use crate::Percentiles;
use crate::socket::{Received, Socket};
use anyhow::{Context as _, bail, ensure};
use duplex_domain::{EndReason, Event, ItemKind, Picture, SessionId};
use duplex_provider_double::clock_times;
use duplex_testkit::Person;
use duplex_wire::{Down, Frame, Up};
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many turns a session has had, without a word, before it is watched.
const TURNS_BEFORE: u64 = 1;

/// One socket, watching several sessions.
pub(crate) struct Viewer {
    socket: Socket,
    shown: HashMap<SessionId, Shown>,
    seen: Seen,
}

/// What viewers saw.
pub(crate) struct Seen {
    /// From the provider's sending of a token to its arrival.
    pub latencies: Percentiles,
    /// How many tokens of each session.
    pub tokens: Vec<(SessionId, u64)>,
    /// Bytes of messages.
    pub bytes: usize,
    /// Frames of the log that carried tokens.
    pub frames: u64,
    /// How often the edge sent a session anew, because this socket was too slow for it.
    pub resynchronised: u64,
    /// When the first token was sent and the last one arrived, in nanoseconds since 1970.
    pub span: Option<(u64, u64)>,
}

/// One session, as far as it was seen.
#[derive(Debug, Default)]
struct Shown {
    synced: bool,
    over: bool,
    tokens: u64,
    /// When the newest token was sent.
    newest: u64,
    /// A token that has not arrived whole.
    half: String,
}

impl Seen {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            latencies: Percentiles::new()?,
            tokens: Vec::new(),
            bytes: 0,
            frames: 0,
            resynchronised: 0,
            span: None,
        })
    }

    /// Takes in what another socket saw.
    pub fn add(&mut self, other: Self) -> anyhow::Result<()> {
        self.latencies.add(&other.latencies)?;
        self.tokens.extend(other.tokens);
        self.bytes += other.bytes;
        self.frames += other.frames;
        self.resynchronised += other.resynchronised;
        if let Some((begin, end)) = other.span {
            self.stretch(begin, end);
        }
        Ok(())
    }

    fn stretch(&mut self, begin: u64, end: u64) {
        let (first, last) = self.span.unwrap_or((begin, end));
        self.span = Some((first.min(begin), last.max(end)));
    }
}

impl Viewer {
    /// Opens a socket and watches the sessions, until all that was there has come.
    pub async fn open(person: &Person, sessions: &[SessionId]) -> anyhow::Result<Self> {
        let mut viewer = Self {
            socket: Socket::of(person).await?,
            shown: HashMap::new(),
            seen: Seen::new()?,
        };
        for session in sessions {
            viewer.shown.insert(*session, Shown::default());
            let (session, after) = (*session, None);
            viewer.socket.say(&Up::Watch { session, after }).await?;
        }
        while !viewer.shown.values().all(|shown| shown.synced) {
            viewer.next().await?;
        }
        viewer.seen.bytes = 0;
        Ok(viewer)
    }

    /// Watches until every session's turn is over.
    pub async fn watch(mut self) -> anyhow::Result<Seen> {
        while !self.shown.values().all(|shown| shown.over) {
            self.next().await?;
        }
        let tokens = self.shown.iter();
        self.seen.tokens = tokens.map(|(id, shown)| (*id, shown.tokens)).collect();
        Ok(self.seen)
    }

    async fn next(&mut self) -> anyhow::Result<()> {
        let received = self.socket.next().await?;
        // Before the message is understood: what that takes is not the server's.
        let now = now();
        match received {
            Received::Text(text) => {
                self.seen.bytes += text.len();
                self.take(serde_json::from_str(&text)?, now)
            }
            Received::Binary(bytes) => {
                self.seen.bytes += bytes.len();
                Ok(())
            }
        }
    }

    fn take(&mut self, down: Down, now: u64) -> anyhow::Result<()> {
        match down {
            Down::Snapshot {
                session, picture, ..
            } => self.take_picture(session, &picture),
            Down::Synced { session, .. } => {
                self.shown.entry(session).or_default().synced = true;
                Ok(())
            }
            Down::Events { session, events } => events
                .into_iter()
                .try_for_each(|frame| self.take_frame(session, frame, now)),
            Down::Refused { code, message, .. } => bail!("refused: {code}: {message}"),
            Down::Welcome { .. }
            | Down::Accepted { .. }
            | Down::Beat { .. }
            | Down::Presence { .. }
            | Down::Pong {} => Ok(()),
        }
    }

    fn take_picture(&mut self, session: SessionId, picture: &Picture) -> anyhow::Result<()> {
        let shown = self.shown.entry(session).or_default();
        // The first picture shows a session at rest.
        if !shown.synced {
            return Ok(());
        }
        self.seen.resynchronised += 1;
        *shown = Shown {
            synced: true,
            over: picture.session.turn.is_none() && picture.session.turns > TURNS_BEFORE,
            ..Shown::default()
        };
        for item in &picture.transcript.items {
            if let ItemKind::Text { text, .. } = &item.kind {
                shown.take(text)?;
            }
        }
        Ok(())
    }

    fn take_frame(&mut self, session: SessionId, frame: Frame, now: u64) -> anyhow::Result<()> {
        let shown = self.shown.entry(session).or_default();
        let before = shown.tokens;
        for envelope in frame.events {
            match envelope.event {
                Event::TextDelta { text, .. } => {
                    for sent in shown.take(&text)? {
                        let took = Duration::from_nanos(now.saturating_sub(sent));
                        self.seen.latencies.record(took);
                        self.seen.stretch(sent, now);
                    }
                }
                Event::TurnEnded { reason, problem } => {
                    let why = problem.map(|problem| problem.message).unwrap_or_default();
                    ensure!(
                        reason == EndReason::Complete,
                        "the turn of session {session} ended early: {reason:?} {why}"
                    );
                    shown.over = true;
                }
                _ => {}
            }
        }
        self.seen.frames += u64::from(shown.tokens > before);
        Ok(())
    }
}

impl Shown {
    /// Takes in more of the text; gives when its whole tokens were sent.
    fn take(&mut self, text: &str) -> anyhow::Result<Vec<u64>> {
        self.half.push_str(text);
        let whole = self.half.rfind(' ').map_or(0, |space| space + 1);
        let rest = self.half.split_off(whole);
        let times = clock_times(&std::mem::replace(&mut self.half, rest));
        let times = times.with_context(|| format!("{text:?} is not what the provider said"))?;
        for sent in &times {
            ensure!(
                *sent > self.newest,
                "the token sent at {sent} came twice or behind a later one"
            );
            self.newest = *sent;
        }
        self.tokens += times.len() as u64;
        Ok(times)
    }
}

/// Nanoseconds since 1970 UTC.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn tokens_may_come_in_pieces() {
        let mut shown = Shown::default();

        assert_eq!(shown.take("t17 t1").unwrap(), [17]);
        assert_eq!(shown.take("8").unwrap(), [] as [u64; 0]);
        assert_eq!(shown.take(" t19 ").unwrap(), [18, 19]);
        assert_eq!(shown.tokens, 3);
    }

    #[test]
    fn a_token_that_comes_twice_is_an_error() {
        let mut shown = Shown::default();
        shown.take("t17 ").unwrap();

        let error = shown.take("t17 ").unwrap_err().to_string();
        assert_eq!(
            error,
            "the token sent at 17 came twice or behind a later one"
        );
        assert!(shown.take("hello ").is_err());
    }
}
