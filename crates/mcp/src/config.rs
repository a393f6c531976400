//! What an operator's file says of tool servers, checked before any is started.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::name::is_server;
use crate::scrub::Scrub;

const TIME: u64 = 120;
const MOST_TIME: u64 = 3600;
const START: u64 = 20;
const MOST_START: u64 = 300;
/// The most servers of a workspace: each is a process of every session, and their tools share one window.
const SERVERS: usize = 32;

/// Headers the protocol sets itself.
const RESERVED: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

/// Why a server cannot be configured like this. It shows no value, since that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mcp.{server}: {problem}")]
pub struct ConfigError {
    /// The name it stands under.
    pub server: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// The tables `[….mcp.NAME]` as they are written, still to be checked.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Written(BTreeMap<String, Entry>);

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    command: Option<Vec<String>>,
    env: Option<BTreeMap<String, Value>>,
    url: Option<String>,
    headers: Option<BTreeMap<String, Value>>,
    time: Option<u64>,
    start: Option<u64>,
    tools: Option<Vec<String>>,
    #[serde(default)]
    read_only: bool,
}

#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a value is a text, or { env = \"NAME\" } to read it from the runner's environment"
)]
enum Value {
    Plain(String),
    Named(Named),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    env: String,
}

/// What an operator's file says of one server.
#[derive(Clone)]
pub struct ServerConfig {
    /// Its name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// How it is reached.
    pub transport: Transport,
    /// How long one call may take.
    pub time: Duration,
    /// How long it may take until it has listed its tools.
    pub start: Duration,
    /// The server's own names of the tools that are offered; all of them without it.
    pub tools: Option<Vec<String>>,
    /// Whether the server is believed when it says that a tool only reads.
    pub read_only: bool,
    /// Values that were read from the runner's environment; they are not shown.
    pub hidden: Vec<String>,
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("name", &self.name)
            .field("transport", &self.transport)
            .field("time", &self.time)
            .field("start", &self.start)
            .field("tools", &self.tools)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// How a server is reached. Its debug text shows neither values of variables and headers nor an address's query.
#[derive(Clone, PartialEq, Eq)]
pub enum Transport {
    /// A command in the session's sandbox, spoken to by its standard input and output.
    Stdio {
        /// The program and its arguments.
        command: Vec<String>,
        /// Variables on top of the sandbox's clean environment.
        env: BTreeMap<String, String>,
    },
    /// An address that the runner itself connects to.
    Http {
        /// `http` or `https`, without a name and password in it.
        url: String,
        /// Headers of every request. Each value is a secret.
        headers: BTreeMap<String, String>,
    },
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio { command, env } => f
                .debug_struct("Stdio")
                .field("command", command)
                .field("env", &env.keys())
                .finish(),
            Self::Http { url, headers } => f
                .debug_struct("Http")
                .field("url", &url.split('?').next().unwrap_or_default())
                .field("headers", &headers.keys())
                .finish(),
        }
    }
}

impl ServerConfig {
    /// What must not be shown: values read from the runner's environment, values of headers, what follows a scheme
    /// such as `Bearer` in them, and an address's query.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.hidden.clone();
        if let Transport::Http { url, headers } = &self.transport {
            for value in headers.values() {
                secrets.extend(value.split_once(' ').map(|(_, rest)| rest.to_owned()));
                secrets.push(value.clone());
            }
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            secrets.extend(pairs.map(|(_, value)| value.to_owned()));
            secrets.push(query.to_owned());
        }
        secrets
    }

    pub(crate) fn scrub(&self) -> Scrub {
        Scrub::new(self.secrets())
    }
}

