//! Events as they go over the wire.

use serde_json::{Value, json};

/// Line ends and mark of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wire {
    /// Bytes a piece; none sends whole events.
    pub piece: Option<usize>,
    /// Where to drop the connection.
    pub cut_at: Option<u64>,
    pub bom: bool,
    pub crlf: bool,
}

/// One event; its name is its type.
pub(crate) fn event(wire: Wire, data: &Value) -> String {
    let name = data["type"].as_str().unwrap_or("message");
    let text = format!("event: {name}\ndata: {data}\n\n");
    let text = if wire.crlf {
        text.replace('\n', "\r\n")
    } else {
        text
    };
    if wire.bom && name == "message_start" {
        format!("\u{feff}{text}")
    } else {
        text
    }
}

/// An error as body or event.
pub(crate) fn error(status: u16, message: &str, code: Option<&str>) -> Value {
    let mut error = json!({"type": kind(status), "message": message});
    if let Some(code) = code {
        error["details"] = json!({"error_code": code});
    }
    json!({"type": "error", "error": error})
}

fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// A text about an error, as unlike any other as its status.
pub(crate) fn message(status: u16) -> String {
    format!("the double was told to fail with {status}")
}
