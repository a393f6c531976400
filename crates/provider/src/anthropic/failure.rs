//! Answers that are no stream: which error each of them is.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::{Error, Secret};

/// Enough of an error's body to understand it.
const READ: usize = 64 * 1024;
/// Enough of a strange answer for a person to recognise it.
const SHOWN: usize = 200;

/// The errors a provider writes, and what gateways before it write in its place.
#[derive(Deserialize)]
struct Body {
    error: Detail,
}

#[derive(Deserialize)]
struct Detail {
    message: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(default)]
    error_code: Option<String>,
}

/// Lets an event stream pass and turns everything else into the error it is.
pub(super) async fn check(
    response: Response,
    key: &Secret,
    idle: Duration,
) -> Result<Response, Error> {
    let status = response.status();
    let headers = response.headers().clone();
    let content_type = text_of(&headers, CONTENT_TYPE.as_str())
        .unwrap_or("")
        .to_owned();
    // A server that names no type at all is given the benefit of the doubt.
    if status.is_success()
        && (content_type.is_empty() || content_type.starts_with("text/event-stream"))
    {
        return Ok(response);
    }
    let body = key.scrub(&head(response, idle).await);
    if status.is_success() {
        return Err(Error::NotAStream {
            content_type,
            head: one_line(&body),
        });
    }
    Err(refused(status, &headers, &body))
}

/// The reason no connection was made, with its causes and without the address's password.
pub(super) fn unreachable(error: reqwest::Error, key: &Secret) -> Error {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    Error::Unreachable(key.scrub(&text))
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &str) -> Error {
    let (message, error_code) = understand(status, headers, body);
    let said = text_of(headers, "x-should-retry").map(|value| value == "true");
    let retry_after = retry_after(headers);
    match status.as_u16() {
        401 | 403 => Error::Unauthorized { message },
        429 => {
            let spent = matches!(
                error_code.as_deref(),
                Some("enforced_spend_limit_reached" | "contract_spend_limit_reached")
            );
            Error::RateLimited {
                message,
                retry_after,
                retryable: !spent && said.unwrap_or(true),
            }
        }
        status @ (408 | 409 | 500..) => Error::Overloaded {
            status,
            message,
            retry_after,
            retryable: said.unwrap_or(true),
        },
        status => Error::Invalid { status, message },
    }
}

fn understand(status: StatusCode, headers: &HeaderMap, body: &str) -> (String, Option<String>) {
    if let Ok(Body { error }) = serde_json::from_str(body) {
        return (
            error.message,
            error.details.and_then(|details| details.error_code),
        );
    }
    if let Some(location) = text_of(headers, LOCATION.as_str()) {
        return (
            format!("it points to {location}; set that as the base address if it is right"),
            None,
        );
    }
    let head = one_line(body);
    let reason = status.canonical_reason().unwrap_or("no reason given");
    (
        if head.is_empty() {
            reason.to_owned()
        } else {
            head
        },
        None,
    )
}

/// The longest wait anybody is asked for; a larger number is a mistake.
const LONGEST: f64 = 24.0 * 3600.0;

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| text_of(headers, name).and_then(|value| value.parse::<f64>().ok());
    let seconds = number("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| number("retry-after"))?;
    (0.0..=LONGEST)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The beginning of a body; what arrived counts, even if the rest never does.
async fn head(mut response: Response, idle: Duration) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < READ {
        match tokio::time::timeout(idle, response.chunk()).await {
            Ok(Ok(Some(piece))) => bytes.extend_from_slice(&piece),
            Ok(Ok(None) | Err(_)) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn one_line(text: &str) -> String {
    let line: Vec<_> = text.split_whitespace().collect();
    line.join(" ").chars().take(SHOWN).collect()
}
