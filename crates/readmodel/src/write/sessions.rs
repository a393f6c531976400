//! The columns of the sessions' rows.

use super::execute;
use crate::DatabaseError;
use crate::row::{number, without_nul, word};
use crate::spent::Payer;
use deadpool_postgres::Transaction;
use duplex_domain::Session;
use duplex_wire::SessionRow;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const SESSIONS: &str = "
INSERT INTO view.session (id, shard, seq, team, workspace, path, title, state, working, agent, model,
    input, output, cache_write, cache_read, pico, unpriced, opened_at, active_at, ended_at, members, snapshot, cache_write_1h,
    mode, budget, payer)
SELECT r.id, $2::smallint, r.seq, r.team, r.workspace, r.path, r.title, r.state, r.working, r.agent, r.model,
    r.input, r.output, r.cache_write, r.cache_read, r.pico, r.unpriced, r.opened_at, r.active_at, r.ended_at,
    r.members::uuid[], r.snapshot, r.cache_write_1h, r.mode, r.budget, r.payer
FROM unnest($1::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
    $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::text[], $23::bigint[],
    $24::text[], $25::bigint[], $26::text[])
    AS r(id, seq, team, workspace, path, title, state, working, agent, model, input, output, cache_write,
    cache_read, pico, unpriced, opened_at, active_at, ended_at, members, snapshot, cache_write_1h,
    mode, budget, payer)
ON CONFLICT (id) DO UPDATE SET
    seq = excluded.seq, team = excluded.team, workspace = excluded.workspace, path = excluded.path,
    title = excluded.title, state = excluded.state, working = excluded.working, agent = excluded.agent,
    model = excluded.model, input = excluded.input, output = excluded.output,
    cache_write = excluded.cache_write, cache_read = excluded.cache_read, pico = excluded.pico,
    unpriced = excluded.unpriced, opened_at = excluded.opened_at, active_at = excluded.active_at,
    ended_at = excluded.ended_at, members = excluded.members, snapshot = excluded.snapshot,
    cache_write_1h = excluded.cache_write_1h, mode = excluded.mode, budget = excluded.budget,
    payer = excluded.payer";

#[derive(Default)]
pub(super) struct Sessions {
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
    cache_write_1h: Vec<i64>,
    cache_read: Vec<i64>,
    pico: Vec<i64>,
    unpriced: Vec<i64>,
    opened_at: Vec<i64>,
    active_at: Vec<i64>,
    ended_at: Vec<Option<i64>>,
    members: Vec<String>,
    snapshot: Vec<String>,
    mode: Vec<String>,
    budget: Vec<Option<i64>>,
    payer: Vec<String>,
}

impl Sessions {
    pub fn push(&mut self, session: &Session, payer: &Payer) -> Result<(), DatabaseError> {
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
        self.cache_write_1h.push(number(row.usage.cache_write_1h));
        self.cache_read.push(number(row.usage.cache_read));
        self.pico.push(number(row.cost.pico));
        self.unpriced.push(i64::from(row.cost.unpriced));
        self.opened_at.push(row.opened_at.0);
        self.active_at.push(row.active_at.0);
        self.ended_at.push(row.ended_at.map(|at| at.0));
        self.members.push(members(session));
        self.snapshot.push(serde_json::to_string(session)?);
        self.mode.push(word(&row.mode)?);
        self.budget.push(row.budget.map(number));
        self.payer.push(serde_json::to_string(payer)?);
        Ok(())
    }

    pub async fn write(
        &self,
        tx: &Transaction<'_>,
        shard: i16,
    ) -> Result<(), tokio_postgres::Error> {
        let params: [&(dyn ToSql + Sync); 26] = [
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
            &self.cache_write_1h,
            &self.mode,
            &self.budget,
            &self.payer,
        ];
        execute(tx, SESSIONS, &params).await
    }
}

/// The members as an array's text: an array of arrays of different lengths cannot be unnested.
fn members(session: &Session) -> String {
    let ids: Vec<String> = session.members.keys().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}
