//! From where a request comes, and whether it travelled encrypted: seen at the connection, or told by a named proxy.

use crate::app::App;
use crate::failure::Failure;
use crate::network::Network;
use crate::signed_in::only_bound_cookies;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub address: IpAddr,
    pub encrypted: bool,
}

/// Where a request began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// The address of who asks; behind a named proxy the one that it tells.
    pub address: IpAddr,
    /// Whether the request travelled encrypted.
    pub encrypted: bool,
}

impl Client {
    /// Whose limits the client shares.
    pub fn network(&self) -> Network {
        Network::around(self.address)
    }
}

/// Who may come in, and who is believed about others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doors {
    /// The proxies whose word counts.
    pub proxies: Vec<Network>,
    /// Whether only they and this machine may come: nothing else would be encrypted.
    pub proxied_only: bool,
}

impl Doors {
    /// The doors of an edge that listens on an address.
    pub fn new(proxies: &[Network], listen: SocketAddr, encrypted: bool) -> Self {
        Self {
            proxies: proxies.to_vec(),
            proxied_only: !encrypted && !listen.ip().to_canonical().is_loopback(),
        }
    }

    /// Whether an address is one of the named proxies.
    pub fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|proxy| proxy.contains(address))
    }

    /// Whether many may come from one address: a proxy, or this machine, where a proxy may be that nobody named.
    pub fn is_crowd(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() || self.is_proxy(address)
    }

    fn admits(&self, peer: Peer) -> bool {
        !self.proxied_only || self.is_crowd(peer.address)
    }

    /// Who asks. Headers about it count only from a named proxy.
    fn client(&self, peer: Peer, headers: &HeaderMap) -> Client {
        let Peer { address, encrypted } = peer;
        let address = address.to_canonical();
        if !self.is_proxy(address) {
            return Client { address, encrypted };
        }
        let told = last(headers, "x-forwarded-proto");
        Client {
            address: self.first_stranger(address, headers),
            encrypted: told.map_or(encrypted, |scheme| scheme.eq_ignore_ascii_case("https")),
        }
    }

    /// Each proxy adds whom it heard to the end: from there to the first that is no proxy. What stands before was
    /// told by a stranger.
    fn first_stranger(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut farthest = peer;
        for told in forwarded_for(headers).into_iter().rev() {
            let Some(address) = bare(told) else {
                return farthest;
            };
            farthest = address;
            if !self.is_proxy(address) {
                return address;
            }
        }
        farthest
    }
}

fn forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines = lines.map(|line| line.to_str().unwrap_or("unreadable"));
    lines.flat_map(|line| line.split(',')).collect()
}

fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim)
}

/// An address as proxies write it: some add the port.
fn bare(told: &str) -> Option<IpAddr> {
    let told = told.trim();
    let with_port = || told.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || told.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = told.parse().ok().or_else(with_port).or_else(bracketed);
    address.map(|address: IpAddr| address.to_canonical())
}

/// Finds out who asks, for everything behind.
pub(crate) async fn tell(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>() {
        let client = app.doors.client(*peer, request.headers());
        if client.encrypted {
            only_bound_cookies(request.headers_mut());
        }
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

/// Lets in who may come.
pub(crate) async fn admit(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let peer = request.extensions().get::<Peer>();
    let admitted = peer.is_some_and(|peer| app.doors.admits(*peer));
    // Who asks whether the process is well stands beside it, not before the proxy.
    let probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if probe || admitted {
        return Ok(next.run(request).await);
    }
    Err(Failure::not_through_proxy())
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let client = parts.extensions.get().copied();
        client.ok_or_else(Failure::internal)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const PROXY: &str = "10.0.0.7";

    fn doors() -> Doors {
        Doors {
            proxies: vec!["10.0.0.0/24".parse().unwrap()],
            proxied_only: true,
        }
    }

    fn peer(address: &str) -> Peer {
        Peer {
            address: address.parse().unwrap(),
            encrypted: false,
        }
    }

    fn seen(from: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let client = doors().client(peer(from), &map);
        (client.address.to_string(), client.encrypted)
    }

    #[test]
    fn only_a_named_proxy_is_believed() {
        let told = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(seen("10.0.1.7", &told), ("10.0.1.7".to_owned(), false));
        assert_eq!(seen(PROXY, &told), ("203.0.113.9".to_owned(), true));
        assert_eq!(seen("::ffff:10.0.0.7", &told).0, "203.0.113.9");
        assert_eq!(seen(PROXY, &[]), (PROXY.to_owned(), false));
    }

    #[test]
    fn what_a_stranger_told_the_proxy_does_not_count() {
        let told = |list| seen(PROXY, &[("x-forwarded-for", list)]).0;
        assert_eq!(told("127.0.0.1, 203.0.113.9"), "203.0.113.9");
        assert_eq!(told("127.0.0.1, 203.0.113.9, 10.0.0.8"), "203.0.113.9");
        assert_eq!(told("10.0.0.9, 10.0.0.8"), "10.0.0.9");
        assert_eq!(told("203.0.113.9, nonsense"), PROXY);
        assert_eq!(told("203.0.113.9:1234"), "203.0.113.9");
        assert_eq!(told("[2001:db8::1]:1234"), "2001:db8::1");
        let twice = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https, http"),
        ];
        assert_eq!(seen(PROXY, &twice), ("203.0.113.9".to_owned(), false));
    }

    #[test]
    fn what_is_not_encrypted_comes_through_a_proxy_or_from_this_machine() {
        let admitted = |from| doors().admits(peer(from));
        assert!(admitted(PROXY) && admitted("127.0.0.1") && admitted("::1"));
        assert!(!admitted("10.0.1.7") && !admitted("203.0.113.9"));
        let open = |listen: &str, encrypted| {
            !Doors::new(&[], listen.parse().unwrap(), encrypted).proxied_only
        };
        assert!(open("127.0.0.1:7700", false) && open("0.0.0.0:443", true));
        assert!(!open("0.0.0.0:7700", false) && !open("10.0.0.1:7700", false));
    }
}
