//! The one place that reads the environment.

use crate::{Network, NetworkError, Origin, OriginError, TlsFiles};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// What the edge has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The NATS server, `nats://…` (`DUPLEX_NATS_URL`).
    pub nats: String,
    /// Its monitoring address, `http://…` (`DUPLEX_NATS_MONITOR_URL`).
    pub nats_monitor: Option<String>,
    /// Postgres, `postgres://…` (`DUPLEX_POSTGRES_URL`).
    pub postgres: String,
    /// Where to listen (`DUPLEX_LISTEN`); `127.0.0.1:7700` by default.
    pub listen: SocketAddr,
    /// The addresses people open the page at (`DUPLEX_ORIGINS`, with commas). Empty: the address listened on, and
    /// `localhost` where that is this machine's own.
    pub origins: Vec<Origin>,
    /// The certificate and its key (`DUPLEX_TLS_CERT`, `DUPLEX_TLS_KEY`); without them nothing is encrypted here.
    pub tls: Option<TlsFiles>,
    /// The proxies whose word on who asks counts (`DUPLEX_PROXIES`, addresses and networks with commas).
    pub proxies: Vec<Network>,
    /// The folder for what must outlive a restart (`DUPLEX_DATA`): the setup link.
    pub data: PathBuf,
    /// How many terminals one person may have running, in all sessions together (`DUPLEX_TERMINALS_PER_PERSON`); 16 by
    /// default.
    pub terminals_per_person: usize,
    /// How much anybody may have and do.
    pub limits: Limited,
    /// A file to make once requests are served (`DUPLEX_READY_FILE`).
    pub ready_file: Option<PathBuf>,
}

/// How much one person, and one network (a /24 of version 4, a /64 of version 6), may have and do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Sockets one person may have open (`DUPLEX_SOCKETS_PER_PERSON`).
    pub sockets_per_person: usize,
    /// Sockets that may be open from one network (`DUPLEX_SOCKETS_PER_NETWORK`).
    pub sockets_per_network: usize,
    /// Requests a second of one person; ten times as many at once (`DUPLEX_REQUESTS_PER_PERSON`).
    pub requests_per_person: u32,
    /// Requests a second from one network; ten times as many at once (`DUPLEX_REQUESTS_PER_NETWORK`).
    pub requests_per_network: u32,
    /// Wrong passwords, links and codes a day from one network (`DUPLEX_WRONG_TRIES_PER_NETWORK`).
    pub wrong_tries_per_network: u32,
    /// Connections in all (`DUPLEX_CONNECTIONS`).
    pub connections: usize,
    /// Connections from one network, but for proxies and this machine (`DUPLEX_CONNECTIONS_PER_NETWORK`).
    pub connections_per_network: usize,
}

impl Default for Limited {
    fn default() -> Self {
        Self {
            sockets_per_person: 32,
            sockets_per_network: 512,
            requests_per_person: 100,
            requests_per_network: 400,
            wrong_tries_per_network: 30,
            connections: 4096,
            connections_per_network: 512,
        }
    }
}

