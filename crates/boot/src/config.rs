//! Checks for addresses, to be used as `value_parser` in a command line: each says what would be right.

use std::net::{IpAddr, SocketAddr};

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An address to listen on.
    #[error("{0:?} is no address to listen on: give an IP and a port, such as 127.0.0.1:7700")]
    Listen(String),
    /// An address, or a network of them.
    #[error("{0:?} is no address and no network: give one such as 10.0.0.7 or 10.0.0.0/24")]
    Network(String),
    /// The address of a server.
    #[error("{given:?} is no address of {what}: give one such as {example}")]
    Url {
        /// What was given. A password in it is not shown.
        given: String,
        /// Whose address is asked for.
        what: &'static str,
        /// A right one.
        example: &'static str,
    },
}

/// An address to listen on, such as `127.0.0.1:7700`.
///
/// # Errors
/// [`ConfigError::Listen`].
pub fn listen(given: &str) -> Result<SocketAddr, ConfigError> {
    given
        .parse()
        .map_err(|_| ConfigError::Listen(given.to_owned()))
}

/// An address such as `10.0.0.7`, or a network such as `10.0.0.0/24`.
///
/// # Errors
/// [`ConfigError::Network`].
pub fn network(given: &str) -> Result<String, ConfigError> {
    let (address, bits) = given.split_once('/').unwrap_or((given, "0"));
    let width = match address.parse() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return Err(ConfigError::Network(given.to_owned())),
    };
    let good = bits.parse().is_ok_and(|bits: u8| bits <= width);
    good.then(|| given.to_owned())
        .ok_or_else(|| ConfigError::Network(given.to_owned()))
}

/// `nats://host:port`, or several with commas.
///
/// # Errors
/// [`ConfigError::Url`].
pub fn nats_url(given: &str) -> Result<String, ConfigError> {
    let good = given.split(',').all(|one| is_url(one, &["nats", "tls"]));
    check(good, given, "a NATS server", "nats://127.0.0.1:4222")
}

/// `postgres://user:password@host:port/database`.
///
/// # Errors
/// [`ConfigError::Url`].
pub fn postgres_url(given: &str) -> Result<String, ConfigError> {
    let good = is_url(given, &["postgres", "postgresql"]);
    let example = "postgres://duplex:secret@127.0.0.1:5432/duplex";
    check(good, given, "a Postgres database", example)
}

/// `http://host:port` or `https://…`, with or without a path.
///
/// # Errors
/// [`ConfigError::Url`].
pub fn http_url(given: &str) -> Result<String, ConfigError> {
    let good = is_url(given, &["http", "https"]);
    check(good, given, "an HTTP server", "http://127.0.0.1:8222")
}

/// An origin as browsers write it: scheme, host and port, no path.
///
/// # Errors
/// [`ConfigError::Url`].
pub fn origin(given: &str) -> Result<String, ConfigError> {
    let bare = given
        .splitn(3, '/')
        .nth(2)
        .is_some_and(|host| !host.contains('/'));
    let good = bare && is_url(given, &["http", "https"]);
    check(good, given, "a page's origin", "https://duplex.example.org")
}

/// An address whose password, if it has one, is not shown: for log lines and errors.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((_login, place)) => format!("{scheme}://…@{place}"),
        None => url.to_owned(),
    }
}

fn check(
    good: bool,
    given: &str,
    what: &'static str,
    example: &'static str,
) -> Result<String, ConfigError> {
    if good {
        return Ok(given.trim_end_matches('/').to_owned());
    }
    Err(ConfigError::Url {
        given: without_password(given),
        what,
        example,
    })
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let place = rest.rsplit('@').next().unwrap_or(rest);
    let host = place.split(['/', '?']).next().unwrap_or_default();
    schemes.contains(&scheme) && is_host(host)
}

fn is_host(text: &str) -> bool {
    // An IPv6 address has colons of its own, inside brackets.
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._[]:".contains(letter);
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok());
    !name.is_empty() && name.chars().all(plain) && port_is_good
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn good_addresses_are_taken() {
        assert_eq!(listen("[::1]:0").unwrap().port(), 0);
        assert!(nats_url("nats://duplex:pw@127.0.0.1:4222,tls://b:4222").is_ok());
        assert!(postgres_url("postgres://duplex@db/duplex?sslmode=require").is_ok());
        assert_eq!(
            http_url("http://[::1]:8222/"),
            Ok("http://[::1]:8222".to_owned())
        );
        assert!(origin("https://duplex.example.org").is_ok());
    }

    #[test]
    fn bad_addresses_are_answered_with_a_good_one() {
        assert_eq!(
            listen("7700").unwrap_err().to_string(),
            "\"7700\" is no address to listen on: give an IP and a port, such as 127.0.0.1:7700"
        );
        assert_eq!(
            nats_url("http://localhost").unwrap_err().to_string(),
            "\"http://localhost\" is no address of a NATS server: give one such as nats://127.0.0.1:4222"
        );
        assert!(http_url("http://host:port").is_err());
        assert!(origin("https://duplex.example.org/page").is_err());
        assert!(origin("null").is_err());
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = nats_url("nats://ada:secret@:4222").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
