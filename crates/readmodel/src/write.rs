//! The rows of a batch, as arrays: one statement a table, whatever the batch's length.

use crate::DatabaseError;
use crate::change::{Change, Saved};
use crate::pictures::Pictures;
use crate::row::{kind, number, plain, without_nul, word};
use deadpool_postgres::Transaction;
use duplex_domain::{Item, Session, SessionId, Shard, Terminal, TerminalId};
use duplex_wire::SessionRow;
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const SESSIONS: &str = "
INSERT INTO view.session (id, shard, seq, team, workspace, path, title, state, working, agent, model,
    input, output, cache_write, cache_read, pico, unpriced, opened_at, active_at, ended_at, members, snapshot)
SELECT r.id, $2::smallint, r.seq, r.team, r.workspace, r.path, r.title, r.state, r.working, r.agent, r.model,
    r.input, r.output, r.cache_write, r.cache_read, r.pico, r.unpriced, r.opened_at, r.active_at, r.ended_at,
    r.members::uuid[], r.snapshot
FROM unnest($1::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
    $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::text[])
    AS r(id, seq, team, workspace, path, title, state, working, agent, model, input, output, cache_write,
    cache_read, pico, unpriced, opened_at, active_at, ended_at, members, snapshot)
ON CONFLICT (id) DO UPDATE SET
    seq = excluded.seq, team = excluded.team, workspace = excluded.workspace, path = excluded.path,
    title = excluded.title, state = excluded.state, working = excluded.working, agent = excluded.agent,
    model = excluded.model, input = excluded.input, output = excluded.output,
    cache_write = excluded.cache_write, cache_read = excluded.cache_read, pico = excluded.pico,
    unpriced = excluded.unpriced, opened_at = excluded.opened_at, active_at = excluded.active_at,
    ended_at = excluded.ended_at, members = excluded.members, snapshot = excluded.snapshot";

const ITEMS: &str = "
INSERT INTO view.item (session, seq, idx, part, turn, kind, open, body, plain)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::uuid[], $6::text[],
    $7::boolean[], $8::text[], $9::text[])
ON CONFLICT (session, seq, idx, part) DO UPDATE SET
    turn = excluded.turn, kind = excluded.kind, open = excluded.open, body = excluded.body,
    plain = excluded.plain";

const TERMINALS: &str = "
INSERT INTO view.terminal AS t (session, terminal, size, state, printed_offset, printed_seq,
    screen, screen_offset, screen_seq)
SELECT r.session, r.terminal, r.size, r.state, r.printed_offset, coalesce(r.printed_seq, 0), '', 0, 0
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS r(session, terminal, size, state, printed_offset, printed_seq)
ON CONFLICT (session, terminal) DO UPDATE SET
    size = excluded.size, state = excluded.state, printed_offset = excluded.printed_offset,
    printed_seq = greatest(t.printed_seq, excluded.printed_seq)";

const SCREENS: &str = "
UPDATE view.terminal AS t SET screen = r.screen, screen_offset = r.screen_offset, screen_seq = r.screen_seq
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[])
    AS r(session, terminal, screen, screen_offset, screen_seq)
WHERE t.session = r.session AND t.terminal = r.terminal";

