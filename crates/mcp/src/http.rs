//! Streamable HTTP: a client that follows no redirect to another place and whose errors show no address.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url, redirect};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::{BoxedSseResponse, FixedInterval};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse, StreamableHttpResponseLimits,
};

use crate::line::LINE_BYTES;

const CONNECT: Duration = Duration::from_secs(10);
const REDIRECTS: usize = 3;
/// How often, and after which time, a broken stream is taken up again.
const AGAIN: (usize, Duration) = (5, Duration::from_millis(500));
/// Bytes of an error page that are read.
const PAGE_BYTES: usize = 8 * 1024;

type Headers = HashMap<HeaderName, HeaderValue>;
type Failure = StreamableHttpError<reqwest::Error>;

/// The library's client, but for the address in its errors: the library logs them, and a query may be a key.
#[derive(Clone)]
pub(crate) struct Quiet {
    client: Client,
    /// Set when a streamed answer was too large: all the library says then is that the stream is closed.
    flooded: Arc<AtomicBool>,
}

impl Quiet {
    fn watched(&self, stream: BoxedSseResponse) -> BoxedSseResponse {
        let flooded = self.flooded.clone();
        let watch = move |error: &SseError| {
            if error.to_string().contains("exceeded the maximum size") {
                flooded.store(true, Ordering::Relaxed);
            }
        };
        stream.inspect_err(watch).boxed()
    }

    fn answered(&self, answer: StreamableHttpPostResponse) -> StreamableHttpPostResponse {
        match answer {
            StreamableHttpPostResponse::Sse(stream, session) => {
                StreamableHttpPostResponse::Sse(self.watched(stream), session)
            }
            other => other,
        }
    }
}

/// A connection to this address; nothing is sent yet.
pub(crate) fn transport(
    url: &str,
    headers: &BTreeMap<String, String>,
    flooded: Arc<AtomicBool>,
) -> Result<StreamableHttpClientTransport<Quiet>, String> {
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .redirect(redirect::Policy::custom(near))
        .user_agent(concat!("duplex/", env!("CARGO_PKG_VERSION")));
    let local = Url::parse(url)
        .ok()
        .and_then(|url| url.host_str().map(is_loopback));
    let client = if local == Some(true) {
        client.no_proxy()
    } else {
        client
    };
    let client = client
        .build()
        .map_err(|_| "no HTTP client can be made here".to_owned())?;
    let mut again = FixedInterval::default();
    (again.max_times, again.duration) = (Some(AGAIN.0), AGAIN.1);
    let mut config =
        StreamableHttpClientTransportConfig::with_uri(url).custom_headers(read(headers)?);
    config.retry_config = Arc::new(again);
    config.max_sse_event_size = LINE_BYTES;
    config.max_json_response_size = LINE_BYTES;
    config.max_error_response_size = PAGE_BYTES;
    Ok(StreamableHttpClientTransport::with_client(
        Quiet { client, flooded },
        config,
    ))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// A redirect within the same origin is followed: the headers hold secrets meant for it alone.
fn near(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first().map(Url::origin);
    if first == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.error("redirected elsewhere")
    }
}

fn read(headers: &BTreeMap<String, String>) -> Result<Headers, String> {
    let read = |(name, value): (&String, &String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    let all: Option<Headers> = headers.iter().map(read).collect();
    all.ok_or_else(|| "one of its headers cannot be sent".to_owned())
}

fn quiet(error: Failure) -> Failure {
    match error {
        StreamableHttpError::Client(error) => StreamableHttpError::Client(error.without_url()),
        other => other,
    }
}

impl StreamableHttpClient for Quiet {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let post = self
            .client
            .post_message(uri, message, session, auth, headers);
        let answer = post.await.map_err(quiet)?;
        Ok(self.answered(answer))
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let post = self
            .client
            .post_message_with_response_limits(uri, message, session, auth, headers, limits);
        let answer = post.await.map_err(quiet)?;
        Ok(self.answered(answer))
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let delete = self.client.delete_session(uri, session, auth, headers);
        delete.await.map_err(quiet)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<BoxedSseResponse, Failure> {
        let get = self.client.get_stream(uri, session, last, auth, headers);
        let stream = get.await.map_err(quiet)?;
        Ok(self.watched(stream))
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        auth: Option<String>,
        headers: Headers,
        most: usize,
    ) -> Result<BoxedSseResponse, Failure> {
        let get = self
            .client
            .get_stream_with_max_sse_event_size(uri, session, last, auth, headers, most);
        let stream = get.await.map_err(quiet)?;
        Ok(self.watched(stream))
    }
}
