//! A session's rows beside what its log says they must be.

use crate::change::Change;
use crate::load::{item, session};
use crate::pictures::Folded;
use crate::row::count;
use crate::spent::Spent;
use crate::view::screens;
use crate::{Database, DatabaseError, StoredScreen};
use duplex_domain::{
    Item, Place, Recorded, Seq, Session, SessionId, TerminalId, Time, Usage, UserId,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tokio_postgres::{IsolationLevel, Row};
use uuid::Uuid;

const SPENT: &str = "
SELECT seq, idx, person, model, at, input, output, cache_write, cache_write_1h, cache_read, pico
FROM view.cost WHERE session = $1 ORDER BY seq, idx";

/// All that the views hold of one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// The state.
    pub session: Session,
    /// Every item, oldest first.
    pub items: Vec<Item>,
    /// Its terminals, by id.
    pub screens: Vec<StoredScreen>,
    /// Its model calls that were paid for, oldest first.
    pub spent: Vec<Spent>,
}

impl Rows {
    /// A hash over everything: two sessions with the same one are the same. SHA-256 of JSON, in hexadecimal digits.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no value read from JSON can cause.
    pub fn hash(&self) -> Result<String, DatabaseError> {
        let mut hash = Sha256::new();
        // Structs are written in the order of their fields and maps sorted, so equal values are equal bytes.
        hash.update(serde_json::to_vec(&(
            &self.session,
            &self.items,
            &self.spent,
        ))?);
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
        let calls = tx.query(SPENT, &[&id.0]).await?;
        tx.commit().await?;
        Ok(Some(Rows {
            session: session(&row)?,
            items: items.iter().map(item).collect::<Result<_, _>>()?,
            screens,
            spent: calls.iter().map(spent).collect(),
        }))
    }
}

fn spent(row: &Row) -> Spent {
    let number = |column: &str| count(row.get(column));
    let pico: Option<i64> = row.get("pico");
    Spent {
        place: Place {
            seq: Seq(number("seq")),
            index: u32::try_from(row.get::<_, i32>("idx")).unwrap_or_default(),
        },
        person: row.get::<_, Option<Uuid>>("person").map(UserId),
        model: row.get("model"),
        at: Time(row.get("at")),
        usage: Usage {
            input: number("input"),
            output: number("output"),
            cache_write: number("cache_write"),
            cache_write_1h: number("cache_write_1h"),
            cache_read: number("cache_read"),
        },
        pico: pico.map(count),
    }
}

/// A session folded from its first frame, to compare with its rows. Give it the frames up to the rows'
/// `session.seq`: the views may be a moment behind the log.
pub struct Refold {
    folded: Folded,
    spent: Vec<Spent>,
    screens: BTreeMap<TerminalId, StoredScreen>,
}

impl Refold {
    /// Before the first frame.
    #[must_use]
    pub fn new(session: SessionId) -> Self {
        Self {
            folded: Folded::new(session),
            spent: Vec::new(),
            screens: BTreeMap::new(),
        }
    }

    /// Takes in the next frame.
    pub fn apply(&mut self, recorded: &Recorded) {
        let mut change = Change::since(self.folded.picture.session.seq);
        change.apply(&mut self.folded, recorded);
        self.spent.append(&mut change.spent);
        for (terminal, changed) in change.terminals {
            let known = self.folded.picture.session.terminals.get(&terminal);
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
            session: self.folded.picture.session,
            items: self.folded.picture.transcript.items,
            screens: self.screens.into_values().collect(),
            spent: self.spent,
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
