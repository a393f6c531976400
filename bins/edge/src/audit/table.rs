//! The audit log as a table for spreadsheets.

use super::pages::filter;
use crate::app::App;
use crate::body::Params;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use duplex_domain::audit::Record;
use duplex_readmodel::LONGEST_AUDIT_PAGE;
use duplex_wire::ErrorBody;
use futures_util::stream::{once, try_unfold};
use futures_util::{StreamExt, future};
use std::io;

const COLUMNS: [&str; 15] = [
    "number", "time_utc", "who", "person", "how", "what", "on", "id", "detail", "outcome", "code",
    "times", "address", "program", "request",
];

/// The records that match, newest first, as comma-separated values (RFC 4180) in UTF-8; for owners of the team. What a
/// spreadsheet would take for a formula has an apostrophe before it. Only the whole export can be checked.
#[utoipa::path(get, path = "/api/team/audit/table", tag = "team",
    params(("who" = Option<String>, Query, description = "as for the pages"),
        ("what" = Option<String>, Query, description = "as for the pages"),
        ("outcome" = Option<String>, Query, description = "as for the pages"),
        ("from" = Option<i64>, Query, description = "as for the pages"),
        ("until" = Option<i64>, Query, description = "as for the pages"),
        ("q" = Option<String>, Query, description = "as for the pages")),
    responses((status = 200, description = "a line with the columns' names, then one for each record", content((String = "text/csv"))),
        (status = "default", body = ErrorBody)))]
pub(crate) async fn table(
    State(app): State<App>,
    signed_in: SignedIn,
    params: Params,
) -> Result<Response, Failure> {
    let filter = filter(&params)?;
    let team = signed_in.user.team;
    // The state is where the next page begins; none behind the last one.
    let pages = try_unfold(Some(None::<String>), move |from| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(cursor) = from else { return Ok(None) };
            let cursor = cursor.as_deref();
            let page = app
                .database
                .audit_page(team, &filter, cursor, LONGEST_AUDIT_PAGE)
                .await
                .map_err(io::Error::other)?;
            let rows = page.records.iter().map(row);
            Ok::<_, io::Error>(Some((lines(rows)?, page.cursor.map(Some))))
        }
    });
    let head = once(future::ready(lines([COLUMNS.map(str::to_owned)])));
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, Body::from_stream(head.chain(pages))).into_response())
}

fn lines(rows: impl IntoIterator<Item = [String; COLUMNS.len()]>) -> io::Result<Bytes> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.map(plain))?;
    }
    let bytes = writer.into_inner().map_err(io::Error::other)?;
    Ok(bytes.into())
}

/// What no spreadsheet takes for a formula (OWASP, "CSV Injection").
fn plain(cell: String) -> String {
    match cell.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{cell}"),
        _ => cell,
    }
}

fn row(record: &Record) -> [String; COLUMNS.len()] {
    let deed = &record.deed;
    let on = deed.on.as_ref();
    let detail: Vec<String> = deed
        .detail
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    [
        record.n.to_string(),
        deed.at.utc(),
        deed.who.name.clone(),
        deed.who
            .user
            .map_or_else(String::new, |user| user.to_string()),
        deed.who.how.as_str().to_owned(),
        deed.what.clone(),
        on.map_or_else(String::new, |on| on.kind.clone()),
        on.map_or_else(String::new, |on| on.id.clone()),
        detail.join("; "),
        deed.outcome.as_str().to_owned(),
        deed.code.clone(),
        deed.count.to_string(),
        deed.from.address.clone(),
        deed.from.agent.clone(),
        deed.trace.clone(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_breaks_its_row() {
        let mut cells = COLUMNS.map(|_| String::new());
        cells[0] = "=cmd|' /C calc'!A0".into();
        cells[1] = "@SUM(1)".into();
        cells[2] = "a \"quoted\", word\r\nand a line".into();
        let written = lines([cells]).unwrap();
        let mut read = csv::ReaderBuilder::new();
        let mut read = read.has_headers(false).from_reader(&*written);
        let read: Vec<_> = read.records().map(Result::unwrap).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(&read[0][0], "'=cmd|' /C calc'!A0");
        assert_eq!(&read[0][1], "'@SUM(1)");
        assert_eq!(&read[0][2], "a \"quoted\", word\r\nand a line");
    }
}
