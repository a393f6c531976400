//! How values of the domain lie in columns.

use crate::DatabaseError;
use duplex_domain::{Item, ItemKind, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use tokio_postgres::Row;

/// How much of an item's text is kept to be searched, in bytes.
const SEARCHED: usize = 64 * 1024;

/// A count or sequence as a column holds it. Nothing we count comes near the end of 63 bits.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A count or sequence as it was before [`number`].
pub(crate) fn count(column: i64) -> u64 {
    u64::try_from(column).unwrap_or_default()
}

/// A column's moment.
pub(crate) fn time(row: &Row, column: &str) -> Time {
    Time(row.get(column))
}

/// Text as a column can hold it: Postgres has no NUL.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// The word that stands for a value of one of the domain's small enums.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, DatabaseError> {
    match serde_json::to_value(value)? {
        Value::String(word) => Ok(word),
        other => Ok(other.to_string()),
    }
}

/// The value behind a [`word`].
pub(crate) fn value_of<T: DeserializeOwned>(word: String) -> Result<T, DatabaseError> {
    Ok(serde_json::from_value(Value::String(word))?)
}

/// An item's kind, as a word to select by.
pub(crate) fn kind(item: &Item) -> &'static str {
    match &item.kind {
        ItemKind::Message { .. } => "message",
        ItemKind::Text { .. } => "text",
        ItemKind::Thinking { .. } => "thinking",
        ItemKind::Tool { .. } => "tool",
        ItemKind::Other { .. } => "other",
        ItemKind::Notice { .. } => "notice",
        ItemKind::Again { .. } => "again",
        ItemKind::Compacted { .. } => "compacted",
        ItemKind::Retry { .. } => "retry",
        ItemKind::Restored { .. } => "restored",
        ItemKind::Committed { .. } => "committed",
        ItemKind::TurnEnd { .. } => "turn_end",
        ItemKind::Unknown { .. } => "unknown",
    }
}

/// The words of an item that a search shall find; none while it is open, so that a growing text is written once.
pub(crate) fn plain(item: &Item) -> String {
    if item.is_open() {
        return String::new();
    }
    let text = match &item.kind {
        ItemKind::Message { text, .. }
        | ItemKind::Text { text, .. }
        | ItemKind::Thinking { text, .. }
        | ItemKind::Notice { text, .. }
        | ItemKind::Compacted { summary: text, .. }
        | ItemKind::Committed { message: text, .. } => Cow::Borrowed(text.as_str()),
        ItemKind::Tool {
            name,
            input,
            result,
            ..
        } => Cow::Owned(format!("{name}\n{input}\n{result}")),
        ItemKind::TurnEnd { problem, .. } => match problem {
            Some(problem) => Cow::Borrowed(problem.message.as_str()),
            None => Cow::Borrowed(""),
        },
        ItemKind::Retry { problem, .. } => Cow::Borrowed(problem.message.as_str()),
        ItemKind::Other { .. }
        | ItemKind::Again { .. }
        | ItemKind::Restored { .. }
        | ItemKind::Unknown { .. } => Cow::Borrowed(""),
    };
    let shown = &text[..text.floor_char_boundary(SEARCHED)];
    without_nul(shown).into_owned()
}
