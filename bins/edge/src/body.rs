//! What comes with a request: JSON bodies, ids in the path, and questions behind `?`.

use crate::failure::Failure;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use duplex_domain::SessionId;
use duplex_live::WatchError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;
use tokio::time::timeout;

/// The largest body, in bytes.
pub(crate) const LARGEST_BODY: usize = 512 * 1024;
/// How long a body may take to arrive.
const ARRIVING: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = timeout(ARRIVING, Bytes::from_request(request, state));
        let bytes = bytes.await.map_err(|_| Failure::slow_body())?;
        let bytes = bytes.map_err(|error| unread(&error))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| Failure::bad_json(&error))?;
        let body = T::deserialize(&value);
        body.map(Self)
            .map_err(|error| misshapen(&value, &error.to_string()))
    }
}

fn unread(error: &BytesRejection) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::too_large(),
        _ => Failure::cut_body(),
    }
}

/// JSON that is not what was asked for. The decoder names a missing field, and a word that it does not know, in
/// backticks.
fn misshapen(body: &Value, problem: &str) -> Failure {
    if let Some(field) = quoted_behind("missing field", problem) {
        return Failure::field(field, "missing_field", problem);
    }
    let word = quoted_behind("unknown variant", problem);
    match word.and_then(|word| holding(body, word)) {
        Some("type") => Failure::field("type", "unknown_type", problem),
        Some(field) => Failure::field(field, format!("bad_{field}"), problem),
        None => Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", problem),
    }
}

fn quoted_behind<'a>(words: &str, problem: &'a str) -> Option<&'a str> {
    let rest = problem.strip_prefix(words)?.strip_prefix(" `")?;
    rest.split('`').next()
}

/// The fields that hold one of a few words; a command's type stands before what belongs to it.
const WORDS: [&str; 6] = ["type", "verdict", "mode", "again", "delivery", "role"];

/// The field that holds a word which could not be read; the decoder does not name it.
fn holding(body: &Value, word: &str) -> Option<&'static str> {
    let object = body.as_object()?;
    let mut fields = WORDS.into_iter();
    let here = fields.find(|field| object.get(*field).and_then(Value::as_str) == Some(word));
    here.or_else(|| object.values().find_map(|value| holding(value, word)))
}

/// The session in the path. What is no id is no session.
pub(crate) struct InPath(pub SessionId);

impl<S: Send + Sync> FromRequestParts<S> for InPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let id = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = id.and_then(|Path(id)| id.parse().ok());
        id.map(Self).ok_or_else(|| WatchError::NotFound.into())
    }
}

/// What stands behind `?`.
pub(crate) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::from_request_parts(parts, state).await;
        let unreadable = |_| {
            Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "bad_query",
                "the query is not readable",
            )
        };
        query.map(|Query(params)| Self(params)).map_err(unreadable)
    }
}

impl Params {
    /// A parameter as text; an empty one is as good as none.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A parameter as a value.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>, Failure> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = |_| {
            Failure::field(
                name,
                format!("bad_{name}"),
                format!("`{name}` has a value it cannot have"),
            )
        };
        text.parse().map(Some).map_err(wrong)
    }

    /// How many are wanted, from 1 to `most`.
    pub fn limit(&self, usual: usize, most: usize) -> Result<usize, Failure> {
        match self.get("limit")?.unwrap_or(usual) {
            limit if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(Failure::field(
                "limit",
                "bad_limit",
                format!("`limit` goes from 1 to {most}"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_wire::PostCommand;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let silence = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let request = Request::new(axum::body::Body::from_stream(silence));
        let read = Body::<Value>::from_request(request, &()).await;
        assert_eq!(
            read.err().map(|failure| failure.detail.code).as_deref(),
            Some("slow_body")
        );
    }

    #[test]
    fn a_word_nobody_knows_is_refused_by_its_field() {
        let cases = [
            (json!({"type": "dance"}), "unknown_type", "type"),
            (
                json!({"type": "decide", "call": "maybe", "verdict": "maybe"}),
                "bad_verdict",
                "verdict",
            ),
            (
                json!({"type": "choose_mode", "mode": "yolo"}),
                "bad_mode",
                "mode",
            ),
            (
                json!({"type": "again", "again": "sleep"}),
                "bad_again",
                "again",
            ),
            (
                json!({"type": "post_message", "text": "soon", "delivery": "soon"}),
                "bad_delivery",
                "delivery",
            ),
            (
                json!({"type": "decide", "call": "c"}),
                "missing_field",
                "verdict",
            ),
            (
                json!({"type": "decide", "call": "c", "verdict": "allow_always"}),
                "missing_field",
                "rule",
            ),
        ];
        for (command, code, field) in cases {
            let body = json!({"command": command});
            let Err(error) = serde_json::from_value::<PostCommand>(body.clone()) else {
                panic!("{body} can be read");
            };
            let detail = misshapen(&body, &error.to_string()).detail;
            let found = (detail.code.as_str(), detail.field.as_deref());
            assert_eq!(found, (code, Some(field)), "{body}");
        }
    }
}
