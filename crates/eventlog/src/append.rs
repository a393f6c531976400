//! Putting a frame in the log.

use crate::{Address, Log, subject};
use async_nats::HeaderMap;
use async_nats::client::RequestErrorKind;
use bytes::Bytes;
use duplex_domain::{Envelope, Lane, Seq, Shard, codec};
use serde::Deserialize;
use std::time::Duration;
use tracing::debug;

/// How long one attempt may take before it is made again.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(2);
/// The longest wait between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// JetStream's codes for "wrong last sequence".
pub(crate) const WRONG_LAST_SEQUENCE: [u32; 2] = [10071, 10164];
/// JetStream's codes for a stream that has reached a limit.
pub(crate) const FULL: [u32; 4] = [10047, 10077, 10023, 10028];
/// JetStream's code for a message over the stream's size limit.
const TOO_LARGE: u32 = 10054;

/// The frame is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Another event came first. Catch up and decide again.
    #[error("another event reached the {lane:?} lane first")]
    Conflict {
        /// The lane.
        lane: Lane,
    },
    /// The frame is larger than a message of the log may be.
    #[error("this is too large for the log; at most 1 MiB at once")]
    TooLarge,
    /// The log takes nothing more.
    #[error("the log is full: {0}; make room on its disk or raise the stream's limits")]
    Full(String),
    /// The server said something unexpected.
    #[error("the log did not take the event: {0}")]
    Rejected(String),
}

/// What one attempt came to.
enum Attempt {
    Stored(Seq),
    Failed(AppendError),
    /// Nobody knows; the same attempt must be made again.
    Unknown,
}

#[derive(Deserialize)]
pub(crate) struct Ack {
    #[serde(default)]
    pub seq: u64,
    pub error: Option<AckError>,
}

#[derive(Deserialize)]
pub(crate) struct AckError {
    #[serde(default)]
    pub err_code: u32,
    #[serde(default)]
    pub description: String,
}

impl Log {
    /// Appends one frame, if `guard` is still the newest frame of its lane.
    ///
    /// `id` names the frame within its session: the same id again is the same frame. The call ends when the outcome
    /// is known, however long the server is away: give up by dropping it, and ask again with the same id.
    ///
    /// # Errors
    /// See [`AppendError`]; in every case the frame is not in the log.
    pub async fn append(
        &self,
        address: &Address,
        lane: Lane,
        guard: Seq,
        id: &str,
        events: &[Envelope],
    ) -> Result<Seq, AppendError> {
        let frame = Frame {
            shard: Shard::of(address.session),
            subject: address.lane(lane),
            lane,
            guard,
            id: format!("{}:{id}", address.session),
            payload: encode(events)?,
        };
        let mut pause = Duration::from_millis(20);
        loop {
            match self.attempt(&frame).await {
                Attempt::Stored(seq) => return Ok(seq),
                Attempt::Failed(error) => return Err(error),
                Attempt::Unknown => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn attempt(&self, frame: &Frame) -> Attempt {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        let request = async_nats::Request::new()
            .headers(frame.headers())
            .payload(frame.payload.clone())
            .timeout(Some(ATTEMPT));
        let answer = tokio::select! {
            answer = self.client.send_request(frame.subject.clone(), request) => answer,
            // A request that was in flight when the connection broke is never answered.
            Ok(()) = connections.changed() => return Attempt::Unknown,
        };
        match answer {
            Ok(answer) => self.outcome(frame, &answer.payload).await,
            Err(error) if error.kind() == RequestErrorKind::MaxPayloadExceeded => {
                Attempt::Failed(AppendError::TooLarge)
            }
            Err(error) => {
                debug!("an append was not answered: {error}");
                Attempt::Unknown
            }
        }
    }

    async fn outcome(&self, frame: &Frame, answer: &[u8]) -> Attempt {
        let Ok(ack) = serde_json::from_slice::<Ack>(answer) else {
            let text = String::from_utf8_lossy(answer).into_owned();
            return Attempt::Failed(AppendError::Rejected(text));
        };
        match ack.error {
            None => Attempt::Stored(Seq(ack.seq)),
            Some(error) if WRONG_LAST_SEQUENCE.contains(&error.err_code) => {
                self.conflict_or_own(frame).await
            }
            Some(error) if FULL.contains(&error.err_code) => {
                Attempt::Failed(AppendError::Full(error.description))
            }
            Some(error) if error.err_code == TOO_LARGE => Attempt::Failed(AppendError::TooLarge),
            Some(error) if error.err_code == 0 || error.err_code == 10008 => Attempt::Unknown,
            Some(error) => Attempt::Failed(AppendError::Rejected(error.description)),
        }
    }

    /// The guard did not hold. A server without replicas checks it before it looks at the message id, so the frame
    /// that is in the way may be this very one, stored by an attempt whose answer was lost. It can then only be the
    /// first frame of the lane behind the guard.
    async fn conflict_or_own(&self, frame: &Frame) -> Attempt {
        let first = self
            .stored_message(frame.shard, Seq(frame.guard.0 + 1), Some(&frame.subject))
            .await;
        match first {
            Ok(Some(first)) if first.id.as_deref() == Some(&frame.id) => Attempt::Stored(first.seq),
            Ok(_) => Attempt::Failed(AppendError::Conflict { lane: frame.lane }),
            Err(_) => Attempt::Unknown,
        }
    }
}

/// A frame on its way.
struct Frame {
    shard: Shard,
    subject: String,
    lane: Lane,
    guard: Seq,
    id: String,
    payload: Bytes,
}

impl Frame {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", self.id.as_str());
        headers.insert("Nats-Expected-Stream", subject::stream(self.shard).as_str());
        let guard = self.guard.to_string();
        headers.insert("Nats-Expected-Last-Subject-Sequence", guard.as_str());
        headers
    }
}

fn encode(events: &[Envelope]) -> Result<Bytes, AppendError> {
    let mut frame = Vec::with_capacity(256 * events.len());
    for event in events {
        let encoded = codec::encode(&mut frame, event.clone());
        encoded.map_err(|error| AppendError::Rejected(error.to_string()))?;
    }
    Ok(frame.into())
}