impl Limited {
    fn read(read: impl Fn(&'static str) -> Option<String> + Copy) -> Result<Self, ConfigError> {
        let usual = Self::default();
        let large = |name, usual| number(name, read, usual);
        let small = |name, usual| number(name, read, usual);
        Ok(Self {
            sockets_per_person: large("DUPLEX_SOCKETS_PER_PERSON", usual.sockets_per_person)?,
            sockets_per_network: large("DUPLEX_SOCKETS_PER_NETWORK", usual.sockets_per_network)?,
            requests_per_person: small("DUPLEX_REQUESTS_PER_PERSON", usual.requests_per_person)?,
            requests_per_network: small("DUPLEX_REQUESTS_PER_NETWORK", usual.requests_per_network)?,
            wrong_tries_per_network: small(
                "DUPLEX_WRONG_TRIES_PER_NETWORK",
                usual.wrong_tries_per_network,
            )?,
            connections: large("DUPLEX_CONNECTIONS", usual.connections)?,
            connections_per_network: large(
                "DUPLEX_CONNECTIONS_PER_NETWORK",
                usual.connections_per_network,
            )?,
        })
    }
}

/// The environment does not say what is needed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A variable is not set.
    #[error("{0} is not set; `duplex up` sets it, or set it yourself")]
    Missing(&'static str),
    /// The address to listen on is not one.
    #[error("DUPLEX_LISTEN is `{0}`, which is no address; write it like 127.0.0.1:7700")]
    Listen(String),
    /// A number is not one.
    #[error("{0} is `{1}`, which is no number above zero; write it like 16")]
    Number(&'static str, String),
    /// An origin is not one.
    #[error("DUPLEX_ORIGINS is not right: {0}")]
    Origin(#[from] OriginError),
    /// A proxy is not one.
    #[error("DUPLEX_PROXIES is not right: {0}")]
    Proxy(#[from] NetworkError),
    /// Half of what encryption takes.
    #[error("{0} is set without {1}; a certificate needs its key")]
    HalfTls(&'static str, &'static str),
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn from_environment() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads variables.
    ///
    /// # Errors
    /// When one is missing or wrong.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let read = |name: &'static str| read(name).filter(|value| !value.is_empty());
        let needed = |name: &'static str| read(name).ok_or(ConfigError::Missing(name));
        let listen = read("DUPLEX_LISTEN").unwrap_or_else(|| "127.0.0.1:7700".into());
        let origins = read("DUPLEX_ORIGINS").unwrap_or_default();
        let proxies = read("DUPLEX_PROXIES").unwrap_or_default();
        Ok(Self {
            nats: needed("DUPLEX_NATS_URL")?,
            nats_monitor: read("DUPLEX_NATS_MONITOR_URL"),
            postgres: needed("DUPLEX_POSTGRES_URL")?,
            listen: listen.parse().map_err(|_| ConfigError::Listen(listen))?,
            origins: listed(&origins).map(str::parse).collect::<Result<_, _>>()?,
            tls: tls(&read)?,
            proxies: listed(&proxies).map(str::parse).collect::<Result<_, _>>()?,
            data: needed("DUPLEX_DATA")?.into(),
            terminals_per_person: number("DUPLEX_TERMINALS_PER_PERSON", read, 16)?,
            limits: Limited::read(read)?,
            ready_file: read("DUPLEX_READY_FILE").map(PathBuf::from),
        })
    }
}

/// The parts of a list with commas.
fn listed(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn tls(read: &impl Fn(&'static str) -> Option<String>) -> Result<Option<TlsFiles>, ConfigError> {
    const NAMES: [&str; 2] = ["DUPLEX_TLS_CERT", "DUPLEX_TLS_KEY"];
    let [cert, key] = NAMES;
    match NAMES.map(|name| read(name).map(PathBuf::from)) {
        [None, None] => Ok(None),
        [Some(certificate), Some(key)] => Ok(Some(TlsFiles { certificate, key })),
        [Some(_), None] => Err(ConfigError::HalfTls(cert, key)),
        [None, Some(_)] => Err(ConfigError::HalfTls(key, cert)),
    }
}

fn number<N: FromStr + PartialOrd + Default>(
    name: &'static str,
    read: impl Fn(&'static str) -> Option<String>,
    usual: N,
) -> Result<N, ConfigError> {
    let Some(text) = read(name) else {
        return Ok(usual);
    };
    let number = text.parse().ok().filter(|number| *number > N::default());
    number.ok_or(ConfigError::Number(name, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn variables(name: &str) -> Option<String> {
        let value = match name {
            "DUPLEX_NATS_URL" => "nats://127.0.0.1:4222",
            "DUPLEX_POSTGRES_URL" => "postgres://127.0.0.1/duplex",
            "DUPLEX_DATA" => "data",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn a_missing_variable_is_named() {
        let without = |name: &str| variables(name).filter(|_| name != "DUPLEX_POSTGRES_URL");
        let error = Config::from_variables(without).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("DUPLEX_POSTGRES_URL is not set")
        );
    }

    #[test]
    fn a_number_that_is_none_is_told() {
        let with = |text: &'static str| {
            move |name: &str| match name {
                "DUPLEX_TERMINALS_PER_PERSON" => Some(text.to_owned()),
                name => variables(name),
            }
        };
        let few = Config::from_variables(with("3")).unwrap();
        assert_eq!(few.terminals_per_person, 3);
        for wrong in ["0", "-1", "many"] {
            let error = Config::from_variables(with(wrong)).unwrap_err();
            assert!(error.to_string().contains("DUPLEX_TERMINALS_PER_PERSON"));
        }
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let with = |names: &'static [&str]| {
            move |name: &str| match name {
                name if names.contains(&name) => Some(format!("/etc/duplex/{name}")),
                name => variables(name),
            }
        };
        let both = &["DUPLEX_TLS_CERT", "DUPLEX_TLS_KEY"];
        let files = TlsFiles {
            certificate: "/etc/duplex/DUPLEX_TLS_CERT".into(),
            key: "/etc/duplex/DUPLEX_TLS_KEY".into(),
        };
        assert_eq!(Config::from_variables(with(both)).unwrap().tls, Some(files));
        let half = Config::from_variables(with(&["DUPLEX_TLS_KEY"])).unwrap_err();
        assert_eq!(
            half.to_string(),
            "DUPLEX_TLS_KEY is set without DUPLEX_TLS_CERT; a certificate needs its key"
        );
    }

    #[test]
    fn proxies_are_a_list_of_addresses_and_networks() {
        let with = |list: &'static str| {
            move |name: &str| match name {
                "DUPLEX_PROXIES" => Some(list.to_owned()),
                name => variables(name),
            }
        };
        let proxies = Config::from_variables(with("10.0.0.7, fd00::/8"))
            .unwrap()
            .proxies;
        assert_eq!(
            proxies,
            ["10.0.0.7", "fd00::/8"].map(|net| net.parse().unwrap())
        );
        let error = Config::from_variables(with("traefik"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("DUPLEX_PROXIES is not right: `traefik`"),
            "{error}"
        );
    }

    #[test]
    fn origins_are_a_list_with_commas() {
        let with = |name: &str| match name {
            "DUPLEX_ORIGINS" => Some("https://duplex.example.org, http://10.0.0.7:8080".to_owned()),
            name => variables(name),
        };
        let origins = Config::from_variables(with).unwrap().origins;
        let expected = ["https://duplex.example.org", "http://10.0.0.7:8080"];
        assert_eq!(origins, expected.map(|origin| origin.parse().unwrap()));
    }
}
