//! The rows of a batch, as arrays: one statement a table, whatever the batch's length.

mod costs;
mod items;
mod sessions;
mod terminals;

use crate::DatabaseError;
use crate::change::Change;
use crate::pictures::Pictures;
use crate::row::number;
use costs::Costs;
use deadpool_postgres::Transaction;
use duplex_domain::{SessionId, Shard};
use items::Items;
use sessions::Sessions;
use std::collections::BTreeMap;
use terminals::{Screens, Terminals};
use tokio_postgres::types::ToSql;

/// The rows that a batch of frames touches.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    shard: i16,
    sessions: Sessions,
    items: Items,
    terminals: Terminals,
    screens: Screens<'a>,
    costs: Costs<'a>,
}

impl<'a> Batch<'a> {
    /// The rows of the sessions that changed, as they stand after the batch.
    pub fn of(
        shard: Shard,
        pictures: &Pictures,
        changes: &'a BTreeMap<SessionId, Change>,
    ) -> Result<Self, DatabaseError> {
        let mut batch = Self {
            shard: i16::from(shard.0),
            ..Self::default()
        };
        for (id, change) in changes {
            let Some(folded) = pictures.get(*id) else {
                continue;
            };
            let (picture, session) = (&folded.picture, &folded.picture.session);
            batch.sessions.push(session, &folded.payer)?;
            for spent in &change.spent {
                batch.costs.push(session, spent);
            }
            for (part, item) in change.items(&picture.transcript) {
                batch.items.push(session, part, item)?;
            }
            for (name, screen) in &change.terminals {
                let Some(terminal) = session.terminals.get(name) else {
                    continue;
                };
                let printed = screen.printed.map(|seq| number(seq.0));
                batch.terminals.push(session, *name, terminal, printed)?;
                if let Some(saved) = &screen.saved {
                    batch.screens.push(*id, *name, saved);
                }
            }
        }
        Ok(batch)
    }

    /// Writes them. The statements for different tables travel together.
    pub async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        tokio::try_join!(
            self.sessions.write(tx, self.shard),
            self.items.write(tx),
            self.costs.write(tx),
            async {
                self.terminals.write(tx).await?;
                self.screens.write(tx).await
            }
        )?;
        Ok(())
    }
}

async fn execute(
    tx: &Transaction<'_>,
    sql: &str,
    params: &[&(dyn ToSql + Sync)],
) -> Result<(), tokio_postgres::Error> {
    let statement = tx.prepare_cached(sql).await?;
    tx.execute(&statement, params).await?;
    Ok(())
}
