//! A session's rows beside what its log says they must be.

use crate::change::Change;
use crate::load::{item, session};
use crate::view::screens;
use crate::{Database, DatabaseError, StoredScreen};
use duplex_domain::{Item, Picture, Recorded, Seq, Session, SessionId, TerminalId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio_postgres::IsolationLevel;

/// All that the views hold of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The state.
    pub session: Session,
    /// Every item, oldest first.
    pub items: Vec<Item>,
    /// Its terminals, by id.
    pub screens: Vec<StoredScreen>,
}

impl Rows {
    /// A hash over everything: two sessions with the same one are the same. SHA-256 of JSON, in hexadecimal digits.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no value read from JSON can cause.
    pub fn hash(&self) -> Result<String, DatabaseError> {
        let mut hash = Sha256::new();
        // Structs are written in the order of their fields and maps sorted, so equal values are equal bytes.
        hash.update(serde_json::to_vec(&(&self.session, &self.items))?);
        for screen in &self.screens {
            hash.update(screen.terminal.0.as_bytes());
            let counts = [
                screen.bytes.len() as u64,
                screen.offset,
                screen.seq.0,
                screen.printed_offset,
                screen.printed_seq.0,
            ];
            for count in counts {
                hash.update(count.to_be_bytes());
            }
            hash.update(&screen.bytes);
        }
        let hex = hash
            .finalize()
            .into_iter()
            .map(|byte| format!("{byte:02x}"));
        Ok(hex.collect())
    }
}

impl Database {
    /// All that the views hold of a session, at one moment; none if they do not know it.
    ///
    /// # Errors
    /// When Postgres does not answer or a row is not readable.
    pub async fn rows(&self, id: SessionId) -> Result<Option<Rows>, DatabaseError> {
        let mut client = self.client().await?;
        let tx = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let sql = "SELECT snapshot FROM view.session WHERE id = $1";
        let Some(row) = tx.query_opt(sql, &[&id.0]).await? else {
            return Ok(None);
        };
        let sql = "SELECT body FROM view.item WHERE session = $1 ORDER BY seq, idx, part";
        let items = tx.query(sql, &[&id.0]).await?;
        let screens = screens(&tx, id).await?;
        tx.commit().await?;
        Ok(Some(Rows {
            session: session(&row)?,
            items: items.iter().map(item).collect::<Result<_, _>>()?,
            screens,
        }))
    }
}

/// A session folded from its first frame, to compare with its rows. Give it the frames up to the rows'
/// `session.seq`: the views may be a moment behind the log.
pub struct Refold {
    picture: Picture,
    screens: BTreeMap<TerminalId, StoredScreen>,
}

impl Refold {
    /// Before the first frame.
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self {
            picture: Picture::new(session),
            screens: BTreeMap::new(),
        }
    }

    /// Takes in the next frame.
    pub fn apply(&mut self, recorded: &Recorded) {
        let mut change = Change::since(self.picture.session.seq);
        change.apply(&mut self.picture, recorded);
        for (terminal, changed) in change.terminals {
            let known = self.picture.session.terminals.get(&terminal);
            let Some(offset) = known.map(|known| known.offset) else {
                continue;
            };
            let fresh = || empty(terminal);
            let screen = self.screens.entry(terminal).or_insert_with(fresh);
            screen.printed_offset = offset;
            screen.printed_seq = changed.printed.unwrap_or(screen.printed_seq);
            if let Some(saved) = changed.saved {
                screen.bytes = saved.bytes;
                screen.offset = saved.offset;
                screen.seq = saved.seq;
            }
        }
    }

    /// The rows that the views must hold.
    #[must_use]
    pub fn rows(self) -> Rows {
        Rows {
            session: self.picture.session,
            items: self.picture.transcript.items,
            screens: self.screens.into_values().collect(),
        }
    }
}

fn empty(terminal: TerminalId) -> StoredScreen {
    StoredScreen {
        terminal,
        bytes: Vec::new(),
        offset: 0,
        seq: Seq(0),
        printed_offset: 0,
        printed_seq: Seq(0),
    }
}
