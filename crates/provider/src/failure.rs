//! Answers that are no stream: which error each of them is.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

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

/// An error in words: the vendors' objects, or a bare text as some local servers write it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum Detail {
    /// An object.
    Full {
        /// The provider's words.
        #[serde(default)]
        message: String,
        /// The provider's name for it.
        #[serde(rename = "type", default)]
        kind: Option<String>,
        /// A name, or with local servers an HTTP status.
        #[serde(default)]
        code: Option<Value>,
        /// More, with some vendors.
        #[serde(default)]
        details: Option<Value>,
    },
    /// Only words.
    Bare(String),
}

impl Detail {
    /// The provider's words.
    fn message(&self) -> &str {
        match self {
            Self::Full { message, .. } | Self::Bare(message) => message,
        }
    }

    /// The code to branch on, wherever it stands.
    fn code(&self) -> Option<&str> {
        let Self::Full {
            kind,
            code,
            details,
            ..
        } = self
        else {
            return None;
        };
        let inner = details
            .as_ref()
            .and_then(|details| details.get("error_code"));
        inner
            .and_then(Value::as_str)
            .or_else(|| code.as_ref().and_then(Value::as_str))
            .or(kind.as_deref())
    }

    fn status(&self) -> Option<u64> {
        match self {
            Self::Full { code, .. } => code.as_ref().and_then(Value::as_u64),
            Self::Bare(_) => None,
        }
    }

    /// A number of its details, in seconds.
    fn wait(&self) -> Option<Duration> {
        let Self::Full {
            details: Some(details),
            ..
        } = self
        else {
            return None;
        };
        let number = |name: &str| details.get(name).and_then(Value::as_f64);
        let ms = number("retry_after_ms").map(|ms| ms / 1000.0);
        sensible(ms.or_else(|| number("retry_after"))?)
    }

    fn should_retry(&self) -> Option<bool> {
        match self {
            Self::Full { details, .. } => details.as_ref()?.get("should_retry")?.as_bool(),
            Self::Bare(_) => None,
        }
    }

    /// The error an event in the middle of an answer is.
    pub(crate) fn reported(&self) -> Error {
        if is_too_long(self.code(), self.message()) {
            let message = self.message().to_owned();
            return Error::PromptTooLong { message };
        }
        let kind = match self {
            Self::Full {
                kind: Some(kind), ..
            } => kind.clone(),
            _ => self
                .status()
                .map_or_else(|| "error".to_owned(), |status| status.to_string()),
        };
        let may_pass = matches!(
            kind.as_str(),
            "overloaded_error"
                | "api_error"
                | "timeout_error"
                | "rate_limit_error"
                | "server_error"
                | "rate_limit_exceeded"
                | "InternalServerError"
        ) || matches!(self.status(), Some(408 | 409 | 429 | 500..));
        Error::Reported {
            kind,
            message: self.message().to_owned(),
            retry_after: self.wait(),
            retryable: !is_spent(self.code()) && self.should_retry().unwrap_or(may_pass),
        }
    }
}

/// Whether waiting is of no use, since the money is gone.
fn is_spent(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "enforced_spend_limit_reached" | "contract_spend_limit_reached" | "insufficient_quota"
        )
    )
}

/// Whether the conversation is larger than the model's context. One vendor has no code for it, only words.
fn is_too_long(code: Option<&str>, message: &str) -> bool {
    matches!(
        code,
        Some("context_length_exceeded" | "exceed_context_size_error")
    ) || message.starts_with("prompt is too long")
}

/// Lets an event stream pass and turns everything else into the error it is.
pub(crate) async fn check(
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
pub(crate) fn unreachable(error: reqwest::Error, key: &Secret) -> Error {
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
    if status.is_client_error() && is_too_long(error_code.as_deref(), &message) {
        return Error::PromptTooLong { message };
    }
    let said = text_of(headers, "x-should-retry").map(|value| value == "true");
    let retry_after = retry_after(headers);
    match status.as_u16() {
        401 | 403 => Error::Unauthorized { message },
        429 => Error::RateLimited {
            message,
            retry_after,
            retryable: !is_spent(error_code.as_deref()) && said.unwrap_or(true),
        },
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
        return (error.message().to_owned(), error.code().map(str::to_owned));
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
    sensible(seconds)
}

fn sensible(seconds: f64) -> Option<Duration> {
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
