//! The built-in demonstration: no model, no network, always the same, so that a newcomer sees the whole product.

mod script;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use crate::{Block, Chunk, ChunkStream, Request, StopReason, Usage};

/// What the demonstration signs its thinking with. No provider would accept it, so it is never sent to one.
pub const SIGNATURE: &str = "duplex-demonstration";

/// Whether a block is thinking the demonstration signed.
pub(crate) fn signed(block: &Value) -> bool {
    block.get("signature").and_then(Value::as_str) == Some(SIGNATURE)
}

/// A provider that plays a small script, chosen by what the conversation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// Time between two tokens.
    pub pace: Duration,
}

impl Default for Demo {
    /// About as fast as a large model: 40 tokens a second.
    fn default() -> Self {
        Self {
            pace: Duration::from_millis(25),
        }
    }
}

/// A block of the script, whole.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Thinking(String),
    Text(String),
    Tool {
        id: String,
        name: String,
        input: Value,
    },
}

impl Demo {
    /// Plays the answer to a request.
    #[must_use]
    pub fn stream(&self, request: &Request) -> ChunkStream {
        let pace = self.pace;
        let chunks = chunks(script::parts(request), prompt_tokens(request));
        stream::iter(chunks)
            .then(move |chunk| paced(chunk, pace))
            .boxed()
    }
}

async fn paced(chunk: Chunk, pace: Duration) -> Result<Chunk, crate::Error> {
    if is_token(&chunk) && !pace.is_zero() {
        tokio::time::sleep(pace).await;
    }
    Ok(chunk)
}

fn is_token(chunk: &Chunk) -> bool {
    matches!(
        chunk,
        Chunk::Text { .. } | Chunk::Thinking { .. } | Chunk::ToolInput { .. }
    )
}

/// The whole answer, piece by piece.
fn chunks(parts: Vec<Part>, input: u64) -> Vec<Chunk> {
    let usage = Usage {
        input,
        ..Usage::default()
    };
    let calls = parts.iter().any(|part| matches!(part, Part::Tool { .. }));
    let mut chunks = vec![Chunk::Started {
        usage: usage.clone(),
    }];
    for (index, part) in (0..).zip(parts) {
        play(index, part, &mut chunks);
    }
    let output = chunks.iter().filter(|chunk| is_token(chunk)).count() as u64;
    let reason = if calls {
        StopReason::ToolUse
    } else {
        StopReason::EndTurn
    };
    chunks.extend([
        Chunk::Usage(Usage { output, ..usage }),
        Chunk::Stopped { reason },
    ]);
    chunks
}

fn play(index: u32, part: Part, chunks: &mut Vec<Chunk>) {
    let opened = |block| Chunk::BlockOpened { index, block };
    match part {
        Part::Thinking(text) => {
            chunks.push(opened(Block::Thinking));
            chunks.extend(words(&text).map(|text| Chunk::Thinking { index, text }));
            chunks.push(Chunk::Signature {
                index,
                signature: SIGNATURE.to_owned(),
            });
        }
        Part::Text(text) => {
            chunks.push(opened(Block::Text));
            chunks.extend(words(&text).map(|text| Chunk::Text { index, text }));
        }
        Part::Tool { id, name, input } => {
            chunks.push(opened(Block::ToolUse { id, name }));
            chunks.extend(words(&input.to_string()).map(|json| Chunk::ToolInput { index, json }));
        }
    }
    chunks.push(Chunk::BlockClosed { index });
}

/// Pieces of about a token each, which join to the text.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_inclusive(' ').map(str::to_owned)
}

/// A rough count, so that the page has something to show: four bytes a token.
fn prompt_tokens(request: &Request) -> u64 {
    let messages: usize = request
        .messages
        .iter()
        .flat_map(|message| &message.content)
        .map(|block| block.to_string().len())
        .sum();
    (request.system.len() + messages) as u64 / 4
}

#[cfg(test)]
mod tests;
