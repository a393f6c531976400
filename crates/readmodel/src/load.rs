//! Stored sessions back into pictures that can be folded further.

use crate::DatabaseError;
use crate::pictures::Folded;
use deadpool_postgres::GenericClient;
use duplex_domain::{Item, Picture, Session, SessionId, Transcript};
use std::collections::BTreeMap;
use tokio_postgres::Row;
use uuid::Uuid;

/// The newest items of each session, whole frames, reaching back to the first item that may still change.
const NEWEST: &str = "
WITH wanted AS MATERIALIZED (
    SELECT given.session, least(
        coalesce((SELECT i.seq FROM view.item i WHERE i.session = given.session
                  ORDER BY i.seq DESC, i.idx DESC, i.part DESC OFFSET $2::bigint - 1 LIMIT 1), 0),
        (SELECT min(i.seq) FROM view.item i WHERE i.session = given.session AND i.open)) AS first
    FROM unnest($1::uuid[]) AS given(session)
), reaching AS MATERIALIZED (
    SELECT session, first, EXISTS (SELECT 1 FROM view.item i
        WHERE i.session = wanted.session AND i.seq < wanted.first) AS older
    FROM wanted
)
SELECT i.session, i.body, reaching.older
FROM reaching JOIN view.item i ON i.session = reaching.session AND i.seq >= reaching.first
ORDER BY i.session, i.seq, i.idx, i.part";

/// The pictures of those of the sessions that are stored, each with its newest `keep` items or more.
///
/// The two statements see one moment only within a repeatable transaction; a projection needs none, since its
/// compare-and-set fails if anything moved.
pub(crate) async fn load<C: GenericClient>(
    client: &C,
    sessions: &[SessionId],
    keep: usize,
) -> Result<Vec<Folded>, DatabaseError> {
    if sessions.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = sessions.iter().map(|session| session.0).collect();
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    let snapshots = async {
        let sql = "SELECT snapshot, payer FROM view.session WHERE id = ANY($1)";
        let statement = client.prepare_cached(sql).await?;
        client.query(&statement, &[&ids]).await
    };
    let items = async {
        let statement = client.prepare_cached(NEWEST).await?;
        client.query(&statement, &[&ids, &keep]).await
    };
    let (snapshots, items) = tokio::try_join!(snapshots, items)?;
    pictures(&snapshots, &items)
}

fn pictures(snapshots: &[Row], items: &[Row]) -> Result<Vec<Folded>, DatabaseError> {
    let mut transcripts: BTreeMap<Uuid, Transcript> = BTreeMap::new();
    for row in items {
        let transcript = transcripts.entry(row.get("session")).or_default();
        transcript.older = row.get("older");
        transcript.items.push(item(row)?);
    }
    let mut pictures = Vec::with_capacity(snapshots.len());
    for row in snapshots {
        let session = session(row)?;
        let transcript = transcripts.remove(&session.id.0).unwrap_or_default();
        let picture = Picture {
            session,
            transcript,
        };
        let payer = serde_json::from_str(row.get("payer"))?;
        pictures.push(Folded { picture, payer });
    }
    Ok(pictures)
}

/// The state in a row's `snapshot`.
pub(crate) fn session(row: &Row) -> Result<Session, DatabaseError> {
    Ok(serde_json::from_str(row.get("snapshot"))?)
}

/// The item in a row's `body`.
pub(crate) fn item(row: &Row) -> Result<Item, DatabaseError> {
    Ok(serde_json::from_str(row.get("body"))?)
}
