//! The fetch tool: a page as text, through whatever the runner lets requests out by.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::html;
use super::{Context, Fault, Outcome, said};
use crate::names::visible;
use crate::record::Record;

/// The longest address.
const MAX_URL: usize = 2048;
/// Bytes of a page that are read: 5 MB.
const MAX_PAGE: usize = 5_000_000;

/// Whether pages can be fetched.
#[derive(Clone, Debug, Default)]
pub enum Network {
    /// They cannot, and the model is offered no tool for it.
    #[default]
    Off,
    /// They can, by this.
    Through(Fetcher),
}

/// What came for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The address it came from in the end.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// Its content type, as the server gave it.
    pub media_type: String,
    /// Its body; more than 5 MB of it is not looked at.
    pub body: Bytes,
}

type Answer = Pin<Box<dyn Future<Output = Result<Fetched, String>> + Send>>;

/// Gets what is at an address, where the rules allow it. An error is worded for the model.
#[derive(Clone)]
pub struct Fetcher(Arc<dyn Fn(String) -> Answer + Send + Sync>);

impl Fetcher {
    /// A fetcher that asks `get`, which must check where a request leads, redirects included.
    pub fn new<F>(get: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Fetched, String>> + Send + 'static,
    {
        Self(Arc::new(move |url| Box::pin(get(url))))
    }
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub url: String,
}

pub(super) async fn run(
    context: &Context,
    input: &Input,
    cancel: &CancellationToken,
) -> Result<Outcome, Fault> {
    let Network::Through(Fetcher(get)) = &context.network else {
        return said("there is no network here: the workspace's owner can allow hosts");
    };
    let url = checked(&input.url)?;
    let time = context.limits.time;
    let fetched = tokio::select! {
        biased;
        () = cancel.cancelled() => return said("the request was interrupted"),
        fetched = tokio::time::timeout(time, get(url.to_owned())) => fetched,
    };
    let fetched = match fetched {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(reason)) => return said(format!("{}: {reason}", visible(url))),
        Err(_) => {
            return said(format!("no answer from {} within {time:?}", visible(url)));
        }
    };
    outcome(context, &fetched).await
}

async fn outcome(context: &Context, fetched: &Fetched) -> Result<Outcome, Fault> {
    let Some(text) = text(fetched) else {
        return said(format!(
            "{} is {}, which cannot be shown as text",
            visible(&fetched.url),
            visible(&fetched.media_type)
        ));
    };
    let mut record = Record::new(&context.worktree.home, context.limits.room());
    let head = format!("{} [status {}]\n\n", visible(&fetched.url), fetched.status);
    record.push(head.as_bytes()).await;
    record.push(text.as_bytes()).await;
    let read = record.text().await;
    Ok(if (200..300).contains(&fetched.status) {
        Outcome::done(read)
    } else {
        Outcome::failed(read)
    })
}

fn text(fetched: &Fetched) -> Option<String> {
    let body = &fetched.body[..fetched.body.len().min(MAX_PAGE)];
    let media_type = fetched.media_type.to_ascii_lowercase();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let plain = || String::from_utf8_lossy(body).into_owned();
    match essence {
        "text/html" | "application/xhtml+xml" => Some(html::text(&plain())),
        "application/json"
        | "application/xml"
        | "application/javascript"
        | "application/yaml"
        | "application/toml" => Some(plain()),
        other if other.starts_with("text/") => Some(plain()),
        other if other.ends_with("+json") || other.ends_with("+xml") => Some(plain()),
        _ => None,
    }
}

/// The address, if it is a plain one of the web.
pub(super) fn checked(url: &str) -> Result<&str, Fault> {
    let lower = url.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"));
    let Some(rest) = rest.filter(|_| url.len() <= MAX_URL) else {
        return said(format!(
            "give an address that begins with https:// or http:// and is at most {MAX_URL} characters long"
        ));
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if host.is_empty() || host.contains('@') || url.chars().any(odd) {
        return said("the address has no host, or a name, a blank or a control character in it");
    }
    Ok(url)
}
