//! Following a whole shard, or only its facts.
//!
//! The live copy serves as a wake-up alone; frames are read from the stream, so none can be missed.

use crate::{Log, ReadError, subject};
use async_nats::Subscriber;
use duplex_domain::{Recorded, Seq, SessionId, Shard};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// How long to sleep without a wake-up.
const PROBE: Duration = Duration::from_secs(5);

/// What tells one stream from another of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamIdentity {
    /// When it was created, in nanoseconds since 1970 UTC.
    pub created: i64,
}

/// A shard being followed.
pub struct ShardFollow {
    log: Log,
    shard: Shard,
    subjects: String,
    cursor: Seq,
    wake: Subscriber,
    connections: watch::Receiver<u64>,
}

impl ShardFollow {
    /// The next frames, in order; waits until there is one. Cancel-safe: what was not given is read again.
    ///
    /// # Errors
    /// When the log cannot be reached or a frame is damaged; asking again goes on from the same place.
    pub async fn next(&mut self) -> Result<Vec<Recorded>, ReadError> {
        loop {
            let frames = self
                .log
                .batch(self.shard, &self.subjects, self.cursor)
                .await?;
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

    /// The newest frame given.
    #[must_use]
    pub fn cursor(&self) -> Seq {
        self.cursor
    }

    /// Steps over a frame that cannot be read.
    pub fn skip(&mut self, damaged: Seq) {
        self.cursor = self.cursor.max(damaged);
    }
}

impl Log {
    /// Follows everything in a shard from behind `after`.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn follow_shard(&self, shard: Shard, after: Seq) -> Result<ShardFollow, ReadError> {
        self.follow_subjects(shard, subject::of_shard(shard), after)
            .await
    }

    /// Follows only the facts of a shard from behind `after`.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn follow_facts(&self, shard: Shard, after: Seq) -> Result<ShardFollow, ReadError> {
        self.follow_subjects(shard, subject::facts_of_shard(shard), after)
            .await
    }

    async fn follow_subjects(
        &self,
        shard: Shard,
        subjects: String,
        after: Seq,
    ) -> Result<ShardFollow, ReadError> {
        let wake = self.subscribe_live(&subjects).await?;
        Ok(ShardFollow {
            log: self.clone(),
            shard,
            subjects,
            cursor: after,
            wake,
            connections: self.connections.clone(),
        })
    }

    /// Every session that has a fact in a shard.
    ///
    /// # Errors
    /// When the log cannot be reached or a fact is damaged.
    pub async fn sessions(&self, shard: Shard) -> Result<BTreeSet<SessionId>, ReadError> {
        let facts = self.read_subjects(shard, subject::facts_of_shard(shard), Seq(0));
        facts.map_ok(|fact| fact.session).try_collect().await
    }

    /// What tells a shard's stream from another of the same name.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn shard_identity(&self, shard: Shard) -> Result<StreamIdentity, ReadError> {
        let stream = self.jetstream.get_stream(subject::stream(shard)).await;
        let stream = stream.map_err(ReadError::unavailable)?;
        let created = stream.cached_info().created.unix_timestamp_nanos();
        Ok(StreamIdentity {
            created: i64::try_from(created).unwrap_or(i64::MAX),
        })
    }

    /// The id under which a frame was appended; none if there is no such frame.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub async fn message_id(&self, shard: Shard, seq: Seq) -> Result<Option<String>, ReadError> {
        let stored = self.stored_message(shard, seq, None).await?;
        Ok(stored.and_then(|stored| stored.id))
    }
}
