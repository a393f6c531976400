//! A conversation only grows: what stood before an answer when it was given stands before it ever after.
//!
//! Models of 2026 sign their thinking over everything before it and refuse a history that was changed.

use serde_json::{Value, json};

use crate::text::hash;

/// What a request says before each of its messages, and before the answer it asks for: each a hash of standing
/// instructions, tools and all messages so far, without cache marks.
fn prefixes(body: &Value) -> Vec<u64> {
    let messages = body["messages"].as_array();
    let messages = messages.map_or(&[][..], Vec::as_slice);
    let mut said = said(&json!([body["system"], body["tools"]]));
    let mut prefixes = vec![said];
    for message in messages {
        said = hash(format!("{said} {}", self::said(message)).as_bytes());
        prefixes.push(said);
    }
    prefixes
}

/// What this request says before the answer it asks for.
pub(crate) fn asked(body: &Value) -> u64 {
    prefixes(body).pop().unwrap_or_default()
}

/// The answers in a request that were never asked for with what stands before them now.
pub(crate) fn changed(body: &Value, was_asked: impl Fn(u64) -> bool) -> Vec<String> {
    let messages = body["messages"].as_array();
    let messages = messages.map_or(&[][..], Vec::as_slice);
    let answers = messages.iter().zip(prefixes(body)).enumerate();
    let answers = answers.filter(|(_, (message, _))| message["role"] == "assistant");
    let changed = answers.filter(|(_, (_, before))| !was_asked(*before));
    changed
        .map(|(at, _)| {
            format!("messages.{at}: what stands before this answer is not what it was given to")
        })
        .collect()
}

fn said(value: &Value) -> u64 {
    let mut value = value.clone();
    unmark(&mut value);
    hash(value.to_string().as_bytes())
}

/// Where the provider may cache changes nothing of what is said.
fn unmark(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("cache_control");
            fields.values_mut().for_each(unmark);
        }
        Value::Array(items) => items.iter_mut().for_each(unmark),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(system: &str, messages: &Value) -> Value {
        json!({"system": system, "tools": [{"name": "bash"}], "messages": messages})
    }

    fn user(text: &str) -> Value {
        let text = json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}});
        json!({"role": "user", "content": [text]})
    }

    #[test]
    fn a_conversation_may_grow_and_not_change() {
        let unmarked = json!({"role": "user", "content": [{"type": "text", "text": "a"}]});
        let answer = json!({"role": "assistant", "content": "b"});
        let asked = asked(&body("s", &json!([user("a")])));
        let changes = |body: &Value| changed(body, |prefix| prefix == asked).len();

        let grown = json!([unmarked, answer, user("c")]);
        assert_eq!(changes(&body("s", &grown)), 0);
        assert_eq!(changes(&body("other", &grown)), 1);
        let edited = json!([user("A"), answer, user("c")]);
        assert_eq!(changes(&body("s", &edited)), 1);
        let inserted = json!([user("note"), user("a"), answer, user("c")]);
        assert_eq!(changes(&body("s", &inserted)), 1);
        let mut tools = body("s", &grown);
        tools["tools"] = json!([{"name": "bash"}, {"name": "read"}]);
        assert_eq!(changes(&tools), 1);
    }
}
