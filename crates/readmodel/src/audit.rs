//! Who did what, as rows to look through.

use crate::row::{count, number, without_nul};
use crate::{Checkpoint, Database, DatabaseError};
use duplex_domain::audit::{Outcome, Record};
use duplex_domain::{Seq, TeamId, Time, UserId};
use duplex_wire::{AuditPage, AuditPerson, AuditWords};
use tokio_postgres::types::ToSql;

/// How many records one page has at most.
pub const LONGEST_AUDIT_PAGE: usize = 500;

const WRITE: &str = "
INSERT INTO view.audit (team, n, at, person, what, outcome, plain, record)
SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[])
ON CONFLICT (team, n) DO NOTHING";

const PAGE: &str = "
SELECT n, record FROM view.audit
WHERE team = $1
    AND ($2::uuid IS NULL OR person = $2)
    AND ($3::text IS NULL OR what = $3 OR what LIKE $3 || '.%')
    AND ($4::text IS NULL OR outcome = $4)
    AND ($5::bigint IS NULL OR at >= $5)
    AND ($6::bigint IS NULL OR at < $6)
    AND ($7::text IS NULL OR plain ILIKE $7)
    AND ($8::bigint IS NULL OR n < $8)
ORDER BY n DESC
LIMIT $9";

/// Which records are wanted; by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only what this person did.
    pub who: Option<UserId>,
    /// Only this word, or all words that begin with it and a dot.
    pub what: Option<String>,
    /// Only what came to this.
    pub outcome: Option<Outcome>,
    /// Only from this moment on.
    pub from: Option<Time>,
    /// Only before this moment.
    pub until: Option<Time>,
    /// Only what contains this text, in capitals or not.
    pub q: Option<String>,
}

/// The rows of some records, column by column.
#[derive(Default)]
struct Columns {
    team: Vec<uuid::Uuid>,
    n: Vec<i64>,
    at: Vec<i64>,
    person: Vec<Option<uuid::Uuid>>,
    what: Vec<String>,
    outcome: Vec<&'static str>,
    plain: Vec<String>,
    record: Vec<String>,
}

impl Columns {
    fn put(&mut self, record: &Record) {
        let deed = &record.deed;
        self.team.push(record.team.unwrap_or_default().0);
        self.n.push(number(record.n));
        self.at.push(deed.at.0);
        self.person.push(deed.who.user.map(|user| user.0));
        self.what.push(without_nul(&deed.what).into_owned());
        self.outcome.push(deed.outcome.as_str());
        self.plain.push(without_nul(&plain(record)).into_owned());
        self.record.push(record.line());
    }
}

/// What a search looks through.
fn plain(record: &Record) -> String {
    let deed = &record.deed;
    let on = deed.on.iter().flat_map(|on| [&on.kind, &on.id]);
    let detail = deed.detail.values();
    let rest = [
        &deed.who.name,
        &deed.what,
        &deed.code,
        &deed.from.address,
        &deed.from.agent,
        &deed.trace,
    ];
    let words: Vec<&str> = rest
        .into_iter()
        .chain(on)
        .chain(detail)
        .map(String::as_str)
        .collect();
    words.join(" ")
}

