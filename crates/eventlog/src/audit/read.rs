//! Reading the audit log: one team's chain, or all as it grows.

use super::{Audit, STREAM, SUBJECTS, subject};
use crate::read::header;
use crate::{ReadError, StreamIdentity};
use async_nats::Subscriber;
use duplex_domain::{Seq, TeamId};
use futures_util::stream::{Stream, try_unfold};
use futures_util::{StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::sync::watch;

/// How long to sleep without a wake-up.
const PROBE: Duration = Duration::from_secs(5);

/// A message of the audit log: a few records, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFrame {
    /// Its place in the stream.
    pub seq: Seq,
    /// The id it was appended under.
    pub id: Option<String>,
    /// Whose chain it belongs to, by its subject.
    pub team: Option<TeamId>,
    /// Its records, one a line.
    pub lines: Vec<String>,
}

impl AuditFrame {
    fn of(message: &async_nats::Message) -> Result<Self, ReadError> {
        let headers = message.headers.as_ref();
        let text = |name: &str| Some(headers?.get(name)?.as_str());
        let seq = header(headers, "Nats-Sequence");
        let (Some(seq), Some(subject)) = (seq, text("Nats-Subject")) else {
            return Err(ReadError::unavailable("a message without its place"));
        };
        let team = subject.strip_prefix("audit.");
        Ok(Self {
            seq: Seq(seq),
            id: text("Nats-Msg-Id").map(str::to_owned),
            team: team.and_then(|team| team.parse().ok()),
            lines: String::from_utf8_lossy(&message.payload)
                .lines()
                .map(str::to_owned)
                .collect(),
        })
    }
}

impl Audit {
    /// A team's records after `after`, oldest first; ends with the newest.
    pub fn read(
        &self,
        team: Option<TeamId>,
        after: Seq,
    ) -> impl Stream<Item = Result<AuditFrame, ReadError>> + Send + use<> {
        let subjects = subject(team);
        let state = (self.clone(), subjects, after);
        let batches = try_unfold(state, |(audit, subjects, after)| async move {
            let frames = audit.batch(&subjects, after).await?;
            let last = frames.last().map(|frame| frame.seq);
            let frames = frames.into_iter().map(Ok);
            Ok::<_, ReadError>(last.map(|last| {
                let frames = futures_util::stream::iter(frames);
                (frames, (audit, subjects, last))
            }))
        });
        batches.try_flatten().boxed()
    }

    /// The teams that have a chain, and none for what happened before there was one.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn teams(&self) -> Result<Vec<Option<TeamId>>, ReadError> {
        let stream = self.log.jetstream.get_stream(STREAM).await;
        let stream = stream.map_err(ReadError::unavailable)?;
        let subjects = stream.info_with_subjects(SUBJECTS).await;
        let subjects = subjects.map_err(ReadError::unavailable)?;
        let named: Vec<(String, usize)> = subjects
            .try_collect()
            .await
            .map_err(ReadError::unavailable)?;
        let team = |(subject, _): (String, usize)| subject.strip_prefix("audit.")?.parse().ok();
        Ok(named.into_iter().map(team).collect())
    }

    /// Follows all chains from behind `after`.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn follow(&self, after: Seq) -> Result<AuditFollow, ReadError> {
        Ok(AuditFollow {
            wake: self.log.subscribe_live(SUBJECTS).await?,
            connections: self.log.connections.clone(),
            audit: self.clone(),
            cursor: after,
        })
    }

    /// What tells this stream from another of the same name.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn identity(&self) -> Result<StreamIdentity, ReadError> {
        let stream = self.log.jetstream.get_stream(STREAM).await;
        let stream = stream.map_err(ReadError::unavailable)?;
        let created = stream.cached_info().created.unix_timestamp_nanos();
        Ok(StreamIdentity {
            created: i64::try_from(created).unwrap_or(i64::MAX),
        })
    }

    async fn batch(&self, subjects: &str, after: Seq) -> Result<Vec<AuditFrame>, ReadError> {
        let messages = self.log.messages(STREAM, subjects, after).await?;
        messages.iter().map(AuditFrame::of).collect()
    }
}

/// All chains, as they grow.
pub struct AuditFollow {
    audit: Audit,
    cursor: Seq,
    wake: Subscriber,
    connections: watch::Receiver<u64>,
}

impl AuditFollow {
    /// The next messages, in order; waits until there is one. Cancel-safe: what was not given is read again.
    ///
    /// # Errors
    /// When the log cannot be reached; asking again goes on from the same place.
    pub async fn next(&mut self) -> Result<Vec<AuditFrame>, ReadError> {
        loop {
            let frames = self.audit.batch(SUBJECTS, self.cursor).await?;
            if let Some(last) = frames.last() {
                self.cursor = last.seq;
                return Ok(frames);
            }
            tokio::select! {
                _ = self.wake.next() => {}
                _ = self.connections.changed() => {}
                () = tokio::time::sleep(PROBE) => {}
            }
        }
    }
}