/// The rows that a batch of frames touches.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    shard: i16,
    sessions: Sessions,
    items: Items,
    terminals: Terminals,
    screens: Screens<'a>,
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
            let Some(picture) = pictures.get(*id) else {
                continue;
            };
            let session = &picture.session;
            batch.sessions.push(session)?;
            for (part, item) in change.items(&picture.transcript) {
                batch.items.push(*id, part, item)?;
            }
            for (name, screen) in &change.terminals {
                let Some(terminal) = session.terminals.get(name) else {
                    continue;
                };
                let printed = screen.printed.map(|seq| number(seq.0));
                batch.terminals.push(*id, *name, terminal, printed)?;
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

#[derive(Default)]
struct Sessions {
    id: Vec<Uuid>,
    seq: Vec<i64>,
    team: Vec<Uuid>,
    workspace: Vec<Uuid>,
    path: Vec<String>,
    title: Vec<String>,
    state: Vec<String>,
    working: Vec<String>,
    agent: Vec<String>,
    model: Vec<String>,
    input: Vec<i64>,
    output: Vec<i64>,
    cache_write: Vec<i64>,
    cache_read: Vec<i64>,
    pico: Vec<i64>,
    unpriced: Vec<i64>,
    opened_at: Vec<i64>,
    active_at: Vec<i64>,
    ended_at: Vec<Option<i64>>,
    members: Vec<String>,
    snapshot: Vec<String>,
}

impl Sessions {
    fn push(&mut self, session: &Session) -> Result<(), DatabaseError> {
        let row = SessionRow::of(session);
        self.id.push(session.id.0);
        self.seq.push(number(session.seq.0));
        self.team.push(session.team.0);
        self.workspace.push(session.workspace.0);
        self.path.push(without_nul(&row.path).into_owned());
        self.title.push(without_nul(&row.title).into_owned());
        self.state.push(word(&row.state)?);
        self.working.push(word(&row.working)?);
        self.agent.push(without_nul(&row.agent).into_owned());
        self.model.push(without_nul(&row.model).into_owned());
        self.input.push(number(row.usage.input));
        self.output.push(number(row.usage.output));
        self.cache_write.push(number(row.usage.cache_write));
        self.cache_read.push(number(row.usage.cache_read));
        self.pico.push(number(row.cost.pico));
        self.unpriced.push(i64::from(row.cost.unpriced));
        self.opened_at.push(row.opened_at.0);
        self.active_at.push(row.active_at.0);
        self.ended_at.push(row.ended_at.map(|at| at.0));
        self.members.push(members(session));
        self.snapshot.push(serde_json::to_string(session)?);
        Ok(())
    }

    async fn write(&self, tx: &Transaction<'_>, shard: i16) -> Result<(), tokio_postgres::Error> {
        let params: [&(dyn ToSql + Sync); 22] = [
            &self.id,
            &shard,
            &self.seq,
            &self.team,
            &self.workspace,
            &self.path,
            &self.title,
            &self.state,
            &self.working,
            &self.agent,
            &self.model,
            &self.input,
            &self.output,
            &self.cache_write,
            &self.cache_read,
            &self.pico,
            &self.unpriced,
            &self.opened_at,
            &self.active_at,
            &self.ended_at,
            &self.members,
            &self.snapshot,
        ];
        execute(tx, SESSIONS, &params).await
    }
}

/// The members as an array's text: an array of arrays of different lengths cannot be unnested.
fn members(session: &Session) -> String {
    let ids: Vec<String> = session.members.keys().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

#[derive(Default)]
struct Items {
    session: Vec<Uuid>,
    seq: Vec<i64>,
    index: Vec<i32>,
    part: Vec<i32>,
    turn: Vec<Option<Uuid>>,
    kind: Vec<&'static str>,
    open: Vec<bool>,
    body: Vec<String>,
    plain: Vec<String>,
}

impl Items {
    fn push(&mut self, session: SessionId, part: i32, item: &Item) -> Result<(), DatabaseError> {
        self.session.push(session.0);
        self.seq.push(number(item.place.seq.0));
        self.index
            .push(i32::try_from(item.place.index).unwrap_or(i32::MAX));
        self.part.push(part);
        self.turn.push(item.turn.map(|turn| turn.0));
        self.kind.push(kind(item));
        self.open.push(item.is_open());
        self.body.push(serde_json::to_string(item)?);
        self.plain.push(plain(item));
        Ok(())
    }

    async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 9] = [
            &self.session,
            &self.seq,
            &self.index,
            &self.part,
            &self.turn,
            &self.kind,
            &self.open,
            &self.body,
            &self.plain,
        ];
        execute(tx, ITEMS, &params).await
    }
}

#[derive(Default)]
struct Terminals {
    session: Vec<Uuid>,
    terminal: Vec<Uuid>,
    size: Vec<String>,
    state: Vec<String>,
    printed_offset: Vec<i64>,
    printed_seq: Vec<Option<i64>>,
}

impl Terminals {
    fn push(
        &mut self,
        session: SessionId,
        name: TerminalId,
        terminal: &Terminal,
        printed: Option<i64>,
    ) -> Result<(), DatabaseError> {
        self.session.push(session.0);
        self.terminal.push(name.0);
        self.size.push(serde_json::to_string(&terminal.size)?);
        self.state.push(serde_json::to_string(&terminal.state)?);
        self.printed_offset.push(number(terminal.offset));
        self.printed_seq.push(printed);
        Ok(())
    }

    async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 6] = [
            &self.session,
            &self.terminal,
            &self.size,
            &self.state,
            &self.printed_offset,
            &self.printed_seq,
        ];
        execute(tx, TERMINALS, &params).await
    }
}

#[derive(Default)]
struct Screens<'a> {
    session: Vec<Uuid>,
    terminal: Vec<Uuid>,
    screen: Vec<&'a [u8]>,
    offset: Vec<i64>,
    seq: Vec<i64>,
}

impl<'a> Screens<'a> {
    fn push(&mut self, session: SessionId, terminal: TerminalId, saved: &'a Saved) {
        self.session.push(session.0);
        self.terminal.push(terminal.0);
        self.screen.push(&saved.bytes);
        self.offset.push(number(saved.offset));
        self.seq.push(number(saved.seq.0));
    }

    async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
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