impl Database {
    /// How far the audit log is in the views; before its first message if it is new to them. Views of another stream
    /// are forgotten.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn audit_checkpoint(&self, stream_created: i64) -> Result<Checkpoint, DatabaseError> {
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let read = "SELECT seq, stream_created, message_id FROM view.audit_checkpoint FOR UPDATE";
        let known = tx.query_opt(read, &[]).await?.map(|row| Checkpoint {
            seq: Seq(count(row.get("seq"))),
            stream_created: row.get("stream_created"),
            message_id: row.get("message_id"),
        });
        if let Some(known) = known.filter(|known| known.stream_created == stream_created) {
            return Ok(known);
        }
        tx.batch_execute("TRUNCATE view.audit, view.audit_checkpoint")
            .await?;
        let begin = "INSERT INTO view.audit_checkpoint (seq, stream_created) VALUES (0, $1)";
        tx.execute(begin, &[&stream_created]).await?;
        tx.commit().await?;
        Ok(Checkpoint {
            seq: Seq(0),
            stream_created,
            message_id: None,
        })
    }

    /// Takes in records, and moves the checkpoint in the same transaction; false if another projector moved it, or
    /// the views were wiped. Nothing was written then.
    ///
    /// # Errors
    /// When Postgres does not do it.
    pub async fn write_audit(
        &self,
        records: &[Record],
        from: &Checkpoint,
        to: &Checkpoint,
    ) -> Result<bool, DatabaseError> {
        let mut columns = Columns::default();
        for record in records {
            columns.put(record);
        }
        let Columns {
            team,
            n,
            at,
            person,
            what,
            outcome,
            plain,
            record,
        } = columns;
        let mut client = self.client().await?;
        let tx = client.transaction().await?;
        let advance = "UPDATE view.audit_checkpoint SET seq = $1, message_id = $2
                       WHERE seq = $3 AND stream_created = $4";
        let values: [&(dyn ToSql + Sync); 4] = [
            &number(to.seq.0),
            &to.message_id,
            &number(from.seq.0),
            &from.stream_created,
        ];
        if tx.execute(advance, &values).await? != 1 {
            return Ok(false);
        }
        let columns: [&(dyn ToSql + Sync); 8] =
            [&team, &n, &at, &person, &what, &outcome, &plain, &record];
        tx.execute(WRITE, &columns).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A page of a team's records, newest first. At most `limit` of them, itself at most [`LONGEST_AUDIT_PAGE`].
    ///
    /// # Errors
    /// [`DatabaseError::Cursor`] if `cursor` came from no page.
    pub async fn audit_page(
        &self,
        team: TeamId,
        filter: &AuditFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<AuditPage, DatabaseError> {
        let before = cursor.map(str::parse::<i64>).transpose();
        let before = before.map_err(|_| DatabaseError::Cursor)?;
        let limit = limit.clamp(1, LONGEST_AUDIT_PAGE);
        let pattern = filter.q.as_deref().and_then(crate::list::containing);
        let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(PAGE).await?;
        let values: [&(dyn ToSql + Sync); 9] = [
            &team.0,
            &filter.who.map(|who| who.0),
            &filter.what,
            &filter.outcome.map(Outcome::as_str),
            &filter.from.map(|at| at.0),
            &filter.until.map(|at| at.0),
            &pattern,
            &before,
            &ask,
        ];
        let rows = client.query(&statement, &values).await?;
        let more = rows.len() > limit;
        let shown = rows.iter().take(limit);
        let records = shown
            .map(|row| Ok(serde_json::from_str(row.get("record"))?))
            .collect::<Result<Vec<Record>, DatabaseError>>()?;
        let cursor = records
            .last()
            .filter(|_| more)
            .map(|last| last.n.to_string());
        Ok(AuditPage { records, cursor })
    }

    /// What a team's records can be filtered by.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn audit_words(&self, team: TeamId) -> Result<AuditWords, DatabaseError> {
        let client = self.of(team).client().await?;
        let sql = "SELECT DISTINCT what FROM view.audit WHERE team = $1 ORDER BY what";
        let words = client.query(sql, &[&team.0]).await?;
        let sql = "SELECT DISTINCT ON (person) person, record FROM view.audit
                   WHERE team = $1 AND person IS NOT NULL ORDER BY person, n DESC";
        let people = client.query(sql, &[&team.0]).await?;
        let person = |row: &tokio_postgres::Row| {
            let record: Record = serde_json::from_str(row.get("record"))?;
            let name = record.deed.who.name;
            let user = UserId(row.get("person"));
            Ok::<_, DatabaseError>(AuditPerson { user, name })
        };
        Ok(AuditWords {
            what: words.iter().map(|row| row.get("what")).collect(),
            people: people.iter().map(person).collect::<Result<_, _>>()?,
        })
    }
}
