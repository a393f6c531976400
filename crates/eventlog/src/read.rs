//! Reading what is in the log now.

use crate::{Log, subject};
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use duplex_domain::{Recorded, Seq, SessionId, Shard, codec};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// How long the server may take over the next message of a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many messages are asked for at once.
const BATCH: usize = 500;

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The server does not answer.
    #[error("the log cannot be reached: {0}")]
    Unavailable(String),
    /// Frames were missed out of order; begin again from a snapshot.
    #[error("this reader fell behind; it begins again from a snapshot")]
    Lagged,
    /// A frame is not readable.
    #[error("frame {seq} of shard {shard} is not readable")]
    Damaged {
        /// Which shard.
        shard: Shard,
        /// Which frame.
        seq: Seq,
        /// Why.
        source: codec::DecodeError,
    },
}

impl ReadError {
    pub(crate) fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What is asked of a stream's direct-get endpoint.
#[derive(Serialize)]
struct DirectGet<'a> {
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    next_by_subj: &'a str,
}

/// A stored message's head.
pub(crate) struct Stored {
    pub seq: Seq,
    pub id: Option<String>,
}

impl Log {
    /// A session's frames after `after`, all lanes, in order; ends with the newest.
    pub fn read(
        &self,
        session: SessionId,
        after: Seq,
    ) -> impl Stream<Item = Result<Recorded, ReadError>> + Send + use<> {
        self.read_subjects(Shard::of(session), subject::of_session(session), after)
    }

    /// The newest frame of a session; zero if there is none.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn newest(&self, session: SessionId) -> Result<Seq, ReadError> {
        #[derive(Serialize)]
        struct Last<'a> {
            last_by_subj: &'a str,
        }
        let subjects = subject::of_session(session);
        let ask = json(&Last {
            last_by_subj: &subjects,
        })?;
        let newest = self.get_one(Shard::of(session), ask).await?;
        Ok(newest.map_or(Seq(0), |stored| stored.seq))
    }

    pub(crate) fn read_subjects(
        &self,
        shard: Shard,
        subjects: String,
        after: Seq,
    ) -> impl Stream<Item = Result<Recorded, ReadError>> + Send + use<> {
        let state = (self.clone(), VecDeque::new(), after, false);
        futures_util::stream::try_unfold(state, move |(log, mut batch, mut after, mut done)| {
            let subjects = subjects.clone();
            async move {
                if batch.is_empty() && !done {
                    let read = log.batch(shard, &subjects, after).await?;
                    done = read.is_empty();
                    batch = read.into();
                }
                let Some(frame) = batch.pop_front() else {
                    return Ok(None);
                };
                let recorded: Recorded = frame;
                after = recorded.seq;
                Ok(Some((recorded, (log, batch, after, done))))
            }
        })
    }

    /// The next frames of some subjects of a shard, at most [`BATCH`].
    pub(crate) async fn batch(
        &self,
        shard: Shard,
        subjects: &str,
        after: Seq,
    ) -> Result<Vec<Recorded>, ReadError> {
        let messages = self
            .messages(&subject::stream(shard), subjects, after)
            .await?;
        let mut frames = Vec::with_capacity(messages.len());
        for message in &messages {
            match recorded(shard, message) {
                Ok(frame) => frames.push(frame),
                Err(damaged) if frames.is_empty() => return Err(damaged),
                // What lies before the damage is given first.
                Err(_) => break,
            }
        }
        Ok(frames)
    }

    /// The next messages of some subjects of a stream, at most [`BATCH`].
    pub(crate) async fn messages(
        &self,
        stream: &str,
        subjects: &str,
        after: Seq,
    ) -> Result<Vec<Message>, ReadError> {
        let inbox = self.client.new_inbox();
        let subscribed = self.client.subscribe(inbox.clone()).await;
        let mut answers = subscribed.map_err(ReadError::unavailable)?;
        let ask = json(&DirectGet {
            seq: after.0 + 1,
            batch: Some(BATCH),
            next_by_subj: subjects,
        })?;
        let to = direct_get(stream);
        let asked = self.client.publish_with_reply(to, inbox, ask).await;
        asked.map_err(ReadError::unavailable)?;
        let mut messages = Vec::new();
        loop {
            let answer = tokio::time::timeout(PATIENCE, answers.next()).await;
            let answer = answer
                .ok()
                .flatten()
                .ok_or_else(|| ReadError::unavailable("no answer within 5 s"))?;
            match answer.status {
                None | Some(StatusCode::OK) => messages.push(answer),
                // 204 ends a batch; 404: there is nothing behind `after`.
                Some(status) if status.as_u16() == 204 || status == StatusCode::NOT_FOUND => {
                    return Ok(messages);
                }
                Some(status) => return Err(ReadError::unavailable(status)),
            }
        }
    }

    /// A message's head from the stream's leader, which knows the newest.
    pub(crate) async fn stored_message(
        &self,
        shard: Shard,
        seq: Seq,
        next_of: Option<&str>,
    ) -> Result<Option<Stored>, ReadError> {
        #[derive(Deserialize)]
        struct Answer {
            message: Option<RawMessage>,
        }
        #[derive(Deserialize)]
        struct RawMessage {
            seq: u64,
            #[serde(default)]
            hdrs: String,
        }
        let mut ask = serde_json::json!({ "seq": seq });
        if let Some(subject) = next_of {
            ask["next_by_subj"] = subject.into();
        }
        let to = format!("STREAM.MSG.GET.{}", subject::stream(shard));
        let answer: Answer = self
            .jetstream
            .request(to, &ask)
            .await
            .map_err(ReadError::unavailable)?;
        Ok(answer.message.map(|message| Stored {
            seq: Seq(message.seq),
            id: message_id(&message.hdrs),
        }))
    }

    async fn get_one(&self, shard: Shard, ask: Bytes) -> Result<Option<Stored>, ReadError> {
        let answer = self
            .client
            .request(direct_get(&subject::stream(shard)), ask)
            .await;
        let answer = answer.map_err(ReadError::unavailable)?;
        match answer.status {
            Some(StatusCode::NOT_FOUND) => Ok(None),
            Some(status) if status != StatusCode::OK => Err(ReadError::unavailable(status)),
            _ => Ok(
                header(answer.headers.as_ref(), "Nats-Sequence").map(|seq| Stored {
                    seq: Seq(seq),
                    id: None,
                }),
            ),
        }
    }
}

