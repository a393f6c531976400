//! What a provider says, piece by piece.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One piece of an answer, in the order the provider sent it.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// The provider took the request and begins to answer.
    Started {
        /// First counts; the output is only an estimate yet.
        usage: Usage,
    },
    /// A block of content begins.
    BlockOpened {
        /// The block's place in the answer.
        index: u32,
        /// What kind of block it is.
        block: Block,
    },
    /// More of a text block.
    Text {
        /// The block's place in the answer.
        index: u32,
        /// The piece to append.
        text: String,
    },
    /// More of a thinking block.
    Thinking {
        /// The block's place in the answer.
        index: u32,
        /// The piece to append.
        text: String,
    },
    /// The whole signature of a thinking block; it must come back unchanged.
    Signature {
        /// The block's place in the answer.
        index: u32,
        /// The signature; it replaces an earlier one.
        signature: String,
    },
    /// More of a tool call's input.
    ToolInput {
        /// The block's place in the answer.
        index: u32,
        /// A piece of JSON text, valid only once all pieces are joined; no piece at all means `{}`.
        json: String,
    },
    /// A source for the text of a block.
    Citation {
        /// The block's place in the answer.
        index: u32,
        /// The citation, as it came.
        citation: Value,
    },
    /// Something this version does not know, as it came; to be shown, not to be understood.
    Unknown {
        /// The block it belongs to, if it names one.
        index: Option<u32>,
        /// The event.
        raw: Value,
    },
    /// A block is whole.
    BlockClosed {
        /// The block's place in the answer.
        index: u32,
    },
    /// What the call used up to here, all of it: replaces what came before.
    Usage(Usage),
    /// The answer is whole. Nothing follows.
    Stopped {
        /// Why the model stopped.
        reason: StopReason,
    },
}

/// A kind of content block.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text for the person.
    Text,
    /// A summary of the model's thinking; may stay empty and still be signed.
    Thinking,
    /// Thinking the provider keeps sealed; echoed as it is.
    RedactedThinking {
        /// The sealed thinking.
        data: String,
    },
    /// A tool call.
    ToolUse {
        /// The call's id, which its result must carry.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// A block of a kind this version does not know, as it came.
    Other(Value),
}

/// Tokens used by one call. The prompt is `input`, `cache_write` and `cache_read` together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that were neither written to nor read from the provider's cache.
    pub input: u64,
    /// Tokens written, thinking included.
    pub output: u64,
    /// Prompt tokens written to the cache, for however long.
    pub cache_write: u64,
    /// Those of them that are kept for an hour.
    #[serde(default)]
    pub cache_write_1h: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
    /// Those of `output` that were thinking.
    #[serde(default)]
    pub thinking: u64,
    /// What the provider said, as it said it; later counts laid over earlier ones.
    #[serde(default)]
    pub raw: Option<Value>,
}

impl Usage {
    /// The whole prompt: new, cached and to be cached.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_read)
    }
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It had said all it wanted.
    EndTurn,
    /// It waits for the results of its tool calls.
    ToolUse,
    /// It reached the request's limit; an open tool call is cut and must not run.
    MaxTokens,
    /// It wrote a stop sequence.
    StopSequence,
    /// It rests; send what it said back unchanged to go on.
    PauseTurn,
    /// It declined to answer.
    Refusal {
        /// The provider's words and the category, if it gave any.
        explanation: Option<String>,
    },
    /// The conversation fills the model's context.
    ContextWindow,
    /// A reason this version does not know, by its name.
    Other(String),
}
