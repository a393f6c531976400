//! The list of names that may be reached.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What a rule without a port allows.
const WEB: [u16; 2] = [443, 80];

/// Which hosts and ports may be reached. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// One that fits is enough.
    pub rules: Vec<Rule>,
}

/// `crates.io`, `crates.io:443`, `*.npmjs.org` or `mirror.corp:8443=10.0.0.5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// In lower case, without a final dot.
    pub host: String,
    /// Every name beneath `host` is meant, and not `host` itself.
    pub beneath: bool,
    /// This port; 443 and 80 if there is none.
    pub port: Option<u16>,
    /// The host's address, for machines of one's own: nothing is looked up, and the address may be a private one.
    pub pinned: Option<IpAddr>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It names no host.
    #[error(
        "{0:?} names no host: write it like crates.io, *.npmjs.org:443 or mirror.corp:8443=10.0.0.5"
    )]
    Host(String),
    /// The host is an address.
    #[error("{0:?} is an address: give it a name, like mirror.corp:8443={0}")]
    Address(String),
    /// The port is none.
    #[error("{0:?} has no proper port: use a number from 1 to 65535")]
    Port(String),
    /// What stands behind the equals sign is no address.
    #[error("{0:?} pins no proper address: write it like mirror.corp:8443=10.0.0.5")]
    Pin(String),
    /// A star stands elsewhere, or covers a whole top level.
    #[error(
        "{0:?} allows too much: a star may only stand first, before a name with a dot, like *.npmjs.org"
    )]
    Star(String),
}

/// Why a request is not let out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No rule fits.
    #[error("{0} is not on this workspace's list of allowed hosts: ask for it to be added")]
    NotAllowed(String),
    /// It cannot be a host's name.
    #[error("the host's name is not one: use letters, digits, dashes and dots")]
    BadName,
    /// The name service does not know it, or does not answer.
    #[error("{0} has no address: check the name")]
    Unknown(String),
    /// An allowed name that means a machine near by.
    #[error("{host} means {address}, which is not in the public internet")]
    Private {
        /// The name.
        host: String,
        /// What it means.
        address: IpAddr,
    },
}

impl Policy {
    /// Reads one rule each.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, PolicyError> {
        let rules = rules
            .into_iter()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// Whether nothing at all may be reached, so that no proxy is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule that allows this host and port.
    pub fn rule(&self, host: &str, port: u16) -> Result<&Rule, Refused> {
        let host = name(host).ok_or(Refused::BadName)?;
        let fits = self.rules.iter().find(|rule| rule.fits(&host, port));
        fits.ok_or_else(|| Refused::NotAllowed(format!("{host}:{port}")))
    }
}

impl Rule {
    fn fits(&self, host: &str, port: u16) -> bool {
        let named = if self.beneath {
            host.strip_suffix(&self.host)
                .is_some_and(|front| front.len() > 1 && front.ends_with('.'))
        } else {
            host == self.host
        };
        named && self.port.map_or(WEB.contains(&port), |only| only == port)
    }
}

impl FromStr for Rule {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let text = text.trim();
        if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
            return Err(PolicyError::Address(text.to_owned()));
        }
        let (front, pinned) = match text.split_once('=') {
            Some((front, pin)) => (
                front,
                Some(pin.parse().map_err(|_| PolicyError::Pin(text.to_owned()))?),
            ),
            None => (text, None),
        };
        let (host, port) = match front.rsplit_once(':') {
            Some((host, port)) => (
                host,
                Some(port_of(port).ok_or_else(|| PolicyError::Port(text.to_owned()))?),
            ),
            None => (front, None),
        };
        let beneath = host.starts_with("*.");
        let host = host.strip_prefix("*.").unwrap_or(host);
        if host.contains('*') || (beneath && !host.trim_end_matches('.').contains('.')) {
            return Err(PolicyError::Star(text.to_owned()));
        }
        if host.parse::<IpAddr>().is_ok() {
            return Err(PolicyError::Address(text.to_owned()));
        }
        let host = name(host).ok_or_else(|| PolicyError::Host(text.to_owned()))?;
        Ok(Self {
            host,
            beneath,
            port,
            pinned,
        })
    }
}

/// As it is read.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.beneath { "*." } else { "" }, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.pinned.map_or(Ok(()), |pin| write!(f, "={pin}"))
    }
}

/// Digits only: `str::parse` would also take a sign.
pub(crate) fn port_of(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// A name in its one form, or nothing if it is none. Resolvers differ on anything odd in a name, so nothing odd gets
/// that far: no NUL, no control byte, no blank, no other script but in its ASCII form.
pub(crate) fn name(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
    (text.len() <= 253 && text.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_rule_means_what_it_says() {
        let policy = Policy::parse(["crates.io", "*.npmjs.org:443", "mirror.corp:8443=10.0.0.5"]);
        let policy = policy.unwrap();

        for (host, port) in [
            ("crates.io", 443),
            ("Crates.IO.", 80),
            ("a.b.npmjs.org", 443),
            ("mirror.corp", 8443),
        ] {
            assert!(policy.rule(host, port).is_ok(), "{host}:{port}");
        }
        for (host, port) in [
            ("crates.io", 22),
            ("evilcrates.io", 443),
            ("crates.io.evil.org", 443),
            ("npmjs.org", 443),
            ("evilnpmjs.org", 443),
            (".npmjs.org", 443),
            ("a.npmjs.org", 80),
            ("mirror.corp", 443),
            ("crates.io\0.evil.org", 443),
            ("evil.org\0.npmjs.org", 443),
            ("evil.org\n.npmjs.org", 443),
            ("évil.npmjs.org", 443),
            ("", 443),
            ("127.0.0.1", 80),
        ] {
            assert!(policy.rule(host, port).is_err(), "{host:?}:{port}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        let error = |rule: &str| rule.parse::<Rule>().unwrap_err();
        let own = |rule: &str| rule.to_owned();

        assert_eq!(error("*"), PolicyError::Star(own("*")));
        assert_eq!(error("*.com"), PolicyError::Star(own("*.com")));
        assert_eq!(error("a.*.org"), PolicyError::Star(own("a.*.org")));
        assert_eq!(error("10.0.0.1"), PolicyError::Address(own("10.0.0.1")));
        assert_eq!(
            error("10.0.0.1:80"),
            PolicyError::Address(own("10.0.0.1:80"))
        );
        assert_eq!(error("a.org:http"), PolicyError::Port(own("a.org:http")));
        assert_eq!(error("a.org:0"), PolicyError::Port(own("a.org:0")));
        assert_eq!(error("a.org:+80"), PolicyError::Port(own("a.org:+80")));
        assert_eq!(error("a.org=b"), PolicyError::Pin(own("a.org=b")));
        assert_eq!(
            error("https://a.org"),
            PolicyError::Port(own("https://a.org"))
        );
        assert_eq!(error(""), PolicyError::Host(String::new()));
    }

    #[test]
    fn a_rule_is_written_as_it_is_read() {
        for rule in ["crates.io", "*.npmjs.org:443", "mirror.corp:8443=10.0.0.5"] {
            assert_eq!(rule.parse::<Rule>().unwrap().to_string(), rule);
        }
    }
}
