//! A request as the Messages API wants it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{Effort, Error, Message, Request, Role, Thinking, ToolSpec, Tuning, demo, transport};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<Value>,
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
pub(super) fn encode(request: &Request, tuning: &Tuning) -> Result<Vec<u8>, Error> {
    let mut messages: Vec<_> = request
        .messages
        .iter()
        .map(turn)
        .filter(|turn| !turn.content.is_empty())
        .collect();
    mark_all(&mut messages);
    let max_tokens = tuning.max_tokens(request.max_tokens);
    let body = Body {
        model: tuning.name.as_deref().unwrap_or(&request.model),
        max_tokens,
        stream: true,
        system: system(&request.system),
        tools: &request.tools,
        messages,
        thinking: request
            .thinking
            .then(|| thinking(tuning.thinking, max_tokens))
            .flatten(),
        output_config: effort(tuning.thinking).map(|effort| json!({"effort": effort})),
    };
    serde_json::to_vec(&body).map_err(|error| transport::invalid(error.to_string()))
}

/// Without `display` the newest models think in silence. A budget must be below all that may be written.
fn thinking(thinking: Thinking, max_tokens: u32) -> Option<Value> {
    match thinking {
        Thinking::Adaptive { .. } => Some(json!({"type": "adaptive", "display": "summarized"})),
        Thinking::Budget { tokens } => {
            let budget = tokens.min(max_tokens.saturating_sub(1));
            (budget >= LEAST_BUDGET).then(|| json!({"type": "enabled", "budget_tokens": budget}))
        }
        Thinking::None => None,
    }
}

/// The vendor's least budget for thinking, in tokens.
const LEAST_BUDGET: u32 = 1024;

fn effort(thinking: Thinking) -> Option<Effort> {
    match thinking {
        Thinking::Adaptive { effort } => effort,
        Thinking::Budget { .. } | Thinking::None => None,
    }
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
        .filter(|block| !is_unsigned(block))
        .map(Content::Untouched)
        .collect();
    Turn {
        role: message.role,
        content,
    }
}

/// Thinking that this vendor never signed: the demonstration's, or another model's.
fn is_unsigned(block: &Value) -> bool {
    let thinks = block.get("type").and_then(Value::as_str) == Some("thinking");
    let signature = block.get("signature").and_then(Value::as_str);
    demo::signed(block) || (thinks && signature.unwrap_or_default().is_empty())
}

/// How many blocks lie between two marks; the provider looks back about twenty from each.
const STRIDE: usize = 15;
/// A request may have four marks; one is at the end of the system text.
const MARKS: usize = 3;

/// Marks the end of what is worth caching, since the next request repeats everything up to here, and the newest places
/// at whole strides: those stay where they are while the conversation grows.
fn mark_all(turns: &mut [Turn<'_>]) {
    let mut blocks: Vec<_> = turns
        .iter_mut()
        .flat_map(|turn| &mut turn.content)
        .collect();
    let Some(last) = blocks.len().checked_sub(1) else {
        return;
    };
    let strides = (1..=last / STRIDE).rev().map(|stride| stride * STRIDE - 1);
    for place in std::iter::once(last).chain(strides).take(MARKS) {
        let markable = (0..=place).rev().take(STRIDE);
        let found = markable.into_iter().find(|place| can_carry(blocks[*place]));
        if let Some(found) = found {
            mark(blocks[found]);
        }
    }
}

fn can_carry(content: &Content<'_>) -> bool {
    let Content::Untouched(raw) = content else {
        return false;
    };
    let kind = raw.get("type").and_then(Value::as_str);
    matches!(
        kind,
        Some("text" | "tool_use" | "tool_result" | "image" | "document")
    )
}

fn mark(content: &mut Content<'_>) {
    let Content::Untouched(raw) = content else {
        return;
    };
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
        serde_json::from_slice(&encode(request, &Tuning::default()).unwrap()).unwrap()
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
                json!([{"type": "thinking", "thinking": "hm", "signature": demo::SIGNATURE}, {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"}]),
            ),
            message(Role::User, json!([{"type": "text", "text": "again"}])),
        ]);

        assert_eq!(
            encoded(&request)["messages"][1]["content"],
            json!([{"type": "text", "text": "hello"}])
        );
    }

    #[test]
    fn thinking_and_effort_are_the_models_own() {
        let request = request(vec![message(
            Role::User,
            json!([{"type": "text", "text": "hi"}]),
        )]);
        let asked = |thinking, max_output| {
            let tuning = Tuning {
                name: Some("own".to_owned()),
                max_output,
                thinking,
            };
            let body: Value = serde_json::from_slice(&encode(&request, &tuning).unwrap()).unwrap();
            json!([
                body["model"],
                body["max_tokens"],
                body["thinking"],
                body["output_config"]
            ])
        };
        let effort = Some(Effort::High);

        assert_eq!(
            asked(Thinking::Adaptive { effort }, Some(10)),
            json!(["own", 10, {"type": "adaptive", "display": "summarized"}, {"effort": "high"}])
        );
        assert_eq!(asked(Thinking::None, None), json!(["own", 64, null, null]));
        assert_eq!(
            asked(Thinking::Budget { tokens: 2000 }, None),
            json!(["own", 64, null, null])
        );
    }

    #[test]
    fn a_long_conversation_has_four_marks_that_stay_where_they_are() {
        let marks = |blocks: usize| {
            let content: Vec<_> = (0..blocks)
                .map(|number| json!({"type": "text", "text": number.to_string()}))
                .collect();
            let body = encoded(&request(vec![message(Role::User, json!(content))]));
            assert!(body.to_string().matches("cache_control").count() <= 4);
            let content = body["messages"][0]["content"].as_array().unwrap().clone();
            let marked = |place: &usize| content[*place].get("cache_control").is_some();
            (0..content.len()).filter(marked).collect::<Vec<_>>()
        };

        assert_eq!(marks(1), [0]);
        assert_eq!(marks(15), [14]);
        assert_eq!(marks(16), [14, 15]);
        assert_eq!(marks(50), [29, 44, 49]);
        assert_eq!(marks(58), [29, 44, 57]);
    }
}
