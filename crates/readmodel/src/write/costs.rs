//! The columns of the costs' rows.

use super::execute;
use crate::row::number;
use crate::spent::Spent;
use deadpool_postgres::Transaction;
use duplex_domain::Session;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

// A call is in one frame and a frame is taken in once, so no row is there already.
const COSTS: &str = "
INSERT INTO view.cost (session, seq, idx, team, person, workspace, model, at, input, output, cache_write,
    cache_write_1h, cache_read, pico)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])";

#[derive(Default)]
pub(super) struct Costs<'a> {
    session: Vec<Uuid>,
    seq: Vec<i64>,
    index: Vec<i32>,
    team: Vec<Uuid>,
    person: Vec<Option<Uuid>>,
    workspace: Vec<Uuid>,
    model: Vec<&'a str>,
    at: Vec<i64>,
    input: Vec<i64>,
    output: Vec<i64>,
    cache_write: Vec<i64>,
    cache_write_1h: Vec<i64>,
    cache_read: Vec<i64>,
    pico: Vec<Option<i64>>,
}

impl<'a> Costs<'a> {
    pub fn push(&mut self, session: &Session, spent: &'a Spent) {
        self.session.push(session.id.0);
        self.seq.push(number(spent.place.seq.0));
        let index = i32::try_from(spent.place.index);
        self.index.push(index.unwrap_or(i32::MAX));
        self.team.push(session.team.0);
        self.person.push(spent.person.map(|person| person.0));
        self.workspace.push(session.workspace.0);
        self.model.push(&spent.model);
        self.at.push(spent.at.0);
        self.input.push(number(spent.usage.input));
        self.output.push(number(spent.usage.output));
        self.cache_write.push(number(spent.usage.cache_write));
        self.cache_write_1h.push(number(spent.usage.cache_write_1h));
        self.cache_read.push(number(spent.usage.cache_read));
        self.pico.push(spent.pico.map(number));
    }

    pub async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 14] = [
            &self.session,
            &self.seq,
            &self.index,
            &self.team,
            &self.person,
            &self.workspace,
            &self.model,
            &self.at,
            &self.input,
            &self.output,
            &self.cache_write,
            &self.cache_write_1h,
            &self.cache_read,
            &self.pico,
        ];
        execute(tx, COSTS, &params).await
    }
}
