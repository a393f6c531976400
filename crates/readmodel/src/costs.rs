//! What was spent, over many sessions.

use crate::row::count;
use crate::{Database, DatabaseError, TeamRole, User};
use duplex_domain::{Cost, TeamId, Time, Usage};
use duplex_wire::{CostRow, Costs, CostsBy, Spending};
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

/// How many rows are shown at most.
pub const MOST_COST_ROWS: usize = 500;

/// Sums that end at the largest number instead of failing.
const SUMS: &str = "count(*) AS calls, count(*) - count(c.pico) AS unpriced,
    least(coalesce(sum(c.input), 0), 9223372036854775807)::bigint AS input,
    least(coalesce(sum(c.output), 0), 9223372036854775807)::bigint AS output,
    least(coalesce(sum(c.cache_write), 0), 9223372036854775807)::bigint AS cache_write,
    least(coalesce(sum(c.cache_write_1h), 0), 9223372036854775807)::bigint AS cache_write_1h,
    least(coalesce(sum(c.cache_read), 0), 9223372036854775807)::bigint AS cache_read,
    least(coalesce(sum(c.pico), 0), 9223372036854775807)::bigint AS pico";

/// The calls of a team in some time; of one person's sessions, if a person is given.
const MINE: &str = "c.team = $1
    AND ($2::uuid IS NULL OR EXISTS (SELECT 1 FROM view.session s
        WHERE s.id = c.session AND s.members @> ARRAY[$2::uuid]))
    AND ($3::bigint IS NULL OR c.at >= $3) AND ($4::bigint IS NULL OR c.at < $4)";

const THIS_MONTH: &str = "
WITH month AS (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS began)
SELECT to_char(month.began, 'YYYY-MM') AS month,
    least(coalesce(sum(c.pico), 0), 9223372036854775807)::bigint AS pico,
    count(c.session) - count(c.pico) AS unpriced
FROM month LEFT JOIN view.cost c
    ON c.team = $1 AND c.at >= (extract(epoch FROM month.began) * 1000)::bigint
GROUP BY month.began";

/// From when until when, and by what costs are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostsWanted {
    /// By what.
    pub by: CostsBy,
    /// From this moment on.
    pub from: Option<Time>,
    /// Before this moment.
    pub until: Option<Time>,
}

/// What a team has spent in a calendar month by UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthsCost {
    /// The month, as `2026-11`.
    pub month: String,
    /// What it spent.
    pub cost: Cost,
}

impl Database {
    /// What was spent in the sessions a person is a member of; an owner of the team sees all of the team's.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn costs(&self, user: &User, wanted: CostsWanted) -> Result<Costs, DatabaseError> {
        let (key, label, join) = grouping(wanted.by);
        let order = match wanted.by {
            CostsBy::Day => "key",
            _ => "pico DESC, calls DESC, key",
        };
        let limit = MOST_COST_ROWS + 1;
        let rows = format!(
            "SELECT {key} AS key, {label} AS label, {SUMS} FROM view.cost c {join}
             WHERE {MINE} GROUP BY 1 ORDER BY {order} LIMIT {limit}"
        );
        let total = format!("SELECT {SUMS} FROM view.cost c WHERE {MINE}");
        let person = (user.role != TeamRole::Owner).then_some(user.id.0);
        let (from, until) = (wanted.from.map(|at| at.0), wanted.until.map(|at| at.0));
        let params: [&(dyn ToSql + Sync); 4] = [&user.team.0, &person, &from, &until];

        let mut client = self.of(user.team).client().await?;
        let tx = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        let rows = tx.query(&tx.prepare_cached(&rows).await?, &params).await?;
        let total = tx.prepare_cached(&total).await?;
        let total = tx.query_one(&total, &params).await?;
        tx.commit().await?;
        Ok(Costs {
            by: wanted.by,
            rows: rows.iter().take(MOST_COST_ROWS).map(cost_row).collect(),
            more: rows.len() > MOST_COST_ROWS,
            total: spending(&total),
        })
    }

    /// What a team has spent in this calendar month by UTC.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn spent_this_month(&self, team: TeamId) -> Result<MonthsCost, DatabaseError> {
        let client = self.of(team).client().await?;
        let statement = client.prepare_cached(THIS_MONTH).await?;
        let row = client.query_one(&statement, &[&team.0]).await?;
        Ok(MonthsCost {
            month: row.get("month"),
            cost: cost(&row),
        })
    }
}

/// What tells the rows apart, what people call it, and where that is found. Ids are written as everywhere: without
/// hyphens.
fn grouping(by: CostsBy) -> (&'static str, &'static str, &'static str) {
    match by {
        CostsBy::Session => (
            "replace(c.session::text, '-', '')",
            "max(named.title)",
            "JOIN view.session named ON named.id = c.session",
        ),
        CostsBy::Person => (
            "coalesce(replace(c.person::text, '-', ''), '')",
            "coalesce(max(named.name), '')",
            "LEFT JOIN account.person named ON named.id = c.person",
        ),
        CostsBy::Workspace => (
            "replace(c.workspace::text, '-', '')",
            "max(named.path)",
            "JOIN view.session named ON named.id = c.session",
        ),
        CostsBy::Model => ("c.model", "c.model", ""),
        CostsBy::Day => (DAY, DAY, ""),
    }
}

const DAY: &str = "to_char(to_timestamp(c.at / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD')";

fn cost_row(row: &Row) -> CostRow {
    CostRow {
        key: row.get("key"),
        label: row.get("label"),
        spending: spending(row),
    }
}

fn spending(row: &Row) -> Spending {
    let number = |column: &str| count(row.get(column));
    Spending {
        calls: number("calls"),
        usage: Usage {
            input: number("input"),
            output: number("output"),
            cache_write: number("cache_write"),
            cache_write_1h: number("cache_write_1h"),
            cache_read: number("cache_read"),
        },
        cost: cost(row),
    }
}

fn cost(row: &Row) -> Cost {
    let unpriced = count(row.get("unpriced"));
    Cost {
        pico: count(row.get("pico")),
        unpriced: u32::try_from(unpriced).unwrap_or(u32::MAX),
    }
}
