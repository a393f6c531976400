//! The library's errors in words for an operator.

use std::error::Error;
use std::io;

use reqwest::StatusCode;
use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;

use crate::text::line;

/// Bytes of what somebody else's program says in an error.
const SAID_BYTES: usize = 600;

/// An answer over HTTP of more than [`crate::LINE_BYTES`].
pub(crate) const TOO_LARGE: &str = "its answer has more than 8 MiB: ask for less at once";

const NOT_THERE: &str = "there is no tool server at its url (HTTP 404)";

type Http = StreamableHttpError<reqwest::Error>;

/// Why a server could not be started to be used.
pub(crate) fn starting(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::JsonRpcError(said) => {
            format!(
                "it answered with an error: {}",
                line(&said.message, SAID_BYTES)
            )
        }
        ClientInitializeError::ConnectionClosed(_) => "it ended at once".to_owned(),
        ClientInitializeError::TransportError { error, .. } => deep(error.error.as_ref()),
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_)
        | ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. } => {
            "its first answer is not one of this protocol".to_owned()
        }
        other => line(&other.to_string(), SAID_BYTES),
    }
}

/// Why a server could not list its tools.
pub(crate) fn listing(error: &ServiceError) -> String {
    match error {
        ServiceError::McpError(said) => format!(
            "it did not list its tools: {}",
            line(&said.message, SAID_BYTES)
        ),
        ServiceError::TransportClosed => "it ended before it had listed its tools".to_owned(),
        other => format!("it did not list its tools: {}", failing(other)),
    }
}

/// Why a request got no result.
pub(crate) fn failing(error: &ServiceError) -> String {
    match error {
        ServiceError::TransportSend(error) => deep(error.error.as_ref()),
        ServiceError::UnexpectedResponse => "its answer is not one of this protocol".to_owned(),
        other => line(&other.to_string(), SAID_BYTES),
    }
}

/// The first cause that has words of its own.
fn deep(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(words) = http(error).or_else(|| closed(error)) {
            return words;
        }
        cause = error.source();
    }
    line(&error.to_string(), SAID_BYTES)
}

fn closed(error: &(dyn Error + 'static)) -> Option<String> {
    let error: &io::Error = error.downcast_ref()?;
    let gone = matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected
    );
    gone.then(|| "it ended at once".to_owned())
}

fn http(error: &(dyn Error + 'static)) -> Option<String> {
    Some(match error.downcast_ref::<Http>()? {
        StreamableHttpError::Client(error) => client(error),
        StreamableHttpError::HttpStatus(status) => match &status.retry_after {
            Some(after) => format!(
                "it answers HTTP {} and asks to wait {after} s",
                status.status
            ),
            None => format!("it answers HTTP {}", status.status),
        },
        StreamableHttpError::AuthRequired(_) => {
            "it wants to know who asks (HTTP 401): give its key in headers".to_owned()
        }
        StreamableHttpError::InsufficientScope(_) => {
            "the key it was given does not allow this (HTTP 403)".to_owned()
        }
        StreamableHttpError::ResponseBodyTooLarge { .. } => TOO_LARGE.to_owned(),
        StreamableHttpError::UnexpectedContentType(_) => {
            "there is something else than a tool server at its url".to_owned()
        }
        StreamableHttpError::UnexpectedServerResponse(said) if said.starts_with("HTTP 404") => {
            NOT_THERE.to_owned()
        }
        StreamableHttpError::UnexpectedServerResponse(said) => {
            format!(
                "it answers what was not expected: {}",
                line(said, SAID_BYTES)
            )
        }
        StreamableHttpError::SessionExpired => "it has forgotten the session".to_owned(),
        StreamableHttpError::TransportChannelClosed => "the connection is closed".to_owned(),
        other => line(&other.to_string(), SAID_BYTES),
    })
}

fn client(error: &reqwest::Error) -> String {
    if error.is_redirect() {
        return "its url leads to another place, which is not followed: write the address it leads to".to_owned();
    }
    match error.status() {
        Some(StatusCode::NOT_FOUND) => NOT_THERE.to_owned(),
        Some(status) => format!("it answers HTTP {}", status.as_u16()),
        None if error.is_connect() || error.is_timeout() => {
            format!("it cannot be reached ({})", root(error))
        }
        None => format!("the connection broke off ({})", root(error)),
    }
}

fn root(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    line(&deepest.to_string(), SAID_BYTES)
}
