//! A session's way to machines outside: a proxy for its sandbox, pages for its agent, and a word about each request.

use duplex_domain::Event;
use duplex_egress::{Policy, Proxy, Request, fetch};
use duplex_workspace::Sandbox;
use duplex_workspace::tools::{Fetched, Fetcher, Network};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// How long requests of one kind are only counted after one of them was told.
const QUIET: Duration = Duration::from_mins(1);
/// How many hosts are told apart; a program may make up any number of names.
const MOST: usize = 200;
/// What stands for all the others.
const OTHERS: &str = "(others)";

/// A session's way out. Dropping it closes every connection.
pub struct WayOut {
    policy: Policy,
    requests: (mpsc::Sender<Request>, mpsc::Receiver<Request>),
    told: HashMap<(String, u16, bool), Told>,
    _proxy: Option<Serving>,
}

/// A proxy at work; it ends when this is dropped.
type Serving = (DropGuard, AbortOnDropHandle<()>);

struct Told {
    last: Instant,
    since: u32,
}

impl WayOut {
    /// Opens the way that the policy allows, and gives the sandbox that leads there. Without an allowed host there is
    /// no proxy and the sandbox stays as it was.
    ///
    /// # Errors
    /// When the proxy's socket cannot be made.
    pub fn open(policy: Policy, socket: &Path, sandbox: &Sandbox) -> io::Result<(Self, Sandbox)> {
        let requests = mpsc::channel(256);
        let (proxy, sandbox) = if policy.is_empty() {
            (None, sandbox.clone())
        } else {
            let proxy = serve(policy.clone(), socket, teller(&requests.0))?;
            (Some(proxy), sandbox.with_proxy(socket))
        };
        let told = HashMap::new();
        let way = Self {
            policy,
            requests,
            told,
            _proxy: proxy,
        };
        Ok((way, sandbox))
    }

    /// What the agent fetches pages with.
    #[must_use]
    pub fn network(&self) -> Network {
        if self.policy.is_empty() {
            return Network::Off;
        }
        let (policy, tell) = (self.policy.clone(), self.requests.0.clone());
        Network::Through(Fetcher::new(move |url| {
            let (policy, tell) = (policy.clone(), teller(&tell));
            async move { page(&policy, &url, tell).await }
        }))
    }

    /// What the agent is told of the network.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let hosts: Vec<String> = self.policy.rules.iter().map(ToString::to_string).collect();
        (!hosts.is_empty()).then(|| hosts.join(", "))
    }

    /// The next thing to be told in the log.
    pub async fn asked(&mut self) -> Event {
        loop {
            // The sender lives beside the receiver, so there is always a next one.
            if let Some(request) = self.requests.1.recv().await
                && let Some(event) = self.count(request, Instant::now())
            {
                return event;
            }
        }
    }

    /// The first of a kind is told at once; later ones are counted, and told together.
    fn count(&mut self, request: Request, now: Instant) -> Option<Event> {
        let mut kind = (request.host, request.port, request.allowed);
        if self.told.len() >= MOST && !self.told.contains_key(&kind) {
            kind = (OTHERS.to_owned(), 0, request.allowed);
        }
        let (host, port, allowed) = kind.clone();
        let told = self.told.get(&kind);
        let since = told.map_or(0, |told| told.since).saturating_add(1);
        if told.is_some_and(|told| now.duration_since(told.last) < QUIET) {
            self.told.entry(kind).and_modify(|told| told.since = since);
            return None;
        }
        self.told.insert(
            kind,
            Told {
                last: now,
                since: 0,
            },
        );
        Some(Event::NetworkAsked {
            host,
            port,
            allowed,
            why: request.why,
            times: since,
        })
    }
}

fn serve(
    policy: Policy,
    socket: &Path,
    tell: impl Fn(Request) + Send + Sync + 'static,
) -> io::Result<Serving> {
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let proxy = Proxy::bind(socket, policy, tell)?;
    let stop = CancellationToken::new();
    let running = AbortOnDropHandle::new(tokio::spawn(proxy.run(stop.clone())));
    Ok((stop.drop_guard(), running))
}

/// Requests are told, not waited for: a flood loses words, never speed.
fn teller(tell: &mpsc::Sender<Request>) -> impl Fn(Request) + Send + Sync + use<> {
    let tell = tell.clone();
    move |request| drop(tell.try_send(request))
}

async fn page(policy: &Policy, url: &str, tell: impl Fn(Request)) -> Result<Fetched, String> {
    let page = fetch(policy, url, tell).await;
    let page = page.map_err(|error| error.to_string())?;
    Ok(Fetched {
        url: page.url,
        status: page.status,
        media_type: page.content_type.unwrap_or_default(),
        body: page.body,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn request(host: &str) -> Request {
        Request {
            host: host.to_owned(),
            port: 443,
            allowed: true,
            why: String::new(),
        }
    }

    fn times(event: Option<Event>) -> Option<(String, u32)> {
        match event? {
            Event::NetworkAsked { host, times, .. } => Some((host, times)),
            other => unreachable!("{other:?}"),
        }
    }

    fn way() -> WayOut {
        let (way, _) = WayOut::open(Policy::default(), Path::new("/"), &Sandbox::Off).unwrap();
        way
    }

    #[test]
    fn requests_of_a_kind_are_told_together() {
        let (mut way, now) = (way(), Instant::now());

        assert_eq!(times(way.count(request("a"), now)), Some(("a".into(), 1)));
        assert_eq!(times(way.count(request("a"), now)), None);
        assert_eq!(times(way.count(request("b"), now)), Some(("b".into(), 1)));
        let later = now + QUIET;
        assert_eq!(times(way.count(request("a"), later)), Some(("a".into(), 2)));
    }

    #[test]
    fn made_up_names_do_not_fill_the_log() {
        let (mut way, now) = (way(), Instant::now());

        let told = (0..10_000).filter(|n| way.count(request(&n.to_string()), now).is_some());

        assert_eq!(told.count(), MOST + 1);
    }
}
