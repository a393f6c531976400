//! Reading what the page sends; whatever it is, the socket stays.

use duplex_domain::{Command, SessionId};
use duplex_wire::Up;
use serde_json::Value;
use uuid::Uuid;

/// The longest id that is said back.
const LONGEST_ID: usize = 64;

/// Why a message cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misread {
    /// The command's id, where the message has one.
    pub id: String,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// The session, where the message names one.
    pub session: Option<SessionId>,
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Up, Misread> {
    serde_json::from_str(text).map_err(|error| why_not(text, &error))
}

fn why_not(text: &str, error: &serde_json::Error) -> Misread {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return misread(
            &Value::Null,
            "bad_json",
            format!("the message is no JSON: {error}"),
        );
    };
    let Some(object) = value.as_object() else {
        return misread(&value, "not_an_object", "the message is no JSON object");
    };
    let (code, message) = match object.get("type").and_then(Value::as_str) {
        None => ("missing_type", "the message says no `type`".to_owned()),
        Some("watch" | "unwatch" | "drawn" | "presence" | "read" | "ping") => {
            ("bad_message", error.to_string())
        }
        Some("command") => match command_problem(&value) {
            Some(problem) => ("bad_command", problem),
            None => ("bad_message", error.to_string()),
        },
        Some(other) => (
            "unknown_type",
            format!("there is no message of the type `{}`", shortened(other)),
        ),
    };
    misread(&value, code, message)
}

/// What is wrong with the command itself; the message around it hides that.
fn command_problem(value: &Value) -> Option<String> {
    let command = value.get("command")?.clone();
    serde_json::from_value::<Command>(command)
        .err()
        .map(|error| error.to_string())
}

fn misread(value: &Value, code: &'static str, message: impl Into<String>) -> Misread {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    Misread {
        id: text("id").map(shortened).unwrap_or_default(),
        code,
        message: message.into(),
        session: text("session").and_then(|session| session.parse().ok()),
    }
}

/// An id, not longer than an id is.
pub(super) fn shortened(id: &str) -> String {
    id.chars().take(LONGEST_ID).collect()
}

/// A command's id, as the log names it.
pub(super) fn command_id(id: &str) -> Option<Uuid> {
    Uuid::try_parse(id).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn code(text: &str) -> &'static str {
        read(text).unwrap_err().code
    }

    #[test]
    fn each_way_to_be_wrong_has_its_word() {
        assert_eq!(code("{"), "bad_json");
        assert_eq!(code(""), "bad_json");
        assert_eq!(code("[1]"), "not_an_object");
        assert_eq!(code("null"), "not_an_object");
        assert_eq!(code("{}"), "missing_type");
        assert_eq!(code(r#"{"type":7}"#), "missing_type");
        assert_eq!(code(r#"{"type":"dance"}"#), "unknown_type");
        assert_eq!(code(r#"{"type":"watch"}"#), "bad_message");
        assert_eq!(code(r#"{"type":"watch","session":"x"}"#), "bad_message");
    }

    #[test]
    fn a_wrong_command_is_refused_by_its_id() {
        let session = SessionId(Uuid::from_u128(5));
        let text = format!(
            r#"{{"type":"command","id":"a1","session":"{session}","command":{{"type":"dance"}}}}"#
        );
        let misread = read(&text).unwrap_err();
        assert_eq!(
            (misread.id.as_str(), misread.code, misread.session),
            ("a1", "bad_command", Some(session))
        );
        assert!(
            misread.message.starts_with("unknown variant `dance`"),
            "{}",
            misread.message
        );
    }
}
