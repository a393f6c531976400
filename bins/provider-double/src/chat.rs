//! The other format, chat completions: a request becomes one for a message, and each event of the answer a chunk.

use serde_json::{Value, json};

/// What is wrong with a request that only this format can have wrong; the rest is looked at once it is translated.
pub(crate) fn check(body: &Value) -> Vec<String> {
    let messages = body["messages"].as_array();
    let messages = messages.map_or(&[][..], Vec::as_slice);
    let mut violations = Vec::new();
    // The calls of the answer above that have no result yet.
    let mut open: Vec<&str> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let mut wrong = |what: &str| violations.push(format!("messages.{at}: {what}"));
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            wrong(
                "an assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'",
            );
            open.clear();
        }
        match role {
            "system" | "developer" | "user" if is_empty(&message["content"]) => {
                wrong("content is empty");
            }
            "system" | "developer" | "user" => {}
            "assistant" => {
                let calls = message["tool_calls"].as_array();
                let calls = calls.map_or(&[][..], Vec::as_slice);
                if calls.is_empty() && is_empty(&message["content"]) {
                    wrong("an answer has content or tool_calls");
                }
                for call in calls {
                    let arguments = call["function"]["arguments"].as_str();
                    if arguments.is_none_or(|text| serde_json::from_str::<Value>(text).is_err()) {
                        wrong("arguments are a text that is JSON");
                    }
                    open.push(call["id"].as_str().unwrap_or_default());
                }
            }
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                match open.iter().position(|call| *call == id) {
                    Some(place) => drop(open.remove(place)),
                    None => wrong(
                        "role 'tool' must be a response to a preceding message with 'tool_calls'",
                    ),
                }
            }
            _ => wrong("there is no such role"),
        }
    }
    if !open.is_empty() {
        violations.push("messages: the last calls have no tool messages".to_owned());
    }
    violations
}

fn is_empty(content: &Value) -> bool {
    content.as_str().is_none_or(str::is_empty) && content.as_array().is_none_or(Vec::is_empty)
}

/// The same request as one for a message.
pub(crate) fn translated(body: &Value) -> Value {
    let messages = body["messages"].as_array().into_iter().flatten();
    let (system, said): (Vec<&Value>, Vec<&Value>) = messages
        .partition(|message| matches!(message["role"].as_str(), Some("system" | "developer")));
    let system: String = system
        .iter()
        .filter_map(|message| message["content"].as_str())
        .collect();
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools: Vec<Value> = tools
        .map(|tool| {
            let function = &tool["function"];
            json!({"name": function["name"], "description": function["description"], "input_schema": function["parameters"]})
        })
        .collect();
    let most = body["max_completion_tokens"]
        .as_u64()
        .or_else(|| body["max_tokens"].as_u64());
    json!({
        "model": body["model"],
        "system": system,
        "tools": tools,
        "messages": said.into_iter().map(message).collect::<Vec<_>>(),
        "max_tokens": most.unwrap_or(100_000),
        "stream": body["stream"],
        "thinking": {"type": "adaptive", "display": "summarized"},
    })
}

fn message(message: &Value) -> Value {
    match message["role"].as_str() {
        Some("assistant") => {
            let text = message["content"].as_str().filter(|text| !text.is_empty());
            let mut content: Vec<Value> = text
                .map(|text| json!({"type": "text", "text": text}))
                .into_iter()
                .collect();
            let calls = message["tool_calls"].as_array().into_iter().flatten();
            content.extend(calls.map(|call| {
                let function = &call["function"];
                let input = function["arguments"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                json!({"type": "tool_use", "id": call["id"], "name": function["name"], "input": input.unwrap_or(json!({}))})
            }));
            json!({"role": "assistant", "content": content})
        }
        Some("tool") => json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": message["tool_call_id"], "content": message["content"]},
        ]}),
        _ => json!({"role": "user", "content": content(&message["content"])}),
    }
}

/// Text stays; a picture is only a word here.
fn content(content: &Value) -> Value {
    let Some(parts) = content.as_array() else {
        return content.clone();
    };
    let text = |part: &Value| part["text"].as_str().unwrap_or("[picture]").to_owned();
    parts
        .iter()
        .map(|part| json!({"type": "text", "text": text(part)}))
        .collect()
}

/// Turns the events of an answer into chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    /// Whether usage is told, in a chunk of its own at the end.
    pub usage: bool,
    id: Value,
    model: Value,
    /// The blocks that are calls, in their order.
    calls: Vec<u64>,
    used: (u64, u64),
}

impl Chunks {
    /// With usage at the end, if the request asks for it.
    pub fn of(body: &Value) -> Self {
        Self {
            usage: body["stream_options"]["include_usage"] == true,
            ..Self::default()
        }
    }

