//! The audit log, for those who own the team.

use crate::app::App;
use crate::body::Params;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use duplex_domain::audit::{Checker, Cut, Head, Outcome};
use duplex_domain::{Seq, TeamId, Time};
use duplex_readmodel::{AuditFilter, LONGEST_AUDIT_PAGE};
use duplex_wire::{AuditChain, AuditPage, AuditWords, ErrorBody};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many records a page has if nobody says.
const USUAL_PAGE: usize = 100;

/// The audit log, newest first; for owners of the team.
#[utoipa::path(get, path = "/api/team/audit", tag = "team",
    params(("who" = Option<String>, Query, description = "only what this person did"),
        ("what" = Option<String>, Query, description = "only this word, such as `session.end`, or all that begin with it and a dot"),
        ("outcome" = Option<String>, Query, description = "`ok`, `refused` or `failed`"),
        ("from" = Option<i64>, Query, description = "from this moment on, in milliseconds since 1970 UTC"),
        ("until" = Option<i64>, Query, description = "before this moment"),
        ("q" = Option<String>, Query, description = "only what contains this text"),
        ("cursor" = Option<String>, Query, description = "of the page before"),
        ("limit" = Option<usize>, Query, description = "how many at most")),
    responses((status = 200, body = AuditPage), (status = "default", body = ErrorBody)))]
pub(crate) async fn page(
    State(app): State<App>,
    signed_in: SignedIn,
    params: Params,
) -> Result<Json<AuditPage>, Failure> {
    let team = signed_in.user.team;
    let filter = filter(&params)?;
    let limit = params.limit(USUAL_PAGE, LONGEST_AUDIT_PAGE)?;
    let cursor = params.text("cursor");
    Ok(Json(
        app.database
            .audit_page(team, &filter, cursor, limit)
            .await?,
    ))
}

/// What the audit log can be filtered by; for owners of the team.
#[utoipa::path(get, path = "/api/team/audit/words", tag = "team",
    responses((status = 200, body = AuditWords), (status = "default", body = ErrorBody)))]
pub(crate) async fn words(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<AuditWords>, Failure> {
    let team = signed_in.user.team;
    Ok(Json(app.database.audit_words(team).await?))
}

/// All records as they were written, oldest first, one a line; `duplex verify --audit FILE` checks them. For owners of
/// the team.
#[utoipa::path(get, path = "/api/team/audit/export", tag = "team",
    responses((status = 200, description = "records, one a line", content((Object = "application/x-ndjson"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn export(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Response, Failure> {
    let team = signed_in.user.team;
    let frames = app.audit.log.read(Some(team), Seq(0));
    let lines = frames.map(|frame| {
        let mut lines = frame.map_err(std::io::Error::other)?.lines.join("\n");
        lines.push('\n');
        Ok::<_, std::io::Error>(Bytes::from(lines))
    });
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// Whether the records are as they were written; for owners of the team.
#[utoipa::path(get, path = "/api/team/audit/chain", tag = "team",
    responses((status = 200, body = AuditChain), (status = "default", body = ErrorBody)))]
pub(crate) async fn chain(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<AuditChain>, Failure> {
    let team = signed_in.user.team;
    let mut checked = app.chains.of(team);
    let mut frames = app.audit.log.read(Some(team), checked.seq).boxed();
    while checked.broken.is_none()
        && let Some(frame) = frames.try_next().await?
    {
        checked.take(&frame.lines);
        checked.seq = frame.seq;
    }
    let newest = app.audit.log.head(Some(team)).await?;
    if checked.broken.is_none() && newest.n < checked.head.n {
        let (from, to) = (newest.n + 1, checked.head.n);
        checked.broken = Some(Cut::Removed { from, to }.to_string());
    }
    app.chains.keep(team, checked.clone());
    Ok(Json(AuditChain {
        unbroken: checked.head.n,
        hash: checked.head.hash.0,
        broken: checked.broken,
        waiting: app.audit.waiting(),
    }))
}

/// Which records a query asks for.
pub(super) fn filter(params: &Params) -> Result<AuditFilter, Failure> {
    Ok(AuditFilter {
        who: params.get("who")?,
        what: params.text("what").map(str::to_owned),
        outcome: params.text("outcome").map(outcome).transpose()?,
        from: params.get("from")?.map(Time),
        until: params.get("until")?.map(Time),
        q: params.text("q").map(str::to_owned),
    })
}

fn outcome(word: &str) -> Result<Outcome, Failure> {
    let message = "`outcome` is `ok`, `refused` or `failed`";
    let outcome = serde_json::from_value(serde_json::Value::from(word));
    outcome.map_err(|_| Failure::field("outcome", "bad_outcome", message))
}

/// How far the chains were checked; they only grow, so nobody checks a record twice.
#[derive(Default)]
pub(crate) struct Chains(Mutex<HashMap<TeamId, Checked>>);

#[derive(Clone)]
struct Checked {
    seq: Seq,
    head: Head,
    broken: Option<String>,
}

impl Checked {
    fn take(&mut self, lines: &[String]) {
        let mut checker = Checker::behind(self.head.clone());
        for line in lines {
            match checker.take(line) {
                Ok(head) => self.head = head.clone(),
                Err(cut) => {
                    self.broken = Some(cut.to_string());
                    return;
                }
            }
        }
    }
}

impl Chains {
    fn of(&self, team: TeamId) -> Checked {
        let chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || Checked {
            seq: Seq(0),
            head: Head::start(Some(team)),
            broken: None,
        };
        chains.get(&team).cloned().unwrap_or_else(start)
    }

    fn keep(&self, team: TeamId, checked: Checked) {
        let mut chains = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        chains.insert(team, checked);
    }
}
