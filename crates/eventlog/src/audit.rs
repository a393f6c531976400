//! The stream of what was done, apart from all sessions: one chain of records for each team.

mod read;

pub use read::{AuditFollow, AuditFrame};

use crate::append::{ATTEMPT, Ack, FULL, WRONG_LAST_SEQUENCE};
use crate::read::message_id;
use crate::{Log, ReadError};
use async_nats::HeaderMap;
use async_nats::jetstream::stream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use duplex_domain::audit::{Deed, Head, Record};
use duplex_domain::{Seq, TeamId};
use serde::Deserialize;
use std::time::Duration;

/// The stream.
const STREAM: &str = "AUDIT";
/// Every team's subject.
const SUBJECTS: &str = "audit.>";
/// JetStream's code for "no such message".
const NO_MESSAGE: u32 = 10037;
/// How often another writer may be faster before somebody has to look.
const MOST_CONFLICTS: u32 = 50;
/// How full the stream may be, in bytes before its limit, for more to be done that must be written down.
const SPARE: i64 = 1 << 20;

/// The records are not in the stream, or nobody knows whether they are: write them again under the same id.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The server does not answer.
    #[error("the audit log cannot be reached: {0}")]
    Unavailable(String),
    /// It takes nothing more.
    #[error(
        "the audit log is full or closed: {0}; make room on its disk or raise the stream's limits"
    )]
    Full(String),
    /// The server said something unexpected.
    #[error("the audit log did not take the records: {0}")]
    Rejected(String),
    /// What it holds cannot be gone on from.
    #[error(
        "the newest record of {0} in the audit log is not readable; check it with `duplex verify --audit`"
    )]
    Damaged(String),
}

impl AuditError {
    fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<AuditError> for ReadError {
    fn from(error: AuditError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The audit log. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    log: Log,
}

/// Where a team's chain ends.
struct Newest {
    seq: Seq,
    id: Option<String>,
    head: Head,
}

impl Log {
    /// The audit log; its stream is made if it is missing.
    ///
    /// # Errors
    /// When the stream cannot be made or reached.
    pub async fn audit(&self) -> Result<Audit, AuditError> {
        let made = self.jetstream.get_or_create_stream(config()).await;
        made.map_err(AuditError::unavailable)?;
        Ok(Audit { log: self.clone() })
    }
}

impl Audit {
    /// Appends deeds to a team's chain, in one message. The same id again is the same deeds.
    ///
    /// # Errors
    /// See [`AuditError`]. Whether the deeds are in the stream is not known then, so write them again.
    pub async fn append(
        &self,
        team: Option<TeamId>,
        id: &str,
        deeds: &[Deed],
    ) -> Result<Head, AuditError> {
        for _ in 0..MOST_CONFLICTS {
            let newest = self.newest(team).await?;
            if newest.id.as_deref() == Some(id) {
                return Ok(newest.head);
            }
            let (head, lines) = sealed(newest.head, deeds);
            if self.attempt(team, id, newest.seq, lines).await? {
                return Ok(head);
            }
        }
        let why = "another writer was faster each time";
        Err(AuditError::Unavailable(why.into()))
    }

    /// Whether it would take more now.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), AuditError> {
        let asked = self.log.jetstream.get_stream(STREAM);
        let asked = tokio::time::timeout(ATTEMPT, asked).await;
        let stream = asked.map_err(AuditError::unavailable)?;
        let stream = stream.map_err(AuditError::unavailable)?;
        let info = stream.cached_info();
        let (limits, state) = (&info.config, &info.state);
        let held = i64::try_from(state.bytes).unwrap_or(i64::MAX);
        let bytes = limits.max_bytes > 0 && held.saturating_add(SPARE) > limits.max_bytes;
        let count = i64::try_from(state.messages).unwrap_or(i64::MAX);
        let messages = limits.max_messages > 0 && count >= limits.max_messages;
        if limits.sealed || bytes || messages {
            return Err(AuditError::Full("it has reached its limit".into()));
        }
        Ok(())
    }

    /// How far a team's chain goes.
    ///
    /// # Errors
    /// When the log cannot be reached or its newest record is not readable.
    pub async fn head(&self, team: Option<TeamId>) -> Result<Head, AuditError> {
        Ok(self.newest(team).await?.head)
    }

    /// Makes one attempt; false if another writer was faster.
    async fn attempt(
        &self,
        team: Option<TeamId>,
        id: &str,
        guard: Seq,
        lines: String,
    ) -> Result<bool, AuditError> {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id);
        headers.insert("Nats-Expected-Stream", STREAM);
        let guard = guard.to_string();
        headers.insert("Nats-Expected-Last-Subject-Sequence", guard.as_str());
        let request = async_nats::Request::new()
            .headers(headers)
            .payload(lines.into())
            .timeout(Some(ATTEMPT));
        let answer = self.log.client.send_request(subject(team), request).await;
        let answer = answer.map_err(AuditError::unavailable)?;
        let ack: Ack = serde_json::from_slice(&answer.payload).map_err(AuditError::unavailable)?;
        match ack.error {
            None => Ok(true),
            Some(error) if WRONG_LAST_SEQUENCE.contains(&error.err_code) => Ok(false),
            Some(error) if FULL.contains(&error.err_code) => {
                Err(AuditError::Full(error.description))
            }
            Some(error) => Err(AuditError::Rejected(error.description)),
        }
    }