    /// The event as it goes over the wire; many have no counterpart.
    pub fn encode(&mut self, event: &Value) -> String {
        let delta = &event["delta"];
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => {
                let message = &event["message"];
                (self.id, self.model) = (message["id"].clone(), message["model"].clone());
                self.used.0 = prompt(&message["usage"]);
                self.chunk(&json!({"role": "assistant", "content": ""}), &Value::Null)
            }
            "content_block_start" if event["content_block"]["type"] == "tool_use" => {
                self.call(event)
            }
            "content_block_delta" => match delta["type"].as_str().unwrap_or_default() {
                "text_delta" => self.chunk(&json!({"content": delta["text"]}), &Value::Null),
                "thinking_delta" => self.chunk(
                    &json!({"reasoning_content": delta["thinking"]}),
                    &Value::Null,
                ),
                "input_json_delta" => {
                    let index = self.place(event);
                    let function = json!({"arguments": delta["partial_json"]});
                    self.chunk(
                        &json!({"tool_calls": [{"index": index, "function": function}]}),
                        &Value::Null,
                    )
                }
                _ => String::new(),
            },
            "message_delta" => {
                self.used.1 = event["usage"]["output_tokens"].as_u64().unwrap_or_default();
                self.chunk(&json!({}), &finish(delta["stop_reason"].as_str()))
            }
            "message_stop" => self.end(),
            "error" => {
                let error = &event["error"];
                line(
                    &json!({"error": {"message": error["message"], "type": error["type"], "code": 500}}),
                )
            }
            _ => String::new(),
        }
    }

    fn call(&mut self, event: &Value) -> String {
        let block = &event["content_block"];
        self.calls.push(event["index"].as_u64().unwrap_or_default());
        let index = self.calls.len() - 1;
        let function = json!({"name": block["name"], "arguments": ""});
        let call =
            json!({"index": index, "id": block["id"], "type": "function", "function": function});
        self.chunk(&json!({"tool_calls": [call]}), &Value::Null)
    }

    /// Which call a block is.
    fn place(&self, event: &Value) -> usize {
        let block = event["index"].as_u64();
        let found = self.calls.iter().position(|call| Some(*call) == block);
        found.unwrap_or_default()
    }

    fn chunk(&self, delta: &Value, finish: &Value) -> String {
        line(&json!({
            "id": self.id, "object": "chat.completion.chunk", "created": 1_795_392_000, "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }))
    }

    fn end(&self) -> String {
        let (prompt, completion) = self.used;
        let usage = json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion});
        let told = line(&json!({
            "id": self.id, "object": "chat.completion.chunk", "created": 1_795_392_000, "model": self.model,
            "choices": [], "usage": usage,
        }));
        let told = if self.usage { told } else { String::new() };
        format!("{told}data: [DONE]\n\n")
    }
}

fn prompt(usage: &Value) -> u64 {
    let parts = [
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    ];
    parts.iter().filter_map(|part| usage[*part].as_u64()).sum()
}

fn finish(reason: Option<&str>) -> Value {
    match reason {
        Some("tool_use") => json!("tool_calls"),
        Some("max_tokens") => json!("length"),
        Some("refusal") => json!("content_filter"),
        Some("end_turn" | "stop_sequence") => json!("stop"),
        Some(other) => json!(other),
        None => Value::Null,
    }
}

fn line(data: &Value) -> String {
    format!("data: {data}\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str) -> Value {
        json!({"id": id, "type": "function", "function": {"name": "bash", "arguments": "{}"}})
    }

    #[test]
    fn every_call_is_followed_by_its_result() {
        let asked = json!({"role": "user", "content": "a"});
        let called =
            json!({"role": "assistant", "content": null, "tool_calls": [call("1"), call("2")]});
        let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "ok"});
        let broken = json!({"id": "3", "function": {"name": "x", "arguments": "{"}});
        let violations = |messages: &[&Value]| check(&json!({"messages": messages}));

        assert_eq!(
            violations(&[&asked, &called, &result("2"), &result("1"), &asked]),
            Vec::<String>::new()
        );
        for (messages, says) in [
            (
                vec![&asked, &called, &asked],
                "must be followed by tool messages",
            ),
            (vec![&asked, &called, &result("1")], "have no tool messages"),
            (vec![&asked, &result("1")], "must be a response"),
            (
                vec![&json!({"role": "user", "content": ""})],
                "content is empty",
            ),
            (
                vec![&asked, &json!({"role": "assistant", "content": ""})],
                "has content or tool_calls",
            ),
            (
                vec![&json!({"role": "robot", "content": "x"})],
                "no such role",
            ),
            (
                vec![
                    &asked,
                    &json!({"role": "assistant", "tool_calls": [broken]}),
                ],
                "arguments are a text that is JSON",
            ),
        ] {
            let found = violations(&messages);
            assert!(
                found.iter().any(|violation| violation.contains(says)),
                "{says}: {found:?}"
            );
        }
    }
}
