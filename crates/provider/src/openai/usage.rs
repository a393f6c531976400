//! Counts of the chat completions format, as ours.

use serde::Deserialize;
use serde_json::Value;

use crate::Usage;

#[derive(Deserialize)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// Cached tokens lie inside the prompt's count there, and beside it here.
pub(super) fn read(raw: Value) -> Option<Usage> {
    let counts = Counts::deserialize(&raw).ok()?;
    let prompt = counts.prompt_tokens.unwrap_or_default();
    let cached = counts
        .prompt_tokens_details
        .and_then(|details| details.cached_tokens)
        .unwrap_or_default()
        .min(prompt);
    let thinking = counts
        .completion_tokens_details
        .and_then(|details| details.reasoning_tokens);
    Some(Usage {
        input: prompt - cached,
        output: counts.completion_tokens.unwrap_or_default(),
        cache_read: cached,
        thinking: thinking.unwrap_or_default(),
        raw: Some(raw),
        ..Usage::default()
    })
}
