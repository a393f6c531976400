//! A request as the Messages API wants it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Error, Message, Request, Role, ToolSpec, demo};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [ToolSpec],
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Value>,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: Role,
    content: Vec<Content<'a>>,
}

/// A block as it was, or the one copy that carries a cache mark.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Untouched(&'a Value),
    Marked(Value),
}

/// The request as JSON text.
pub(super) fn encode(request: &Request) -> Result<Vec<u8>, Error> {
    let mut messages: Vec<_> = request
        .messages
        .iter()
        .map(turn)
        .filter(|turn| !turn.content.is_empty())
        .collect();
    if let Some(last) = messages.last_mut().and_then(|turn| turn.content.last_mut()) {
        mark(last);
    }
    let body = Body {
        model: &request.model,
        max_tokens: request.max_tokens,
        stream: true,
        system: system(&request.system),
        tools: &request.tools,
        messages,
        // Without `display` the newest models think in silence.
        thinking: request
            .thinking
            .then(|| json!({"type": "adaptive", "display": "summarized"})),
    };
    serde_json::to_vec(&body).map_err(|error| super::invalid(error.to_string()))
}

/// Ends with a cache mark: tools and system stay the same for the life of a conversation.
fn system(text: &str) -> Option<Value> {
    (!text.is_empty())
        .then(|| json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]))
}

fn turn(message: &Message) -> Turn<'_> {
    let content = message
        .content
        .iter()
        .filter(|block| !demo::signed(block))
        .map(Content::Untouched)
        .collect();
    Turn {
        role: message.role,
        content,
    }
}

/// Marks the end of what is worth caching: the next request repeats everything up to here. With the one at the end of
/// the system text this makes two of the four marks a request may have.
fn mark(content: &mut Content<'_>) {
    let Content::Untouched(raw) = content else {
        return;
    };
    let kind = raw.get("type").and_then(Value::as_str);
    if matches!(kind, None | Some("thinking" | "redacted_thinking")) {
        return;
    }
    let mut marked = raw.clone();
    if let Some(fields) = marked.as_object_mut() {
        fields.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    }
    *content = Content::Marked(marked);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn encoded(request: &Request) -> Value {
        serde_json::from_slice(&encode(request).unwrap()).unwrap()
    }

    fn request(messages: Vec<Message>) -> Request {
        Request {
            model: "claude-opus-5-5".to_owned(),
            max_tokens: 64,
            system: "be brief".to_owned(),
            tools: vec![ToolSpec {
                name: "bash".to_owned(),
                description: "runs".to_owned(),
                input_schema: json!({"type": "object"}),
            }],
            messages,
            thinking: true,
        }
    }

    fn message(role: Role, content: Value) -> Message {
        Message {
            role,
            content: serde_json::from_value(content).unwrap(),
        }
    }

    #[test]
    fn a_request_is_what_the_interface_describes() {
        let thinking = json!({"type": "thinking", "thinking": "", "signature": "s"});
        let call =
            json!({"type": "tool_use", "id": "1", "name": "bash", "input": {"command": "ls"}});
        let result = json!({"type": "tool_result", "tool_use_id": "1", "content": "a\nb"});
        let request = request(vec![
            message(Role::User, json!([{"type": "text", "text": "list"}])),
            message(Role::Assistant, json!([thinking, call])),
            message(Role::User, json!([result])),
        ]);
        let mut marked = result;
        marked["cache_control"] = json!({"type": "ephemeral"});

        assert_eq!(
            encoded(&request),
            json!({
                "model": "claude-opus-5-5",
                "max_tokens": 64,
                "stream": true,
                "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
                "tools": [{"name": "bash", "description": "runs", "input_schema": {"type": "object"}}],
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "list"}]},
                    {"role": "assistant", "content": [thinking, call]},
                    {"role": "user", "content": [marked]},
                ],
                "thinking": {"type": "adaptive", "display": "summarized"},
            })
        );
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let mut request = request(vec![message(
            Role::User,
            json!([{"type": "text", "text": "hi"}]),
        )]);
        request.system.clear();
        request.tools.clear();
        request.thinking = false;
        let body = encoded(&request);
        let mut fields: Vec<_> = body
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        fields.sort_unstable();

        assert_eq!(fields, ["max_tokens", "messages", "model", "stream"]);
    }

    #[test]
    fn thinking_of_the_demonstration_is_kept_from_a_real_model() {
        let request = request(vec![
            message(Role::User, json!([{"type": "text", "text": "hi"}])),
            message(
                Role::Assistant,
                json!([{"type": "thinking", "thinking": "hm", "signature": demo::SIGNATURE}, {"type": "text", "text": "hello"}]),
            ),
            message(Role::User, json!([{"type": "text", "text": "again"}])),
        ]);

        assert_eq!(
            encoded(&request)["messages"][1]["content"],
            json!([{"type": "text", "text": "hello"}])
        );
    }
}
