//! Model providers: a request goes out, a stream of chunks comes back.
//!
//! This crate knows nothing of sessions or logs. It is the only one that speaks HTTP to a vendor, so that a new
//! vendor is one more variant of [`Provider`] and nothing else.

pub mod anthropic;
mod chunk;
mod config;
pub mod demo;
mod error;
mod failure;
mod frame;
mod models;
pub mod openai;
pub mod price;
mod prices;
mod request;
mod scrub;
mod secret;
mod transport;
mod tuning;

use futures_util::stream::{self, BoxStream, StreamExt as _};

pub use anthropic::{Anthropic, AnthropicConfig};
pub use chunk::{Block, Chunk, StopReason, Usage};
pub use config::{ConfigError, ProvidersConfig};
pub use demo::Demo;
pub use error::Error;
pub use models::{ModelInfo, Providers};
pub use openai::{OpenAi, OpenAiConfig};
pub use request::{Message, Request, Role, ToolSpec};
pub use secret::Secret;
pub use tuning::{Effort, Thinking, Tuning};

/// What a provider says, piece by piece. Dropping it closes the connection at once: that is how a turn is interrupted.
pub type ChunkStream = BoxStream<'static, Result<Chunk, Error>>;

/// Who answers a request.
#[derive(Clone, Debug)]
pub enum Provider {
    /// The Anthropic Messages API, or a server that speaks it.
    Anthropic(Anthropic),
    /// A server that speaks the `OpenAI` chat completions format: llama.cpp, Ollama, vLLM.
    OpenAi(OpenAi),
    /// The built-in demonstration, which needs no key and no network.
    Demo(Demo),
    /// No provider here offers the model named; every request fails with [`Error::UnknownModel`].
    Nobody(String),
}

impl Provider {
    /// Sends the request and yields what comes back. The stream ends after [`Chunk::Stopped`] or after its first error,
    /// which may be that the provider could not be reached at all.
    #[must_use]
    pub fn stream(&self, request: Request) -> ChunkStream {
        match self {
            Self::Anthropic(anthropic) => anthropic.stream(request),
            Self::OpenAi(openai) => openai.stream(request),
            Self::Demo(demo) => demo.stream(&request),
            Self::Nobody(model) => {
                let error = Error::UnknownModel(model.clone());
                stream::once(async { Err(error) }).boxed()
            }
        }
    }
}
