//! Pages of a person's sessions.

use crate::row::{count, time, value_of};
use crate::{Database, DatabaseError};
use duplex_domain::{Cost, SessionId, State, TeamId, Usage, UserId, WorkspaceId};
use duplex_wire::{SessionPage, SessionRow};
use std::str::FromStr;
use tokio_postgres::Row;
use uuid::Uuid;

/// How many sessions one page has at most.
pub const LONGEST_PAGE: usize = 200;

const PAGE: &str = "
SELECT id, title, state, working, workspace, path, agent, model, input, output, cache_write, cache_write_1h, cache_read, pico,
    unpriced, opened_at, active_at, ended_at, mode, budget
FROM view.session
WHERE members @> ARRAY[$1::uuid] AND team = $2
    AND ($3::text IS NULL OR state = $3)
    AND ($4::uuid IS NULL OR workspace = $4)
    AND ($5::text IS NULL OR title ILIKE $5 OR path ILIKE $5 OR id::text ILIKE $5
        OR replace(id::text, '-', '') ILIKE $5)
    AND ($6::boolean IS NULL OR ended > $6 OR (ended = $6 AND id < $7::uuid))
ORDER BY ended, id DESC
LIMIT $8";

/// Which sessions are wanted; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Only those whose title, path or id contains this, in capitals or not.
    pub q: Option<String>,
}

/// The last row of a page: the next page begins behind it. Ids grow with the time of opening and never change, so
/// sessions opened in the meantime come before every cursor and move nothing.
#[derive(Clone, Copy)]
struct Cursor {
    ended: bool,
    id: SessionId,
}

impl Cursor {
    fn behind(row: &SessionRow) -> String {
        let group = if row.state == State::Ended { 'e' } else { 'a' };
        format!("{group}{}", row.id)
    }
}

impl FromStr for Cursor {
    type Err = DatabaseError;
    fn from_str(text: &str) -> Result<Self, DatabaseError> {
        let parse = || {
            let (ended, id) = match text.strip_prefix('a') {
                Some(id) => (false, id),
                None => (true, text.strip_prefix('e')?),
            };
            let id = id.parse().ok()?;
            Some(Self { ended, id })
        };
        parse().ok_or(DatabaseError::Cursor)
    }
}

impl Database {
    /// A page of the sessions that a person is a member of: active ones first, then by the time of opening, newest
    /// first. At most `limit` of them, itself at most [`LONGEST_PAGE`].
    ///
    /// # Errors
    /// [`DatabaseError::Cursor`] if `cursor` came from no page.
    pub async fn sessions(
        &self,
        user: UserId,
        team: TeamId,
        filter: &Filter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<SessionPage, DatabaseError> {
        let cursor: Option<Cursor> = cursor.map(str::parse).transpose()?;
        let limit = limit.clamp(1, LONGEST_PAGE);
        let state = filter.state.as_ref().map(crate::row::word).transpose()?;
        let workspace = filter.workspace.map(|workspace| workspace.0);
        let pattern = filter.q.as_deref().and_then(containing);
        let ended = cursor.map(|cursor| cursor.ended);
        let behind = cursor.map(|cursor| cursor.id.0);
        // One more than asked for tells whether there is a next page.
        let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);

        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(PAGE).await?;
        let rows = client
            .query(
                &statement,
                &[
                    &user.0, &team.0, &state, &workspace, &pattern, &ended, &behind, &ask,
                ],
            )
            .await?;
        let more = rows.len() > limit;
        let rows = rows.iter().take(limit).map(session_row);
        let sessions = rows.collect::<Result<Vec<_>, _>>()?;
        let cursor = sessions.last().filter(|_| more).map(Cursor::behind);
        Ok(SessionPage { sessions, cursor })
    }

    /// The stored sessions of a shard, oldest first.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn session_ids(
        &self,
        shard: duplex_domain::Shard,
    ) -> Result<Vec<SessionId>, DatabaseError> {
        let sql = "SELECT id FROM view.session WHERE shard = $1 ORDER BY id";
        let client = self.client().await?;
        let rows = client.query(sql, &[&i16::from(shard.0)]).await?;
        Ok(rows.iter().map(|row| SessionId(row.get(0))).collect())
    }
}

/// A pattern for text that contains `q`, taken by the letter; none if there is nothing in it.
pub(crate) fn containing(q: &str) -> Option<String> {
    let q = q.trim().replace('\0', "");
    if q.is_empty() {
        return None;
    }
    let escaped = q
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    Some(format!("%{escaped}%"))
}

fn session_row(row: &Row) -> Result<SessionRow, DatabaseError> {
    let number = |column: &str| count(row.get(column));
    let ended_at: Option<i64> = row.get("ended_at");
    Ok(SessionRow {
        id: SessionId(row.get("id")),
        title: row.get("title"),
        state: value_of(row.get("state"))?,
        working: value_of(row.get("working"))?,
        workspace: WorkspaceId(row.get::<_, Uuid>("workspace")),
        path: row.get("path"),
        agent: row.get("agent"),
        model: row.get("model"),
        usage: Usage {
            input: number("input"),
            output: number("output"),
            cache_write: number("cache_write"),
            cache_write_1h: number("cache_write_1h"),
            cache_read: number("cache_read"),
        },
        cost: Cost {
            pico: number("pico"),
            unpriced: u32::try_from(number("unpriced")).unwrap_or(u32::MAX),
        },
        mode: value_of(row.get("mode"))?,
        budget: row.get::<_, Option<i64>>("budget").map(count),
        opened_at: time(row, "opened_at"),
        active_at: time(row, "active_at"),
        ended_at: ended_at.map(duplex_domain::Time),
    })
}
