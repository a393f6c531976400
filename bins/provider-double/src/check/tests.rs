use serde_json::{Value, json};

use super::*;
use crate::handle::Handle;
use crate::signature;

fn violations(body: &Value) -> Vec<String> {
    let handle = Handle::new(([127, 0, 0, 1], 1).into(), 1);
    request(body, &handle.desk())
}

fn with(messages: &Value) -> Vec<String> {
    violations(&json!({"model": "m", "max_tokens": 1, "stream": true, "messages": messages}))
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "bash", "input": {}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": ""})
}

#[test]
fn a_good_conversation_has_no_violations() {
    let thinking = json!({"type": "thinking", "thinking": "hm", "signature": signature("hm")});
    let conversation = json!([
        user("a"),
        user("b"),
        {"role": "assistant", "content": [thinking, call("1"), call("2")]},
        {"role": "user", "content": [result("2"), result("1")]},
        user("and a note"),
        {"role": "assistant", "content": "ok"},
        user("c"),
    ]);

    assert_eq!(with(&conversation), Vec::<String>::new());
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of all violations")]
fn every_violation_is_named() {
    let assistant = |blocks: Value| json!({"role": "assistant", "content": blocks});
    let results = |blocks: Value| json!({"role": "user", "content": blocks});
    let cases = [
        (json!([]), "at least one message"),
        (
            json!([assistant(json!("hi")), user("a")]),
            "first message must use",
        ),
        (
            json!([user("a"), assistant(json!("hi"))]),
            "must end with a user message",
        ),
        (
            json!([{"role": "robot", "content": "a"}]),
            "messages.0.role",
        ),
        (
            json!([{"role": "user", "content": []}]),
            "non-empty content",
        ),
        (json!([user(" ")]), "non-whitespace"),
        (
            json!([user("a"), assistant(json!([call("1")])), user("b")]),
            "without `tool_result`",
        ),
        (
            json!([
                user("a"),
                assistant(json!([call("1"), call("1")])),
                results(json!([result("1")]))
            ]),
            "must be unique",
        ),
        (
            json!([
                user("a"),
                assistant(json!([call("1")])),
                results(json!([result("1"), result("1")]))
            ]),
            "a single result",
        ),
        (
            json!([
                user("a"),
                assistant(json!([call("1")])),
                user("b"),
                results(json!([result("1")]))
            ]),
            "must come first",
        ),
        (
            json!([
                user("a"),
                assistant(json!("b")),
                results(json!([result("1")]))
            ]),
            "unexpected `tool_use_id`",
        ),
        (
            json!([{"role": "user", "content": [call("1")]}]),
            "not allowed in this role",
        ),
        (
            json!([
                user("a"),
                assistant(json!([{"type": "thinking", "thinking": "hm", "signature": "mine"}])),
                user("b")
            ]),
            "Invalid `signature`",
        ),
    ];
    for (messages, expected) in cases {
        let found = with(&messages);
        assert!(
            found.iter().any(|violation| violation.contains(expected)),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn what_stands_around_the_messages_is_checked_too() {
    let tool = json!({"name": "bash", "input_schema": {"type": "object"}});
    let mark = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
    let cases = [
        (json!({"model": ""}), "model"),
        (json!({"max_tokens": 0}), "max_tokens"),
        (json!({"stream": false}), "stream"),
        (json!({"temperature": 1}), "temperature"),
        (json!({"system": [{"type": "text", "text": ""}]}), "system"),
        (json!({"tools": [tool, tool]}), "unique"),
        (
            json!({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}),
            "tools.0.name",
        ),
        (json!({"tools": [{"name": "a"}]}), "input_schema"),
        (json!({"thinking": {"type": "loud"}}), "thinking.type"),
        (
            json!({"system": [mark, mark, mark, mark, mark]}),
            "maximum of 4",
        ),
    ];
    for (change, expected) in cases {
        let mut body =
            json!({"model": "m", "max_tokens": 1, "stream": true, "messages": [user("a")]});
        for (name, value) in change.as_object().into_iter().flatten() {
            body[name.as_str()] = value.clone();
        }
        let found = violations(&body);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{expected}: {found:?}"
        );
    }
}
