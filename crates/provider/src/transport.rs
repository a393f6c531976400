//! The connection to a provider, whatever format is spoken over it.

use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{Event, EventStream, EventStreamError};
use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use reqwest::{Client, RequestBuilder, Response, Url, header, redirect};

use crate::{Error, Secret, failure, frame};

/// A client for one base address. Redirects are not followed: the key would go wherever the answer points.
pub(crate) fn client(base_url: &str, connect: Duration) -> Result<Client, Error> {
    let mut client = Client::builder()
        .connect_timeout(connect)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("duplex/", env!("CARGO_PKG_VERSION")));
    if is_loopback(base_url) {
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

/// An address below the base address.
pub(crate) fn endpoint(base_url: &str, path: &str) -> Result<Url, Error> {
    let text = format!("{}{path}", base_url.trim_end_matches('/'));
    Url::parse(&text)
        .map_err(|error| invalid(format!("the base address {base_url} is not a URL: {error}")))
}

/// A header's value that no log shows.
pub(crate) fn sensitive(text: &str) -> Result<header::HeaderValue, Error> {
    let mut value = header::HeaderValue::from_str(text).map_err(|_| {
        invalid("the API key has characters that cannot be sent: set it again".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request that cannot even be sent.
pub(crate) fn invalid(message: String) -> Error {
    Error::Invalid { status: 0, message }
}

/// Sends a request and lets only an event stream pass.
pub(crate) async fn send(
    request: RequestBuilder,
    body: Vec<u8>,
    key: &Secret,
    idle: Duration,
) -> Result<Response, Error> {
    let sending = request
        .header(header::ACCEPT, "text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .send();
    let response = tokio::time::timeout(idle, sending)
        .await
        .map_err(|_| Error::Silent(idle))?
        .map_err(|error| failure::unreachable(error, key))?;
    failure::check(response, key, idle).await
}

/// An answer's bytes.
pub(crate) fn bytes_of(response: Response) -> impl Stream<Item = Result<Bytes, Error>> + Send {
    response.bytes_stream().map_err(|_| Error::Incomplete)
}

/// Reads bytes as events.
pub(crate) fn events<S>(bytes: S, idle: Duration) -> BoxStream<'static, Result<Event, Error>>
where
    S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
{
    let framed = frame::whole_events(bytes.boxed(), idle);
    EventStream::new(framed).map_err(unframe).boxed()
}

fn unframe(error: EventStreamError<Error>) -> Error {
    match error {
        EventStreamError::Transport(error) => error,
        EventStreamError::Utf8(error) => Error::Garbled(error.to_string()),
        EventStreamError::Parser(error) => Error::Garbled(error.code.description().to_owned()),
    }
}
