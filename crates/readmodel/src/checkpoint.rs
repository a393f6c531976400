//! How far the views contain each stream of the log.

use crate::row::{count, number};
use crate::{Database, DatabaseError, ProjectError};
use deadpool_postgres::Transaction;
use duplex_domain::{Seq, Shard};

/// Counts the ways of folding. Views folded in another way are wiped and built anew.
pub const VERSION: i32 = 2;

/// A stream's position in the views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The newest frame the views contain.
    pub seq: Seq,
    /// When the stream was made, in nanoseconds since 1970: another time is another stream.
    pub stream_created: i64,
    /// The newest frame's message id: another id is another history.
    pub message_id: Option<String>,
}

impl Database {
    /// A stream's position; before its first frame if the stream is new to the views.
    pub(crate) async fn checkpoint(
        &self,
        shard: Shard,
        stream_created: i64,
    ) -> Result<Checkpoint, DatabaseError> {
        let client = self.client().await?;
        let begin = "INSERT INTO view.checkpoint (shard, seq, stream_created, version)
                     VALUES ($1, 0, $2, $3) ON CONFLICT (shard) DO NOTHING";
        let shard = i16::from(shard.0);
        client
            .execute(begin, &[&shard, &stream_created, &VERSION])
            .await?;
        let read = "SELECT seq, stream_created, message_id FROM view.checkpoint WHERE shard = $1";
        let row = client.query_one(read, &[&shard]).await?;
        Ok(Checkpoint {
            seq: Seq(count(row.get("seq"))),
            stream_created: row.get("stream_created"),
            message_id: row.get("message_id"),
        })
    }

    /// Forgets every view; the projector then builds them anew from the log. Accounts stay.
    ///
    /// # Errors
    /// When Postgres does not do it.
    pub async fn wipe_views(&self) -> Result<(), DatabaseError> {
        let wipe = "TRUNCATE view.checkpoint, view.audit_checkpoint, view.audit, view.session, view.item, view.terminal, view.cost";
        self.client().await?.batch_execute(wipe).await?;
        Ok(())
    }

    /// Wipes views that an older program folded in another way. Says whether it did.
    ///
    /// # Errors
    /// When Postgres does not do it.
    pub async fn renew_views(&self) -> Result<bool, DatabaseError> {
        let client = self.client().await?;
        let read = "SELECT 1 FROM view.checkpoint WHERE version < $1 LIMIT 1";
        let old = client.query_opt(read, &[&VERSION]).await?.is_some();
        drop(client);
        if old {
            self.wipe_views().await?;
        }
        Ok(old)
    }
}

/// Moves a checkpoint if it is where it is believed to be. The row is locked from here to the end of the
/// transaction, so of two projectors one waits, and then finds itself overtaken before it has written anything.
pub(crate) async fn advance(
    tx: &Transaction<'_>,
    shard: Shard,
    from: &Checkpoint,
    to: &Checkpoint,
) -> Result<(), ProjectError> {
    // A crash of Postgres may take the newest commits back, rows and checkpoint together; the log still has them.
    let relax = tx.batch_execute("SET LOCAL synchronous_commit TO off");
    let sql = "UPDATE view.checkpoint SET seq = $1, message_id = $2
               WHERE shard = $3 AND seq = $4 AND stream_created = $5 AND version = $6";
    let advance = async {
        let statement = tx.prepare_cached(sql).await?;
        tx.execute(
            &statement,
            &[
                &number(to.seq.0),
                &to.message_id,
                &i16::from(shard.0),
                &number(from.seq.0),
                &from.stream_created,
                &VERSION,
            ],
        )
        .await
    };
    let ((), moved) = tokio::try_join!(relax, advance).map_err(DatabaseError::from)?;
    if moved == 1 {
        Ok(())
    } else {
        Err(ProjectError::Overtaken(shard))
    }
}