impl Written {
    /// Checks every server. `variable` looks a name up in the runner's environment.
    pub fn check(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<ServerConfig>, ConfigError> {
        if let Some((name, _)) = self.0.iter().nth(SERVERS) {
            let problem = format!("there are more than {SERVERS} servers: take some out");
            return Err(wrong(name, problem));
        }
        let servers = self.0.into_iter();
        servers
            .map(|(name, entry)| {
                let checked = entry.check(&name, &variable);
                checked.map_err(|problem| wrong(&name, problem))
            })
            .collect()
    }
}

fn wrong(server: &str, problem: String) -> ConfigError {
    let server = server.escape_debug().to_string();
    ConfigError { server, problem }
}

type Checked<T> = Result<T, String>;

impl Entry {
    fn check(
        self,
        name: &str,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Checked<ServerConfig> {
        if !is_server(name) {
            return Err("a server's name has 1 to 32 lower-case letters, digits, _ and -, no _ at its ends and no two side by side".to_owned());
        }
        let time = seconds("time", self.time.unwrap_or(TIME), MOST_TIME)?;
        let start = seconds("start", self.start.unwrap_or(START), MOST_START)?;
        if self.tools.as_ref().is_some_and(Vec::is_empty) {
            return Err("tools is empty: name the tools to offer, or take the key out".to_owned());
        }
        let named = self.env.iter().chain(&self.headers).flatten();
        let hidden = named.filter_map(|(_, value)| match value {
            Value::Plain(_) => None,
            Value::Named(named) => variable(&named.env),
        });
        let hidden = hidden.collect();
        let transport = match (self.command, self.url) {
            (Some(command), None) if self.headers.is_none() => {
                stdio(command, self.env.unwrap_or_default(), variable)?
            }
            (None, Some(url)) if self.env.is_none() => {
                http(url, self.headers.unwrap_or_default(), variable)?
            }
            (Some(_), None) => return Err("headers go with url, not with command".to_owned()),
            (None, Some(_)) => return Err("env goes with command, not with url".to_owned()),
            _ => return Err("give either command or url".to_owned()),
        };
        Ok(ServerConfig {
            name: name.to_owned(),
            transport,
            time,
            start,
            tools: self.tools,
            read_only: self.read_only,
            hidden,
        })
    }
}

fn seconds(key: &str, value: u64, most: u64) -> Checked<Duration> {
    if (1..=most).contains(&value) {
        Ok(Duration::from_secs(value))
    } else {
        Err(format!("{key} is a number of seconds from 1 to {most}"))
    }
}

fn stdio(
    command: Vec<String>,
    env: BTreeMap<String, Value>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Checked<Transport> {
    if command.first().is_none_or(String::is_empty) {
        return Err("command is empty: give the program and its arguments as a list".to_owned());
    }
    if command.iter().any(|word| word.contains('\0')) {
        return Err("command holds a NUL".to_owned());
    }
    let env = values("env", env, variable)?;
    for (name, value) in &env {
        if !is_variable(name) || value.contains('\0') {
            return Err(format!(
                "env.{} cannot be a variable: a name has letters, digits and _, and a value no NUL",
                name.escape_debug()
            ));
        }
    }
    Ok(Transport::Stdio { command, env })
}

fn is_variable(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn http(
    url: String,
    headers: BTreeMap<String, Value>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Checked<Transport> {
    let parsed = Url::parse(&url).map_err(|_| "url is no address".to_owned())?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("url starts with neither http:// nor https://".to_owned());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("url holds a name or password: give them as a header".to_owned());
    }
    let headers = values("headers", headers, variable)?;
    for (name, value) in &headers {
        header(name, value)?;
    }
    Ok(Transport::Http { url, headers })
}

fn header(name: &str, value: &str) -> Checked<()> {
    let shown = name.escape_debug();
    if HeaderName::from_bytes(name.as_bytes()).is_err() || HeaderValue::from_str(value).is_err() {
        return Err(format!("headers.{shown} cannot be a header"));
    }
    if RESERVED.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!(
            "headers.{shown} is set by the protocol itself: take it out"
        ));
    }
    Ok(())
}

fn values(
    key: &str,
    written: BTreeMap<String, Value>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Checked<BTreeMap<String, String>> {
    let read = |(name, value): (String, Value)| match value {
        Value::Plain(text) => Ok((name, text)),
        Value::Named(Named { env }) => match variable(&env) {
            Some(text) => Ok((name, text)),
            None => Err(format!(
                "{key}.{} is to be read from the variable {}, which the runner does not have",
                name.escape_debug(),
                env.escape_debug()
            )),
        },
    };
    written.into_iter().map(read).collect()
}
