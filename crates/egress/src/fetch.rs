//! Fetching a page for the agent, by the same rule as the proxy's.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, Url, redirect};

use crate::address::resolve;
use crate::{Policy, Refused, Request};

/// The most of a body that is read, in bytes.
pub const FETCH_BYTES: usize = 2 * 1024 * 1024;
/// The most redirects that are followed.
pub const FETCH_REDIRECTS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it came from in the end.
    pub url: String,
    /// The HTTP status.
    pub status: u16,
    /// Its content type, if it has one.
    pub content_type: Option<String>,
    /// At most [`FETCH_BYTES`].
    pub body: Bytes,
    /// Whether there was more.
    pub truncated: bool,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is no address of a page.
    #[error(
        "{0:?} cannot be fetched: give an address that starts with https:// or http://, without a password"
    )]
    BadUrl(String),
    /// The policy, or where the name leads to, forbids it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It leads on and on.
    #[error("{0} redirects more than {FETCH_REDIRECTS} times")]
    Redirects(String),
    /// The server could not be reached or broke off.
    #[error("{url} could not be read: {source}")]
    Failed {
        /// What was asked for.
        url: String,
        /// What went wrong.
        source: reqwest::Error,
    },
}

/// Fetches `url`. Every redirect is checked like the first address; the connection goes to the address that was
/// checked; `log` hears of each. Takes 30 s at most for each step.
///
/// # Errors
/// When it is not allowed or does not work; an answer with an error status is no error.
pub async fn fetch(
    policy: &Policy,
    url: &str,
    log: impl Fn(Request),
) -> Result<Fetched, FetchError> {
    let mut at = proper(url)?;
    for _ in 0..=FETCH_REDIRECTS {
        let response = get(policy, &at, &log).await?;
        match onward(&at, &response)? {
            Some(next) => at = next,
            None => return read(&at, response).await,
        }
    }
    Err(FetchError::Redirects(url.to_owned()))
}

fn proper(url: &str) -> Result<Url, FetchError> {
    let bad = || FetchError::BadUrl(url.to_owned());
    if url.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(bad());
    }
    let parsed = Url::parse(url).map_err(|_| bad())?;
    let web = matches!(parsed.scheme(), "http" | "https");
    let open = parsed.username().is_empty() && parsed.password().is_none();
    if web && open { Ok(parsed) } else { Err(bad()) }
}

async fn get(policy: &Policy, url: &Url, log: &impl Fn(Request)) -> Result<Response, FetchError> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let found = resolve(policy, host, port).await;
    let outcome = found.as_ref().map(|addresses| shown(addresses));
    log(Request::new(
        host,
        port,
        outcome.map_err(ToString::to_string),
    ));
    let addresses = found?;
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .resolve_to_addrs(host, &addresses)
        .timeout(PATIENCE)
        .user_agent("duplex")
        .build();
    let failed = failed(url);
    match client {
        Ok(client) => client.get(url.clone()).send().await.map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn shown(addresses: &[SocketAddr]) -> String {
    addresses
        .first()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Where a redirect leads, if it is one.
fn onward(at: &Url, response: &Response) -> Result<Option<Url>, FetchError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else {
        return Ok(None);
    };
    let bad = || FetchError::BadUrl(String::from_utf8_lossy(location.as_bytes()).into_owned());
    let next = at.join(location.to_str().map_err(|_| bad())?);
    proper(next.map_err(|_| bad())?.as_str()).map(Some)
}

async fn read(url: &Url, mut response: Response) -> Result<Fetched, FetchError> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let mut body = BytesMut::new();
    while body.len() <= FETCH_BYTES {
        match response.chunk().await.map_err(failed(url))? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    let truncated = body.len() > FETCH_BYTES;
    body.truncate(FETCH_BYTES);
    Ok(Fetched {
        url: url.to_string(),
        status: response.status().as_u16(),
        content_type,
        body: body.freeze(),
        truncated,
    })
}

fn failed(url: &Url) -> impl Fn(reqwest::Error) -> FetchError {
    move |source| FetchError::Failed {
        url: url.to_string(),
        // Its own words would name the address a second time.
        source: source.without_url(),
    }
}
