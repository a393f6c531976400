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
use std::collections::HashMap;
use std::str::FromStr;

/// The largest body, in bytes.
pub(crate) const LARGEST_BODY: usize = 512 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| unread(&error))?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| Failure::bad_json(&error))?;
        let body = serde_json::from_value(value);
        body.map(Self)
            .map_err(|error| misshapen(&error.to_string()))
    }
}

fn unread(error: &BytesRejection) -> Failure {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::too_large(),
        _ => Failure::cut_body(),
    }
}

/// JSON that is not what was asked for. The decoder names the field in backticks, where it knows it.
fn misshapen(problem: &str) -> Failure {
    let missing = problem
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    let (code, field) = match (missing, problem.starts_with("unknown variant")) {
        (Some(field), _) => ("missing_field", field),
        (None, true) => ("unknown_type", "type"),
        (None, false) => {
            return Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_request", problem);
        }
    };
    Failure::field(field, code, problem)
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
