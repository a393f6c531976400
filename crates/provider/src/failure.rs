//! Answers that are no stream: which error each of them is.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

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

    /// The vendor's name for the kind of error.
    fn kind(&self) -> Option<&str> {
        match self {
            Self::Full { kind, .. } => kind.as_deref(),
            Self::Bare(_) => None,
        }
    }

    /// Whether the conversation is larger than the model's window.
    fn is_too_long(&self) -> bool {
        let named = [self.code(), self.kind()].into_iter().flatten();
        named.into_iter().any(is_too_long) || says_too_long(self.message())
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
        if self.is_too_long() {
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

/// Whether a code means that the conversation is larger than the model's window.
fn is_too_long(code: &str) -> bool {
    matches!(
        code,
        "context_length_exceeded"
            | "exceed_context_size_error"
            | "model_context_window_exceeded"
            | "request_too_large"
    )
}

/// The same in words, for those who have no code for it: the Messages API, vLLM, Ollama, older llama.cpp.
fn says_too_long(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "prompt is too long",
        "maximum context length",
        "exceeds the available context size",
        "exceeds the context window",
        "input length exceeds",
    ]
    .iter()
    .any(|words| message.contains(words))
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
    let (message, error_code, too_long) = understand(status, headers, body);
    if status == StatusCode::PAYLOAD_TOO_LARGE || (status.is_client_error() && too_long) {
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
        status if matches!(status, 408 | 409 | 500..) || said == Some(true) => Error::Overloaded {
            status,
            message,
            retry_after,
            retryable: said.unwrap_or(true),
        },
        status => Error::Invalid { status, message },
    }
}

/// What it says, the code to branch on, and whether it says that the conversation is too long.
fn understand(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
) -> (String, Option<String>, bool) {
    if let Ok(Body { error }) = serde_json::from_str(body) {
        let code = error.code().map(str::to_owned);
        return (error.message().to_owned(), code, error.is_too_long());
    }
    if let Some(location) = text_of(headers, LOCATION.as_str()) {
        return (
            format!("it points to {location}; set that as the base address if it is right"),
            None,
            false,
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
        false,
    )
}

/// The longest wait anybody is asked for; a larger number is a mistake.
const LONGEST: f64 = 24.0 * 3600.0;

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name| text_of(headers, name).and_then(|value| value.parse::<f64>().ok());
    let seconds = number("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| number("retry-after"))
        .or_else(|| until(text_of(headers, "retry-after")?));
    sensible(seconds?)
}

/// Seconds until a date in one of HTTP's forms (RFC 9110, 5.6.7); one that has passed is now.
fn until(date: &str) -> Option<f64> {
    let at = httpdate::parse_http_date(date).ok()?;
    let left = at.duration_since(SystemTime::now());
    Some(left.unwrap_or_default().as_secs_f64())
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Error {
        let headers = headers.iter().map(|(name, value)| {
            let name = reqwest::header::HeaderName::try_from(*name).unwrap();
            (name, reqwest::header::HeaderValue::from_str(value).unwrap())
        });
        refused(
            StatusCode::from_u16(status).unwrap(),
            &headers.collect(),
            body,
        )
    }

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        match answer(429, headers, "") {
            Error::RateLimited { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn the_server_says_how_long_to_wait_in_any_of_three_ways() {
        let soon = SystemTime::now() + Duration::from_secs(100);
        let soon = httpdate::fmt_http_date(soon);

        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(
            wait(&[("retry-after", "7"), ("retry-after-ms", "3000")]),
            Some(3)
        );
        let until = wait(&[("retry-after", &soon)]).unwrap();
        assert!((60..=100).contains(&until), "{until}");
        assert_eq!(
            wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            Some(0)
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "999999999")]), None);
    }

    #[test]
    fn the_server_says_whether_to_try_again() {
        let retryable = |status, said| answer(status, &[("x-should-retry", said)], "").retryable();

        assert!(retryable(400, "true") && !retryable(400, "false"));
        assert!(retryable(500, "true") && !retryable(500, "false"));
        assert!(!retryable(401, "true"));
    }

    #[test]
    fn a_conversation_that_is_too_long_is_known_by_code_or_words() {
        for body in [
            r#"{"error":{"message":"x","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            r#"{"error":{"message":"x","type":"exceed_context_size_error","code":400}}"#,
            r#"{"error":{"message":"x","type":"exceed_context_size_error","code":"bad_request"}}"#,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}"#,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens."}}"#,
            r#"{"error":"the request exceeds the available context size, try increasing it"}"#,
        ] {
            let error = answer(400, &[], body);
            assert!(
                matches!(error, Error::PromptTooLong { .. }),
                "{body}: {error:?}"
            );
        }
        assert!(matches!(answer(413, &[], ""), Error::PromptTooLong { .. }));
        let other =
            r#"{"error":{"message":"max_tokens is too large","type":"invalid_request_error"}}"#;
        assert!(matches!(answer(400, &[], other), Error::Invalid { .. }));
    }
}
