//! The columns of the terminals' rows, and of their screens.

use super::execute;
use crate::DatabaseError;
use crate::change::Saved;
use crate::row::number;
use deadpool_postgres::Transaction;
use duplex_domain::{Session, SessionId, Terminal, TerminalId};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const TERMINALS: &str = "
INSERT INTO view.terminal AS t (session, terminal, size, state, printed_offset, printed_seq,
    screen, screen_offset, screen_seq, team)
SELECT r.session, r.terminal, r.size, r.state, r.printed_offset, coalesce(r.printed_seq, 0), '', 0, 0, r.team
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[],
    $7::uuid[])
    AS r(session, terminal, size, state, printed_offset, printed_seq, team)
ON CONFLICT (session, terminal) DO UPDATE SET
    size = excluded.size, state = excluded.state, printed_offset = excluded.printed_offset,
    printed_seq = greatest(t.printed_seq, excluded.printed_seq)";

const SCREENS: &str = "
UPDATE view.terminal AS t SET screen = r.screen, screen_offset = r.screen_offset, screen_seq = r.screen_seq
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[])
    AS r(session, terminal, screen, screen_offset, screen_seq)
WHERE t.session = r.session AND t.terminal = r.terminal";

#[derive(Default)]
pub(super) struct Terminals {
    session: Vec<Uuid>,
    terminal: Vec<Uuid>,
    size: Vec<String>,
    state: Vec<String>,
    printed_offset: Vec<i64>,
    printed_seq: Vec<Option<i64>>,
    team: Vec<Uuid>,
}

impl Terminals {
    pub fn push(
        &mut self,
        session: &Session,
        name: TerminalId,
        terminal: &Terminal,
        printed: Option<i64>,
    ) -> Result<(), DatabaseError> {
        self.session.push(session.id.0);
        self.team.push(session.team.0);
        self.terminal.push(name.0);
        self.size.push(serde_json::to_string(&terminal.size)?);
        self.state.push(serde_json::to_string(&terminal.state)?);
        self.printed_offset.push(number(terminal.offset));
        self.printed_seq.push(printed);
        Ok(())
    }

    pub async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 7] = [
            &self.session,
            &self.terminal,
            &self.size,
            &self.state,
            &self.printed_offset,
            &self.printed_seq,
            &self.team,
        ];
        execute(tx, TERMINALS, &params).await
    }
}

#[derive(Default)]
pub(super) struct Screens<'a> {
    session: Vec<Uuid>,
    terminal: Vec<Uuid>,
    screen: Vec<&'a [u8]>,
    offset: Vec<i64>,
    seq: Vec<i64>,
}

impl<'a> Screens<'a> {
    pub fn push(&mut self, session: SessionId, terminal: TerminalId, saved: &'a Saved) {
        self.session.push(session.0);
        self.terminal.push(terminal.0);
        self.screen.push(&saved.bytes);
        self.offset.push(number(saved.offset));
        self.seq.push(number(saved.seq.0));
    }

    pub async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 5] = [
            &self.session,
            &self.terminal,
            &self.screen,
            &self.offset,
            &self.seq,
        ];
        execute(tx, SCREENS, &params).await
    }
}
