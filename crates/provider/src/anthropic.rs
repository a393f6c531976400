//! The Anthropic Messages API, streaming.

mod body;
mod events;
mod failure;
mod frame;

use std::time::Duration;

use eventsource_stream::{EventStream, EventStreamError};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use futures_util::{Stream, TryFutureExt as _};
use reqwest::{Client, Response, Url, header, redirect};

use crate::{ChunkStream, Error, Request, Secret};

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
}

impl Anthropic {
    /// Prepares a client; nothing connects yet, and what is wrong with the configuration is said by the first request.
    #[must_use]
    pub fn new(mut config: AnthropicConfig) -> Self {
        config.api_key = config.api_key.filter(|key| !key.is_empty());
        let client = client(&config);
        Self { config, client }
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
        let opening = self.clone().open(request).map_ok(move |response| {
            let bytes = response.bytes_stream().map_err(|_| Error::Incomplete);
            chunks(bytes, idle)
        });
        stream::once(opening).try_flatten().boxed()
    }

    async fn open(self, request: Request) -> Result<Response, Error> {
        let key = self.config.api_key.as_ref().ok_or(Error::NoKey)?;
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let sending = client
            .post(endpoint(&self.config.base_url)?)
            .header("x-api-key", sensitive(key)?)
            .header("anthropic-version", VERSION)
            .header(header::ACCEPT, "text/event-stream")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body::encode(&request)?)
            .send();
        let idle = self.config.idle_timeout;
        let response = tokio::time::timeout(idle, sending)
            .await
            .map_err(|_| Error::Silent(idle))?
            .map_err(|error| failure::unreachable(error, key))?;
        failure::check(response, key, idle).await
    }
}

fn client(config: &AnthropicConfig) -> Result<Client, Error> {
    // Redirects are not followed: the key would go wherever the answer points.
    let mut client = Client::builder()
        .connect_timeout(config.connect_timeout)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("duplex/", env!("CARGO_PKG_VERSION")));
    if is_loopback(&config.base_url) {
        client = client.no_proxy();
    }
    client
        .build()
        .map_err(|error| Error::Unreachable(error.to_string()))
}

fn is_loopback(base_url: &str) -> bool {
    let host = Url::parse(base_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    host.is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]")
}

fn endpoint(base_url: &str) -> Result<Url, Error> {
    let text = format!("{}/v1/messages", base_url.trim_end_matches('/'));
    Url::parse(&text)
        .map_err(|error| invalid(format!("the base address {base_url} is not a URL: {error}")))
}

fn sensitive(key: &Secret) -> Result<header::HeaderValue, Error> {
    let mut value = header::HeaderValue::from_str(key.reveal()).map_err(|_| {
        invalid("the API key has characters that cannot be sent: set it again".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request that cannot even be sent.
fn invalid(message: String) -> Error {
    Error::Invalid { status: 0, message }
}

/// Reads an answer's bytes as chunks.
fn chunks<S>(bytes: S, idle: Duration) -> ChunkStream
where
    S: Stream<Item = Result<bytes::Bytes, Error>> + Send + 'static,
{
    let framed = frame::whole_events(bytes.boxed(), idle);
    events::read(EventStream::new(framed).map_err(unframe).boxed())
}

fn unframe(error: EventStreamError<Error>) -> Error {
    match error {
        EventStreamError::Transport(error) => error,
        EventStreamError::Utf8(error) => Error::Garbled(error.to_string()),
        EventStreamError::Parser(error) => Error::Garbled(error.code.description().to_owned()),
    }
}

#[cfg(test)]
mod tests;
