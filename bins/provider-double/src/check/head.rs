//! Everything of a request but its messages.

use std::collections::HashSet;

use serde_json::Value;

/// What only a request for a message has.
pub(super) fn limits(body: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    if body["max_tokens"].as_u64().is_none_or(|most| most == 0) {
        violations.push("max_tokens: a whole number above 0 is required".to_owned());
    }
    if body["stream"] != true {
        violations.push("stream: the double only streams; set it to true".to_owned());
    }
    for sampling in ["temperature", "top_p", "top_k"] {
        if body.get(sampling).is_some() {
            violations.push(format!("{sampling}: not supported by this model"));
        }
    }
    violations
}

pub(super) fn model_and_tools(body: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    if body["model"].as_str().is_none_or(str::is_empty) {
        violations.push("model: a text is required".to_owned());
    }
    violations.extend(system(&body["system"]));
    violations.extend(tools(&body["tools"]));
    violations.extend(thinking(body));
    let marks = body.to_string().matches("\"cache_control\":{").count();
    if marks > 4 {
        violations.push(format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {marks}."
        ));
    }
    violations
}

fn system(system: &Value) -> Option<String> {
    let good = match system {
        Value::Null | Value::String(_) => true,
        Value::Array(blocks) => blocks.iter().all(|block| {
            block["type"] == "text" && block["text"].as_str().is_some_and(|text| !text.is_empty())
        }),
        _ => false,
    };
    (!good).then(|| "system: text content blocks must be non-empty".to_owned())
}

fn tools(tools: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    let mut names = HashSet::new();
    for (place, tool) in tools.as_array().into_iter().flatten().enumerate() {
        let name = tool["name"].as_str().unwrap_or_default();
        if !is_name(name) {
            violations.push(format!(
                "tools.{place}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
            ));
        }
        if !names.insert(name) {
            violations.push("tools: Tool names must be unique.".to_owned());
        }
        if tool["input_schema"]["type"] != "object" {
            violations.push(format!("tools.{place}.input_schema.type: Field required"));
        }
    }
    violations
}

/// Whether a text may name a tool.
fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn thinking(body: &Value) -> Option<String> {
    let thinking = body.get("thinking")?;
    match thinking["type"].as_str() {
        Some("adaptive" | "disabled") => None,
        Some("enabled") => {
            let budget = thinking["budget_tokens"].as_u64().unwrap_or(0);
            let good =
                budget >= 1024 && body["max_tokens"].as_u64().is_none_or(|most| budget < most);
            (!good).then(|| {
                "thinking.enabled.budget_tokens: at least 1024 and less than max_tokens".to_owned()
            })
        }
        _ => Some("thinking.type: adaptive, enabled or disabled is required".to_owned()),
    }
}
