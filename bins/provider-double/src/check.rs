//! What a request must keep to; each violation is named as the real provider names it.

mod blocks;
mod head;
mod lineage;

use axum::http::HeaderMap;
use serde_json::Value;

use crate::handle::Desk;
use blocks::Turn;

/// What is wrong with a request's headers.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<String> {
    let version = headers
        .get("anthropic-version")
        .is_none()
        .then_some("anthropic-version: header is required");
    version.into_iter().map(str::to_owned).collect()
}

/// What is wrong with a request for a message.
pub(crate) fn request(body: &Value, desk: &Desk) -> Vec<String> {
    let mut violations = head::limits(body);
    violations.extend(conversation(body, desk));
    violations
}

/// Answers whose history was changed since they were given. To be asked before [`asked`].
pub(crate) fn changed(body: &Value, desk: &Desk) -> Vec<String> {
    lineage::changed(body, |prefix| desk.was_asked(prefix))
}

/// Remembers what is said before the answer that is about to be given.
pub(crate) fn asked(body: &Value, desk: &Desk) {
    desk.asked(lineage::asked(body));
}

/// What is wrong with a conversation: all a request for a count has.
pub(crate) fn conversation(body: &Value, desk: &Desk) -> Vec<String> {
    let mut violations = head::model_and_tools(body);
    let Some(messages) = body["messages"]
        .as_array()
        .filter(|messages| !messages.is_empty())
    else {
        violations.push("messages: at least one message is required".to_owned());
        return violations;
    };
    let turns = match blocks::turns(messages) {
        Ok(turns) => turns,
        Err(violation) => {
            violations.push(violation);
            return violations;
        }
    };
    violations.extend(order(&turns));
    violations.extend(turns.iter().flat_map(blocks::legal));
    violations.extend(blocks::pairs(&turns));
    violations.extend(turns.iter().flat_map(|turn| thinking(turn, desk)));
    violations
}

fn order(turns: &[Turn<'_>]) -> Vec<String> {
    let mut violations = Vec::new();
    if turns.first().is_some_and(|turn| turn.assistant) {
        violations.push("messages: first message must use the \"user\" role".to_owned());
    }
    if turns.last().is_some_and(|turn| turn.assistant) {
        violations.push("messages: the conversation must end with a user message; this model does not support prefill".to_owned());
    }
    violations
}

/// Thinking comes back as it was sent, and complete wherever a call followed it.
fn thinking(turn: &Turn<'_>, desk: &Desk) -> Vec<String> {
    let mut violations = Vec::new();
    let signed: Vec<_> = turn
        .blocks
        .iter()
        .filter_map(|block| block.raw["signature"].as_str())
        .collect();
    for block in turn
        .blocks
        .iter()
        .filter(|block| block.kind() == "thinking")
    {
        let text = block.raw["thinking"].as_str().unwrap_or_default();
        if block.raw["signature"].as_str() != Some(crate::signature(text).as_str()) {
            violations.push(format!(
                "{}: Invalid `signature` in `thinking` block",
                block.at
            ));
        }
    }
    for block in turn
        .blocks
        .iter()
        .filter(|block| block.kind() == "tool_use")
    {
        let before = desk.signatures_before(block.raw["id"].as_str().unwrap_or_default());
        if before
            .iter()
            .any(|signature| !signed.contains(&signature.as_str()))
        {
            violations.push(format!(
                "{}: the `thinking` blocks before this `tool_use` must come back unmodified",
                block.at
            ));
        }
    }
    violations
}

#[cfg(test)]
mod tests;
