//! The columns of the items' rows.

use super::execute;
use crate::DatabaseError;
use crate::row::{kind, number, plain};
use deadpool_postgres::Transaction;
use duplex_domain::{Item, Session};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const ITEMS: &str = "
INSERT INTO view.item (session, seq, idx, part, turn, kind, open, body, plain, team)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::integer[], $4::integer[], $5::uuid[], $6::text[],
    $7::boolean[], $8::text[], $9::text[], $10::uuid[])
ON CONFLICT (session, seq, idx, part) DO UPDATE SET
    turn = excluded.turn, kind = excluded.kind, open = excluded.open, body = excluded.body,
    plain = excluded.plain";

#[derive(Default)]
pub(super) struct Items {
    session: Vec<Uuid>,
    seq: Vec<i64>,
    index: Vec<i32>,
    part: Vec<i32>,
    turn: Vec<Option<Uuid>>,
    kind: Vec<&'static str>,
    open: Vec<bool>,
    body: Vec<String>,
    plain: Vec<String>,
    team: Vec<Uuid>,
}

impl Items {
    pub fn push(&mut self, session: &Session, part: i32, item: &Item) -> Result<(), DatabaseError> {
        self.session.push(session.id.0);
        self.team.push(session.team.0);
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

    pub async fn write(&self, tx: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
        if self.session.is_empty() {
            return Ok(());
        }
        let params: [&(dyn ToSql + Sync); 10] = [
            &self.session,
            &self.seq,
            &self.index,
            &self.part,
            &self.turn,
            &self.kind,
            &self.open,
            &self.body,
            &self.plain,
            &self.team,
        ];
        execute(tx, ITEMS, &params).await
    }
}
