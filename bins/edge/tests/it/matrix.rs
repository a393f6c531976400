//! Who may do what: everybody against every route, every command and every frame, by one table.

mod cast;
mod commands;
mod frames;
mod routes;

use cast::Cast;
use reqwest::Method;
use serde_json::Value;

/// What a refusal means, by its code: the mark that stands for it in the tables, and its status.
const REFUSALS: [(&str, char, u16); 8] = [
    ("signed_out", '1', 401),
    ("visitor", 'v', 403),
    ("guest", 'g', 403),
    ("not_the_owner", 'o', 403),
    ("role_too_small", 'r', 403),
    ("bad_lanes", 'r', 422),
    ("not_found", '4', 404),
    ("no_link", '4', 404),
];

/// The mark of an answer: how it was refused, or `+` where its sender was let through.
fn mark(status: u16, body: &Value) -> char {
    let code = body["error"]["code"].as_str().unwrap_or_default();
    match REFUSALS.iter().find(|(known, ..)| *known == code) {
        Some((_, mark, expected)) => {
            assert_eq!(status, *expected, "{body}");
            *mark
        }
        None => '+',
    }
}

/// Everybody who asks, in the order of the tables' columns.
const CALLERS: [&str; 12] = [
    "nobody",
    "a viewer",
    "a commenter",
    "a driver",
    "the session's owner",
    "a member who is not in the session",
    "an owner of the team who is not in the session",
    "a guest who views the session",
    "an owner of another team",
    "a visitor by a commenter's link",
    "a visitor by a link to the past",
    "somebody shut out, who was a driver",
];

// The columns are those of `CALLERS`.
const ANYBODY: &str = "++++++++++++";
const ONES_OWN: &str = "1++++++++vv1";
const WHO_AM_I: &str = "1++++++++++1";
/// The visitors come last here, and by then the member whose links they came by has left.
const LEAVE: &str = "1++++++++111";
const MEMBERS: &str = "1++++++g+vv1";
const TEAM_OWNERS: &str = "1ooooo+o+vv1";
const VIEWERS: &str = "1++++44+4+41";
const VIEWERS_WITH_AN_ACCOUNT: &str = "1++++44+4vv1";
const COMMENTERS: &str = "1r+++44r4+41";
const DRIVERS: &str = "1rr++44r4r41";
const SESSION_OWNERS: &str = "1rrr+44r4r41";
const SESSION_OWNERS_WITH_AN_ACCOUNT: &str = "1rrr+44r4vv1";
/// A browser that came by a link to the past has something to see there, and nobody else.
const PAST: &str = "1111111114+1";

/// Asks one thing as everybody, and tells what became of it as a row of the table.
async fn row(cast: &Cast, method: &Method, path: &str, body: &Value, answer: u16) -> String {
    let mut marks = String::new();
    for caller in &cast.callers {
        let (status, said) = caller.ask(method.clone(), path, body).await;
        let mark = mark(status, &said);
        if mark == '+' {
            assert_eq!(status, answer, "{method} {path} as {}: {said}", caller.name);
        }
        marks.push(mark);
    }
    marks
}

/// Compares two rows; says who is not treated as the table says.
fn assert_row(what: &str, found: &str, expected: &str) {
    let cells = CALLERS.iter().zip(found.chars().zip(expected.chars()));
    let wrong = cells.filter(|(_, (found, expected))| found != expected);
    let told: Vec<String> = wrong
        .map(|(who, (found, expected))| format!("{who}: {found} instead of {expected}"))
        .collect();
    assert!(told.is_empty(), "{what}: {}", told.join("; "));
    assert_eq!(found.len(), expected.len(), "{what}");
}
