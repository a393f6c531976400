//! How far people have read.

use crate::row::{count, number};
use crate::{Database, DatabaseError};
use duplex_domain::{Seq, SessionId, TeamId, Time, UserId};

/// The channel on which Postgres tells that rows of the list changed.
pub(crate) const ROWS: &str = "duplex_rows";

/// A position only grows, and only growth is told: to the person it belongs to.
const SET: &str = "
WITH moved AS (
    INSERT INTO account.read_position (team, person, session, seq) VALUES ($1, $2, $3, $4)
    ON CONFLICT (person, session) DO UPDATE SET seq = excluded.seq, at = now()
        WHERE account.read_position.seq < excluded.seq
    RETURNING session, person)
SELECT pg_notify($5, session::text || ' ' || person::text) FROM moved";

/// How far a person has read in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    /// The newest frame they have seen.
    pub seq: Seq,
    /// When they had.
    pub at: Time,
}

impl Database {
    /// How far a person has read in a session; none if they never looked at it.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn read_position(
        &self,
        team: TeamId,
        person: UserId,
        session: SessionId,
    ) -> Result<Option<ReadPosition>, DatabaseError> {
        let sql = "SELECT seq, (extract(epoch FROM at) * 1000)::bigint AS at
                   FROM account.read_position WHERE person = $1 AND session = $2";
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(sql).await?;
        let row = client
            .query_opt(&statement, &[&person.0, &session.0])
            .await?;
        Ok(row.map(|row| ReadPosition {
            seq: Seq(count(row.get("seq"))),
            at: Time(row.get("at")),
        }))
    }

    /// A person has seen a session up to a frame. A position never goes back. Says whether it moved. Whether they may
    /// read the session is for the caller to check.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn set_read_position(
        &self,
        team: TeamId,
        person: UserId,
        session: SessionId,
        seq: Seq,
    ) -> Result<bool, DatabaseError> {
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(SET).await?;
        let moved = client
            .query(
                &statement,
                &[&team.0, &person.0, &session.0, &number(seq.0), &ROWS],
            )
            .await?;
        Ok(!moved.is_empty())
    }
}