    /// The end of a team's chain, from the stream's leader, which knows the newest.
    async fn newest(&self, team: Option<TeamId>) -> Result<Newest, AuditError> {
        let subject = subject(team);
        let ask = serde_json::json!({ "last_by_subj": subject });
        let to = format!("STREAM.MSG.GET.{STREAM}");
        let asked = self.log.jetstream.request(to, &ask);
        let asked = tokio::time::timeout(ATTEMPT, asked).await;
        let answer: Answer = asked
            .map_err(AuditError::unavailable)?
            .map_err(AuditError::unavailable)?;
        match answer {
            Answer {
                message: Some(message),
                ..
            } => message.newest().ok_or(AuditError::Damaged(subject)),
            Answer {
                error: Some(error), ..
            } if error.err_code != NO_MESSAGE => Err(AuditError::Unavailable(error.description)),
            Answer { .. } => Ok(Newest {
                seq: Seq(0),
                id: None,
                head: Head::start(team),
            }),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    message: Option<Message>,
    error: Option<crate::append::AckError>,
}

#[derive(Deserialize)]
struct Message {
    seq: u64,
    #[serde(default)]
    hdrs: String,
    #[serde(default)]
    data: String,
}

impl Message {
    fn newest(&self) -> Option<Newest> {
        let data = BASE64_STANDARD.decode(&self.data).ok()?;
        let text = String::from_utf8(data).ok()?;
        let last: Record = serde_json::from_str(text.lines().next_back()?).ok()?;
        Some(Newest {
            seq: Seq(self.seq),
            id: message_id(&self.hdrs),
            head: Head::from(&last),
        })
    }
}

/// Gives deeds their places behind a head: the new head, and the records' lines.
fn sealed(mut head: Head, deeds: &[Deed]) -> (Head, String) {
    let mut lines = String::new();
    for deed in deeds {
        let record = Record::behind(&head, deed.clone());
        head = Head::from(&record);
        lines.push_str(&record.line());
        lines.push('\n');
    }
    (head, lines)
}

fn subject(team: Option<TeamId>) -> String {
    match team {
        Some(team) => format!("audit.{team}"),
        None => "audit.none".to_owned(),
    }
}

/// Nothing is ever dropped to make room, and nothing deleted. Live copies have no bodies: they only wake readers.
fn config() -> stream::Config {
    stream::Config {
        name: STREAM.to_owned(),
        description: Some("Duplex: who did what, a chain of records for each team".to_owned()),
        republish: Some(stream::Republish {
            source: SUBJECTS.to_owned(),
            destination: crate::subject::live(SUBJECTS),
            headers_only: true,
        }),
        subjects: vec![SUBJECTS.to_owned()],
        storage: stream::StorageType::File,
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        max_message_size: 1 << 20,
        duplicate_window: Duration::from_mins(10),
        allow_direct: true,
        deny_delete: true,
        deny_purge: true,
        max_consumers: 8,
        ..stream::Config::default()
    }
}
