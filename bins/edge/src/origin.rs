//! Where a request may come from: the page's own addresses, and nowhere else.

use crate::app::App;
use crate::client::Client;
use crate::failure::Failure;
use crate::signed_in::{Credential, credential};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// A page's scheme, host and port, written as a browser writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// The text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin; write it like https://duplex.example.org or http://10.0.0.7:8080")]
pub struct OriginError(String);

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let lower = text.trim().trim_end_matches('/').to_ascii_lowercase();
        let parse = || {
            let (scheme, authority) = lower.split_once("://")?;
            let default = match scheme {
                "http" => ":80",
                "https" => ":443",
                _ => return None,
            };
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
            let good = !authority.is_empty() && authority.chars().all(plain);
            let authority = authority.strip_suffix(default).unwrap_or(authority);
            good.then(|| format!("{scheme}://{authority}"))
        };
        parse()
            .map(Self)
            .ok_or_else(|| OriginError(text.to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    /// Whether pages of this origin come encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The origins at which a server on this address is reached, where none are configured.
    #[must_use]
    pub fn of_listener(address: SocketAddr, encrypted: bool) -> Vec<Self> {
        let port = address.port();
        let scheme = if encrypted { "https" } else { "http" };
        let own = Self(format!("{scheme}://{address}"));
        let local = address.ip().is_loopback() || address.ip().is_unspecified();
        let names = local.then(|| Self(format!("{scheme}://localhost:{port}")));
        let loopback = address
            .ip()
            .is_unspecified()
            .then(|| Self(format!("{scheme}://127.0.0.1:{port}")));
        loopback.into_iter().chain([own]).chain(names).collect()
    }

    fn host(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, host)| host)
    }

    fn is_host(&self, given: &str) -> bool {
        let default = if self.is_encrypted() { ":443" } else { ":80" };
        let given = given.to_ascii_lowercase();
        given.strip_suffix(default).unwrap_or(&given) == self.host()
    }
}

/// The addresses people open the page at.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub origins: Vec<Origin>,
}

impl Site {
    /// Whether the request names a page of ours as its origin. Programs name none, and then bring no cookie.
    pub fn allows(&self, headers: &HeaderMap) -> bool {
        let cross = headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "cross-site");
        let cookie = || {
            let by = credential(headers);
            matches!(by, Some(Credential::Cookie(_) | Credential::Visit(_)))
        };
        match headers.get(ORIGIN) {
            Some(origin) => !cross && self.origins.iter().any(|known| origin == known.0.as_str()),
            None => !cross && !cookie(),
        }
    }

    /// Whether the request names one of our hosts, as it has to come there.
    fn check_host(&self, request: &Request, client: Client) -> Result<(), Failure> {
        let named = request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok());
        let host = named.or_else(|| {
            request
                .uri()
                .authority()
                .map(axum::http::uri::Authority::as_str)
        });
        let host = host.ok_or_else(Failure::wrong_host)?;
        let mut known = self
            .origins
            .iter()
            .filter(|origin| origin.is_host(host))
            .peekable();
        if known.peek().is_none() {
            return Err(Failure::wrong_host());
        }
        if !client.encrypted && known.all(Origin::is_encrypted) {
            return Err(Failure::not_encrypted());
        }
        Ok(())
    }
}

/// Lets a request through if its host is ours, and, where it may change something, if a page of ours sent it as
/// JSON.
pub(crate) async fn check(
    State(app): State<App>,
    client: Client,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    // Who asks whether the process is well knows it by whatever address it has inside a cluster.
    let probe = matches!(request.uri().path(), "/healthz" | "/readyz");
    if !probe {
        app.site.check_host(&request, client)?;
    }
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        let headers = request.headers();
        if !app.site.allows(headers) {
            return Err(Failure::wrong_origin());
        }
        if has_body(headers) && !is_json(headers) {
            return Err(Failure::not_json());
        }
    }
    Ok(next.run(request).await)
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers
        .get(CONTENT_LENGTH)
        .is_some_and(|length| length != "0");
    length || headers.contains_key(TRANSFER_ENCODING) || headers.contains_key(CONTENT_TYPE)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn site() -> Site {
        let origins = ["https://duplex.example.org", "http://127.0.0.1:7700"];
        Site {
            origins: origins.map(|origin| origin.parse().unwrap()).to_vec(),
        }
    }

    fn headers(origin: Option<&str>, cookie: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        if cookie {
            headers.insert("cookie", "duplex_session=x".parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_an_exact_origin_is_ours() {
        for ours in ["https://duplex.example.org", "http://127.0.0.1:7700"] {
            assert!(site().allows(&headers(Some(ours), true)), "{ours}");
        }
        for foreign in [
            "http://duplex.example.org",
            "https://duplex.example.org.evil.example",
            "https://evil-duplex.example.org",
            "https://duplex.example.org:8443",
            "http://127.0.0.1:7475",
            "null",
            "",
        ] {
            assert!(!site().allows(&headers(Some(foreign), false)), "{foreign}");
        }
    }

    #[test]
    fn no_origin_is_for_programs_without_a_cookie() {
        assert!(site().allows(&headers(None, false)));
        assert!(!site().allows(&headers(None, true)));
    }

    #[test]
    fn an_origin_is_scheme_and_host_alone() {
        assert_eq!(
            "HTTPS://Duplex.Example.org:443/"
                .parse::<Origin>()
                .unwrap()
                .0,
            "https://duplex.example.org"
        );
        for not in [
            "duplex.example.org",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://*",
        ] {
            assert!(not.parse::<Origin>().is_err(), "{not}");
        }
    }
}
