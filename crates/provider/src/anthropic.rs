//! The Anthropic Messages API, streaming.

mod body;
mod events;

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use futures_util::{Stream, TryFutureExt as _};
use reqwest::{Client, Response};

use crate::scrub;
use crate::transport::{self, endpoint, sensitive};
use crate::{ChunkStream, Error, Request, Secret, Tuning};

/// Where the vendor itself listens.
pub const OFFICIAL: &str = "https://api.anthropic.com";

/// The protocol version this crate was written for.
const VERSION: &str = "2023-06-01";

/// How to reach the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnthropicConfig {
    /// The address before `/v1/messages`.
    pub base_url: String,
    /// The key; without one every request fails with [`Error::NoKey`].
    pub api_key: Option<Secret>,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long the provider may send nothing at all, before its answer and within it.
    pub idle_timeout: Duration,
}

impl Default for AnthropicConfig {
    fn default() -> Self {
        Self {
            base_url: OFFICIAL.to_owned(),
            api_key: None,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(2),
        }
    }
}

/// A client of the Messages API. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Anthropic {
    config: AnthropicConfig,
    // Kept as a result, so that a machine without certificates can still run the demonstration.
    client: Result<Client, Error>,
    tuning: Tuning,
}

impl Anthropic {
    /// The key, if there is one.
    pub(crate) fn key(&self) -> Option<&Secret> {
        self.config.api_key.as_ref()
    }

    /// Prepares a client; nothing connects yet, and what is wrong with the configuration is said by the first request.
    #[must_use]
    pub fn new(mut config: AnthropicConfig) -> Self {
        config.api_key = config.api_key.filter(|key| !key.is_empty());
        let client = transport::client(&config.base_url, config.connect_timeout);
        Self {
            config,
            client,
            tuning: Tuning::default(),
        }
    }

    /// The same client, set for one model.
    #[must_use]
    pub fn tuned(&self, tuning: Tuning) -> Self {
        Self {
            tuning,
            ..self.clone()
        }
    }

    /// Whether a key is set; it may still be a wrong one.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.config.api_key.is_some()
    }

    /// Whether requests go to the vendor itself and not to a server of one's own.
    #[must_use]
    pub fn is_official(&self) -> bool {
        self.config.base_url.trim_end_matches('/') == OFFICIAL
    }

    /// Sends the request and yields the answer as it comes.
    #[must_use]
    pub fn stream(&self, request: Request) -> ChunkStream {
        let idle = self.config.idle_timeout;
        let key = self.config.api_key.clone();
        let opening = self
            .clone()
            .open(request)
            .map_ok(move |response| chunks(transport::bytes_of(response), idle));
        scrub::without(stream::once(opening).try_flatten().boxed(), key)
    }

    async fn open(self, request: Request) -> Result<Response, Error> {
        let key = self.config.api_key.as_ref().ok_or(Error::NoKey)?;
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let sending = client
            .post(endpoint(&self.config.base_url, "/v1/messages")?)
            .header("x-api-key", sensitive(key.reveal())?)
            .header("anthropic-version", VERSION);
        let body = body::encode(&request, &self.tuning)?;
        transport::send(sending, body, key, self.config.idle_timeout).await
    }
}

/// Reads an answer's bytes as chunks.
fn chunks<S>(bytes: S, idle: Duration) -> ChunkStream
where
    S: Stream<Item = Result<bytes::Bytes, Error>> + Send + 'static,
{
    events::read(transport::events(bytes, idle))
}

#[cfg(test)]
mod tests;
