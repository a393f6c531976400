//! Frames of the log to rows: folded in memory, written with the checkpoint in one transaction.

use crate::change::Change;
use crate::load::load;
use crate::pictures::{ITEMS, Pictures};
use crate::write::Batch;
use crate::{Checkpoint, Database, DatabaseError, checkpoint};
use duplex_domain::{Recorded, Seq, SessionId, Shard};
use std::collections::BTreeMap;

/// Frames did not become rows. Nothing of the batch was written, unless the connection broke at the very end.
/// Open the projection anew before trying again.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Another projector moved the checkpoint, or the views were wiped.
    #[error("the views of shard {0} were moved by another projector")]
    Overtaken(Shard),
    /// The log is not the one that the views were folded from.
    #[error(
        "stream LOG_{shard} is not the one that the views were folded from: {what}; point the projector at the \
         right nats-server, or wipe the views so that they are built anew from this one"
    )]
    OtherStream {
        /// Which stream.
        shard: Shard,
        /// What differs.
        what: String,
    },
    /// Postgres did not do its part.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<tokio_postgres::Error> for ProjectError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// One shard's views and how far they are.
pub struct Projection {
    database: Database,
    shard: Shard,
    at: Checkpoint,
    pictures: Pictures,
}

impl Projection {
    /// Goes on where the views of a shard are. `stream_created` is when its stream was made, in nanoseconds since
    /// 1970.
    ///
    /// # Errors
    /// [`ProjectError::OtherStream`] if the views were folded from another stream.
    pub async fn open(
        database: Database,
        shard: Shard,
        stream_created: i64,
    ) -> Result<Self, ProjectError> {
        let at = database.checkpoint(shard, stream_created).await?;
        if at.stream_created != stream_created {
            return Err(ProjectError::OtherStream {
                shard,
                what: "it was made at another time".into(),
            });
        }
        Ok(Self {
            database,
            shard,
            at,
            pictures: Pictures::default(),
        })
    }

    /// Where the views are.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.at
    }

    /// Checks that the log still holds the newest projected frame: `message_id` is what the log has at
    /// [`Self::checkpoint`].
    ///
    /// # Errors
    /// [`ProjectError::OtherStream`] if it holds another frame there, or none.
    pub fn recognise(&self, message_id: Option<&str>) -> Result<(), ProjectError> {
        let known = self.at.message_id.as_deref();
        if known.is_none() || known == message_id {
            return Ok(());
        }
        let seq = self.at.seq;
        let what = match message_id {
            Some(_) => format!("frame {seq} is another one"),
            None => format!("frame {seq} is not in it; an older copy may have been restored"),
        };
        let shard = self.shard;
        Err(ProjectError::OtherStream { shard, what })
    }

    /// Checks that the views still are where this projection left them; worth asking when no frames come.
    ///
    /// # Errors
    /// [`ProjectError::Overtaken`] if they are not, because they were wiped or another projector moved them.
    pub async fn confirm(&self) -> Result<(), ProjectError> {
        let created = self.at.stream_created;
        let stored = self.database.checkpoint(self.shard, created).await?;
        if stored == self.at {
            Ok(())
        } else {
            Err(ProjectError::Overtaken(self.shard))
        }
    }

    /// Takes in frames of this shard, in the log's order, and says where the views are then. `message_id` is that of
    /// the last frame. Frames already taken in change nothing.
    ///
    /// # Errors
    /// [`ProjectError::Overtaken`] if another projector was faster; then nothing was written.
    pub async fn project(
        &mut self,
        frames: &[Recorded],
        message_id: Option<String>,
    ) -> Result<Seq, ProjectError> {
        let known = frames.partition_point(|frame| frame.seq <= self.at.seq);
        let Some(last) = frames[known..].last() else {
            return Ok(self.at.seq);
        };
        let to = Checkpoint {
            seq: last.seq,
            stream_created: self.at.stream_created,
            message_id,
        };
        let written = self.write(&frames[known..], &to).await;
        if written.is_err() {
            self.pictures.clear();
        }
        written?;
        self.pictures.trim();
        self.at = to;
        Ok(self.at.seq)
    }

    async fn write(&mut self, frames: &[Recorded], to: &Checkpoint) -> Result<(), ProjectError> {
        let mut client = self.database.client().await?;
        let missing = self.missing(frames);
        for folded in load(&client, &missing, ITEMS).await? {
            self.pictures.put(folded);
        }
        let changes = self.fold(frames);
        let batch = Batch::of(self.shard, &self.pictures, &changes)?;

        let tx = client.transaction().await?;
        checkpoint::advance(&tx, self.shard, &self.at, to).await?;
        batch.write(&tx).await?;
        tx.commit().await?;
        Ok(())
    }

    fn missing(&self, frames: &[Recorded]) -> Vec<SessionId> {
        let mut missing: Vec<_> = frames.iter().map(|frame| frame.session).collect();
        missing.sort_unstable();
        missing.dedup();
        missing.retain(|session| !self.pictures.has(*session));
        missing
    }

    fn fold(&mut self, frames: &[Recorded]) -> BTreeMap<SessionId, Change> {
        let mut changes = BTreeMap::new();
        for frame in frames {
            let folded = self.pictures.touch(frame.session);
            let fresh = || Change::since(folded.picture.session.seq);
            let change = changes.entry(frame.session).or_insert_with(fresh);
            change.apply(folded, frame);
        }
        changes
    }
}