fn direct_get(stream: &str) -> String {
    format!("$JS.API.DIRECT.GET.{stream}")
}

pub(crate) fn json(ask: &impl Serialize) -> Result<Bytes, ReadError> {
    let bytes = serde_json::to_vec(ask).map_err(ReadError::unavailable)?;
    Ok(bytes.into())
}

/// The id among a stored message's raw headers, which come as base64 text.
pub(crate) fn message_id(headers: &str) -> Option<String> {
    use base64::Engine as _;
    let raw = base64::engine::general_purpose::STANDARD
        .decode(headers)
        .ok()?;
    let text = String::from_utf8(raw).ok()?;
    let mut lines = text.lines();
    let id = lines.find_map(|line| line.strip_prefix("Nats-Msg-Id:"))?;
    Some(id.trim().to_owned())
}

/// A number among a message's headers.
pub(crate) fn header(headers: Option<&HeaderMap>, name: &str) -> Option<u64> {
    headers?.get(name)?.as_str().parse().ok()
}

/// A message as a frame. Direct get and republish name the frame in the same headers.
pub(crate) fn recorded(shard: Shard, message: &Message) -> Result<Recorded, ReadError> {
    let headers = message.headers.as_ref();
    let seq = header(headers, "Nats-Sequence");
    let subject = headers.and_then(|headers| headers.get("Nats-Subject"));
    let named = subject.and_then(|subject| subject::parse(subject.as_str()));
    let (Some(seq), Some((session, lane))) = (seq, named) else {
        return Err(ReadError::unavailable("a message without its place"));
    };
    let seq = Seq(seq);
    let events = codec::decode(&message.payload).map_err(|source| ReadError::Damaged {
        shard,
        seq,
        source,
    })?;
    Ok(Recorded {
        session,
        seq,
        lane,
        events,
    })
}
