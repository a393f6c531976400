//! The one place that reads the environment.

use crate::{Origin, OriginError};
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// The folder for what must outlive a restart (`DUPLEX_DATA`): the setup link.
    pub data: PathBuf,
    /// How many terminals one person may have running, in all sessions together (`DUPLEX_TERMINALS_PER_PERSON`); 16 by
    /// default.
    pub terminals_per_person: usize,
    /// How many sockets one person may have open (`DUPLEX_SOCKETS_PER_PERSON`); 32 by default.
    pub sockets_per_person: usize,
    /// A file to make once requests are served (`DUPLEX_READY_FILE`).
    pub ready_file: Option<PathBuf>,
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
        let origins = origins
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty());
        Ok(Self {
            nats: needed("DUPLEX_NATS_URL")?,
            nats_monitor: read("DUPLEX_NATS_MONITOR_URL"),
            postgres: needed("DUPLEX_POSTGRES_URL")?,
            listen: listen.parse().map_err(|_| ConfigError::Listen(listen))?,
            origins: origins.map(str::parse).collect::<Result<_, _>>()?,
            data: needed("DUPLEX_DATA")?.into(),
            terminals_per_person: number("DUPLEX_TERMINALS_PER_PERSON", read, 16)?,
            sockets_per_person: number("DUPLEX_SOCKETS_PER_PERSON", read, 32)?,
            ready_file: read("DUPLEX_READY_FILE").map(PathBuf::from),
        })
    }
}

fn number(
    name: &'static str,
    read: impl Fn(&'static str) -> Option<String>,
    usual: usize,
) -> Result<usize, ConfigError> {
    let Some(text) = read(name) else {
        return Ok(usual);
    };
    let number = text.parse().ok().filter(|number| *number > 0);
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
