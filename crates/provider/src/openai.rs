//! The `OpenAI` chat completions format, streaming, as llama.cpp, Ollama and vLLM speak it.

mod body;
mod events;
mod usage;

use std::time::Duration;

use futures_util::TryFutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use reqwest::{Client, Response, header};

use crate::scrub;
use crate::transport::{self, endpoint, sensitive};
use crate::{ChunkStream, Error, Request, Secret, Tuning};

/// How to reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAiConfig {
    /// The address before `/chat/completions`; it mostly ends with `/v1`.
    pub base_url: String,
    /// The key; a server of one's own may want none.
    pub api_key: Option<Secret>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long the server may send nothing at all. A local one reads a long prompt in silence.
    pub idle_timeout: Duration,
}

impl OpenAiConfig {
    /// A server at an address, without a key.
    #[must_use]
    pub fn at(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            api_key: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(5),
        }
    }
}

/// A client of a chat completions server. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct OpenAi {
    config: OpenAiConfig,
    client: Result<Client, Error>,
    tuning: Tuning,
}

impl OpenAi {
    /// The key, if there is one.
    pub(crate) fn key(&self) -> Option<&Secret> {
        self.config.api_key.as_ref()
    }

    /// Prepares a client for one model; nothing connects yet.
    #[must_use]
    pub fn new(mut config: OpenAiConfig, tuning: Tuning) -> Self {
        config.api_key = config.api_key.filter(|key| !key.is_empty());
        let client = transport::client(&config.base_url, config.connect_timeout);
        Self {
            config,
            client,
            tuning,
        }
    }

    /// Sends the request and yields the answer as it comes.
    #[must_use]
    pub fn stream(&self, request: Request) -> ChunkStream {
        let idle = self.config.idle_timeout;
        let key = self.config.api_key.clone();
        let opening = self.clone().open(request).map_ok(move |response| {
            events::read(transport::events(transport::bytes_of(response), idle))
        });
        scrub::without(stream::once(opening).try_flatten().boxed(), key)
    }

    async fn open(self, request: Request) -> Result<Response, Error> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let url = endpoint(&self.config.base_url, "/chat/completions")?;
        let mut sending = client.post(url);
        if let Some(key) = &self.config.api_key {
            let value = sensitive(&format!("Bearer {}", key.reveal()))?;
            sending = sending.header(header::AUTHORIZATION, value);
        }
        let body = body::encode(&request, &self.tuning)?;
        let none = Secret::new("");
        let key = self.config.api_key.as_ref().unwrap_or(&none);
        transport::send(sending, body, key, self.config.idle_timeout).await
    }
}

#[cfg(test)]
mod tests;
