//! A request in the chat completions format.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{Error, Request, Role, Thinking, Tuning, transport};

/// The request as JSON text.
pub(super) fn encode(request: &Request, tuning: &Tuning) -> Result<Vec<u8>, Error> {
    let mut body = json!({
        "model": tuning.name.as_deref().unwrap_or(&request.model),
        "messages": messages(request),
        "max_tokens": tuning.max_tokens(request.max_tokens),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    if !request.tools.is_empty() {
        body["tools"] = tools(request);
    }
    if let Thinking::Adaptive {
        effort: Some(effort),
    } = tuning.thinking
        && request.thinking
    {
        body["reasoning_effort"] = json!(effort);
    }
    serde_json::to_vec(&body).map_err(|error| transport::invalid(error.to_string()))
}

fn tools(request: &Request) -> Value {
    let tools = request.tools.iter().map(|tool| {
        json!({"type": "function", "function": {
            "name": tool.name, "description": tool.description, "parameters": tool.input_schema,
        }})
    });
    tools.collect()
}

fn messages(request: &Request) -> Vec<Value> {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    let mut calls = Vec::new();
    for (role, blocks) in turns(request) {
        match role {
            Role::Assistant => {
                calls = ids(&blocks);
                messages.extend(assistant(&blocks));
            }
            Role::User => user(&blocks, &std::mem::take(&mut calls), &mut messages),
        }
    }
    messages
}

/// Messages of the same side are one.
fn turns(request: &Request) -> Vec<(Role, Vec<&Value>)> {
    let mut turns: Vec<(Role, Vec<&Value>)> = Vec::new();
    for message in &request.messages {
        match turns.last_mut().filter(|(role, _)| *role == message.role) {
            Some((_, blocks)) => blocks.extend(&message.content),
            None => turns.push((message.role, message.content.iter().collect())),
        }
    }
    turns
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap_or_default()
}

fn text(block: &Value) -> &str {
    block["text"].as_str().unwrap_or_default()
}

fn ids(blocks: &[&Value]) -> Vec<String> {
    let calls = blocks.iter().filter(|block| kind(block) == "tool_use");
    calls
        .map(|call| call["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Thinking stays out: these servers take none back.
fn assistant(blocks: &[&Value]) -> Option<Value> {
    let said: String = blocks
        .iter()
        .filter(|block| kind(block) == "text")
        .map(|block| text(block))
        .collect();
    let calls: Vec<_> = blocks
        .iter()
        .filter(|block| kind(block) == "tool_use")
        .map(|call| {
            json!({"id": call["id"], "type": "function", "function": {
                "name": call["name"], "arguments": call["input"].to_string(),
            }})
        })
        .collect();
    if said.is_empty() && calls.is_empty() {
        return None;
    }
    let content = if said.is_empty() {
        Value::Null
    } else {
        json!(said)
    };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    Some(message)
}

/// One `tool` message for each call, in the order of the calls; then what people said, with the results' pictures,
/// since a `tool` message holds only text.
fn user(blocks: &[&Value], calls: &[String], messages: &mut Vec<Value>) {
    let mut results: HashMap<&str, &Value> = HashMap::new();
    for block in blocks.iter().filter(|block| kind(block) == "tool_result") {
        results.insert(block["tool_use_id"].as_str().unwrap_or_default(), block);
    }
    let mut parts = Vec::new();
    for call in calls {
        let found = results.get(call.as_str());
        let content = found.map_or_else(
            || "[no result]".to_owned(),
            |block| result(block, &mut parts),
        );
        messages.push(json!({"role": "tool", "tool_call_id": call, "content": content}));
    }
    parts.extend(blocks.iter().filter_map(|block| part(block)));
    let only_text = parts.iter().all(|part| kind(part) == "text");
    let content = match parts.len() {
        0 => return,
        1 if only_text => parts[0]["text"].clone(),
        _ => json!(parts),
    };
    messages.push(json!({"role": "user", "content": content}));
}

/// A result's text; its pictures go to `parts`.
fn result(block: &Value, parts: &mut Vec<Value>) -> String {
    let content = &block["content"];
    let mut said = content.as_str().unwrap_or_default().to_owned();
    for inner in content.as_array().into_iter().flatten() {
        match kind(inner) {
            "text" => said.push_str(text(inner)),
            "image" => {
                said.push_str("[a picture follows]");
                parts.extend(part(inner));
            }
            _ => said.push_str(&inner.to_string()),
        }
    }
    if block["is_error"] == true {
        format!("Error: {said}")
    } else {
        said
    }
}

fn part(block: &Value) -> Option<Value> {
    match kind(block) {
        "text" => Some(json!({"type": "text", "text": text(block)})),
        "image" => {
            let source = &block["source"];
            let url = match source["url"].as_str() {
                Some(url) => url.to_owned(),
                None => format!(
                    "data:{};base64,{}",
                    source["media_type"].as_str()?,
                    source["data"].as_str()?
                ),
            };
            Some(json!({"type": "image_url", "image_url": {"url": url}}))
        }
        _ => None,
    }
}
