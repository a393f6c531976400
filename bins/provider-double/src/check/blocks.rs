//! The messages of a request, block by block.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Value, json};

/// Everything one side said before the other spoke: the provider merges messages of the same role.
pub(super) struct Turn<'a> {
    pub assistant: bool,
    pub blocks: Vec<Block<'a>>,
}

/// A content block and where it stands.
pub(super) struct Block<'a> {
    pub at: String,
    pub raw: Cow<'a, Value>,
}

impl Block<'_> {
    pub fn kind(&self) -> &str {
        self.raw["type"].as_str().unwrap_or_default()
    }

    fn text(&self, name: &str) -> &str {
        self.raw[name].as_str().unwrap_or_default()
    }
}

/// The turns of a conversation, or why there are none to speak of.
pub(super) fn turns(messages: &[Value]) -> Result<Vec<Turn<'_>>, String> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for (place, message) in messages.iter().enumerate() {
        let assistant = match message["role"].as_str() {
            Some("user") => false,
            Some("assistant") => true,
            Some("system") => continue,
            _ => {
                return Err(format!(
                    "messages.{place}.role: Input should be 'user' or 'assistant'"
                ));
            }
        };
        let blocks = blocks(place, &message["content"])?;
        match turns.last_mut().filter(|turn| turn.assistant == assistant) {
            Some(turn) => turn.blocks.extend(blocks),
            None => turns.push(Turn { assistant, blocks }),
        }
    }
    Ok(turns)
}

fn blocks(place: usize, content: &Value) -> Result<Vec<Block<'_>>, String> {
    match content {
        Value::String(text) => {
            let raw = Cow::Owned(json!({"type": "text", "text": text}));
            Ok(vec![Block {
                at: format!("messages.{place}.content"),
                raw,
            }])
        }
        Value::Array(blocks) if !blocks.is_empty() => {
            let block = |(number, raw)| Block {
                at: format!("messages.{place}.content.{number}"),
                raw: Cow::Borrowed(raw),
            };
            Ok(blocks.iter().enumerate().map(block).collect())
        }
        _ => Err(format!(
            "messages.{place}: all messages must have non-empty content"
        )),
    }
}

/// What is wrong with the blocks of a turn, each by itself.
pub(super) fn legal(turn: &Turn<'_>) -> Vec<String> {
    turn.blocks
        .iter()
        .filter_map(|block| {
            wrong(block, turn.assistant).map(|wrong| format!("{}: {wrong}", block.at))
        })
        .collect()
}

fn wrong(block: &Block<'_>, assistant: bool) -> Option<&'static str> {
    let marked = block.raw.get("cache_control").is_some();
    match (block.kind(), assistant) {
        ("text", _) if block.text("text").trim().is_empty() => {
            Some("text content blocks must contain non-whitespace text")
        }
        ("tool_use", true) if !block.raw["input"].is_object() => {
            Some("tool_use.input: Input should be a valid dictionary")
        }
        ("tool_use", true) if block.text("id").is_empty() || block.text("name").is_empty() => {
            Some("tool_use: id and name are required")
        }
        ("thinking" | "redacted_thinking", true) if marked => {
            Some("thinking blocks cannot have cache_control")
        }
        ("tool_result", false) if has_empty_text(&block.raw["content"]) => {
            Some("tool_result: text content blocks must be non-empty")
        }
        ("text" | "tool_use" | "thinking" | "redacted_thinking", true)
        | ("text" | "tool_result" | "image" | "document", false) => None,
        _ => Some("this kind of block is not allowed in this role"),
    }
}

fn has_empty_text(content: &Value) -> bool {
    content.as_array().is_some_and(|blocks| {
        blocks
            .iter()
            .any(|block| block["type"] == "text" && block["text"] == "")
    })
}

/// Every call has exactly one result, in the very next turn and at its head.
pub(super) fn pairs(turns: &[Turn<'_>]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut seen = HashSet::new();
    for (place, turn) in turns.iter().enumerate() {
        if turn.assistant {
            let ids = ids(turn, "tool_use", "id");
            violations.extend(
                ids.iter()
                    .filter(|id| !seen.insert(**id))
                    .map(|id| format!("messages: `tool_use` ids must be unique: {id}")),
            );
            violations.extend(unanswered(&ids, turns.get(place + 1)));
        } else {
            let before = place.checked_sub(1).and_then(|place| turns.get(place));
            violations.extend(unasked(turn, before));
        }
    }
    violations
}

fn ids<'a>(turn: &'a Turn<'_>, kind: &str, name: &str) -> Vec<&'a str> {
    turn.blocks
        .iter()
        .filter(|block| block.kind() == kind)
        .map(|block| block.text(name))
        .collect()
}

fn unanswered(calls: &[&str], next: Option<&Turn<'_>>) -> Vec<String> {
    let results = next
        .map(|turn| ids(turn, "tool_result", "tool_use_id"))
        .unwrap_or_default();
    let lonely = calls.iter().filter(|id| !results.contains(id));
    lonely
        .map(|id| format!("messages: `tool_use` ids were found without `tool_result` blocks immediately after: {id}"))
        .collect()
}

fn unasked(turn: &Turn<'_>, before: Option<&Turn<'_>>) -> Vec<String> {
    let calls = before
        .map(|turn| ids(turn, "tool_use", "id"))
        .unwrap_or_default();
    let mut violations = Vec::new();
    let mut answered = HashSet::new();
    let mut talking = false;
    for block in &turn.blocks {
        if block.kind() != "tool_result" {
            talking = true;
            continue;
        }
        let id = block.text("tool_use_id");
        if !calls.contains(&id) {
            violations.push(format!(
                "{}: unexpected `tool_use_id` found in `tool_result` blocks: {id}",
                block.at
            ));
        }
        if !answered.insert(id) {
            violations.push(format!(
                "{}: each `tool_use` must have a single result: {id}",
                block.at
            ));
        }
        if talking {
            violations.push(format!(
                "{}: `tool_result` blocks must come first in the message",
                block.at
            ));
        }
    }
    violations
}
