//! Reaching the server, and making sure that it keeps what it acknowledges.

use crate::subject;
use async_nats::ServerAddr;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::{self, stream};
use duplex_domain::Shard;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tracing::{debug, info, warn};

/// The oldest server whose JetStream keeps our promises.
const OLDEST_SERVER: (u64, u64, u64) = (2, 14, 6);
/// Largest stored message, in bytes: a frame with room for its headers.
const LARGEST_MESSAGE: i32 = 1 << 20;

/// The users who may not make streams.
const PROCESSES: [&str; 3] = ["edge", "runner", "projector"];
/// The one who does.
const SETUP: &str = "setup";

/// How to reach the log.
#[derive(Clone, Debug)]
pub struct Options {
    /// `nats://host:port`, or several with commas.
    pub url: String,
    /// The server's monitoring address, `http://host:port`; without it, durability cannot be checked.
    pub monitor: Option<String>,
    /// What this process calls itself.
    pub name: &'static str,
}

/// The log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address cannot be read.
    #[error("{0} is not the address of a NATS server; write nats://host:port")]
    Address(String),
    /// Nobody answers.
    #[error("no NATS server answers at {url}; start one, or name another with --nats")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        source: async_nats::ConnectError,
    },
    /// The server is too old.
    #[error(
        "the NATS server at {url} is version {found}; 2.14.6 or newer is needed, since older ones cannot sync every append to disk or lose acknowledged data"
    )]
    TooOld {
        /// Where.
        url: String,
        /// Its version.
        found: String,
    },
    /// Nobody made a stream that this process may not make.
    #[error(
        "the log's stream {0} is not there, and this process may not make it: run `duplex prepare` first, with the address of the user `setup`"
    )]
    NotPrepared(String),
    /// The server does not know this name and password, or forbids what is asked.
    #[error("the NATS server at {url} does not let the user {user} in; look at its password")]
    Forbidden {
        /// Where.
        url: String,
        /// Who.
        user: String,
    },
    /// A stream cannot be made or read.
    #[error("the log's stream {stream} cannot be set up: {reason}")]
    Stream {
        /// Which.
        stream: String,
        /// Why.
        reason: String,
    },
}

/// Whether the server syncs to disk before it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does: an acknowledged event survives a power cut.
    Synced,
    /// It does not: a power cut loses the newest events.
    NotSynced,
    /// It could not be asked.
    Unknown,
}

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    /// Counts connections made: a change means that messages may have been missed.
    pub(crate) connections: watch::Receiver<u64>,
}

impl Log {
    /// Connects and checks the server. The user in the address says what may be done there: a process's own (`edge`,
    /// `runner`, `projector`) finds the streams as they are; any other makes those that are missing.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(options: &Options) -> Result<Self, ConnectError> {
        let (count, connections) = watch::channel(0);
        let servers = servers(&options.url)?;
        let user = User::of(&servers);
        let client = connect(options, servers, &user, Arc::new(count)).await?;
        check_version(options, &client.server_info().version)?;
        warn_unless_synced(options).await;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(Duration::from_secs(10));
        for shard in Shard::all() {
            if user.makes_streams() {
                set_up(&jetstream, shard).await?;
            } else {
                find(&jetstream, shard).await?;
            }
        }
        Ok(Self {
            client,
            jetstream,
            connections,
        })
    }

    /// Connects and makes everything that is missing: what has to be done before processes that may not.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn prepare(options: &Options) -> Result<Self, ConnectError> {
        let log = Self::connect(options).await?;
        let made = |stream: &str, reason: String| ConnectError::Stream {
            stream: stream.to_owned(),
            reason,
        };
        let registry = log.registry().await;
        registry.map_err(|error| made("of the register", error.to_string()))?;
        let bodies = log.bodies().await;
        bodies.map_err(|error| made("of bodies", error.to_string()))?;
        let audit = log.audit().await;
        audit.map_err(|error| made("of the audit log", error.to_string()))?;
        Ok(log)
    }

    /// Whether the server can be reached now.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }
}

/// Who signs in.
struct User {
    credentials: Option<(String, String)>,
}

impl User {
    /// The one in the first address.
    fn of(servers: &[ServerAddr]) -> Self {
        let credentials = servers
            .first()
            .and_then(|server| Some((server.username()?.into(), server.password()?.into())));
        Self { credentials }
    }

    fn name(&self) -> &str {
        let name = self.credentials.as_ref().map(|(name, _)| name.as_str());
        name.unwrap_or_default()
    }

    fn makes_streams(&self) -> bool {
        !PROCESSES.contains(&self.name())
    }

    /// Where answers come, which nobody else may hear.
    fn inbox(&self) -> Option<String> {
        let known = !self.makes_streams() || self.name() == SETUP;
        known.then(|| format!("_INBOX_{}", self.name()))
    }
}

async fn connect(
    options: &Options,
    servers: Vec<ServerAddr>,
    user: &User,
    count: Arc<watch::Sender<u64>>,
) -> Result<async_nats::Client, ConnectError> {
    let shown = shown(&servers);
    // The client does not take a name and password from the address by itself.
    let mut connecting = async_nats::ConnectOptions::new();
    if let Some((name, password)) = user.credentials.clone() {
        connecting = connecting.user_and_password(name, password);
    }
    if let Some(inbox) = user.inbox() {
        connecting = connecting.custom_inbox_prefix(inbox);
    }
    connecting
        .name(format!("duplex {}", options.name))
        .ping_interval(Duration::from_secs(10))
        .connection_timeout(Duration::from_secs(5))
        .subscription_capacity(65_536)
        .reconnect_delay_callback(|attempt| Duration::from_millis(50 << attempt.min(5)))
        .event_callback(move |event| {
            let count = count.clone();
            async move {
                match event {
                    async_nats::Event::Connected => count.send_modify(|count| *count += 1),
                    // Only we close it.
                    async_nats::Event::Closed => debug!("the connection to the log is closed"),
                    other => info!("the connection to the log: {other}"),
                }
            }
        })
        .connect(servers)
        .await
        .map_err(|source| not_connected(shown, user, source))
}

fn not_connected(url: String, user: &User, source: async_nats::ConnectError) -> ConnectError {
    if source.kind() == async_nats::ConnectErrorKind::AuthorizationViolation {
        let user = user.name().to_owned();
        return ConnectError::Forbidden { url, user };
    }
    ConnectError::Unreachable { url, source }
}

fn servers(urls: &str) -> Result<Vec<ServerAddr>, ConnectError> {
    let parse = |url: &str| url.trim().parse();
    let servers: std::io::Result<_> = urls.split(',').map(parse).collect();
    servers.map_err(|_| ConnectError::Address(without_password(urls)))
}

/// Addresses as they may be shown: without name and password.
fn shown(servers: &[ServerAddr]) -> String {
    let addresses = servers.iter();
    let addresses = addresses.map(|server| format!("{}:{}", server.host(), server.port()));
    addresses.collect::<Vec<_>>().join(", ")
}

fn without_password(urls: &str) -> String {
    let shown = urls.split(',').map(|url| match url.rsplit_once('@') {
        Some((_, address)) => address,
        None => url,
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn check_version(options: &Options, found: &str) -> Result<(), ConnectError> {
    if version(found).is_some_and(|version| version >= OLDEST_SERVER) {
        return Ok(());
    }
    Err(ConnectError::TooOld {
        url: without_password(&options.url),
        found: found.to_owned(),
    })
}

fn version(text: &str) -> Option<(u64, u64, u64)> {
    let release = text.split(['-', '+']).next()?;
    let mut numbers = release.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some((next()?, next()?, next()?))
}

async fn warn_unless_synced(options: &Options) {
    match durability(options.monitor.as_deref()).await {
        Durability::Synced => {}
        Durability::NotSynced => warn!(
            "THE LOG IS NOT DURABLE: the NATS server acknowledges events before they are on disk; set `sync_interval: always` in its jetstream block"
        ),
        Durability::Unknown => warn!(
            "whether the NATS server syncs every append to disk could not be checked; name its monitoring address with --nats-monitor"
        ),
    }
}

/// Asks the server's monitoring page whether it syncs always. Only that page tells (`/jsz`, field `sync_always`).
async fn durability(monitor: Option<&str>) -> Durability {
    let Some(address) = monitor.and_then(|url| url.trim_end_matches('/').strip_prefix("http://"))
    else {
        return Durability::Unknown;
    };
    let asked = tokio::time::timeout(Duration::from_secs(2), get(address, "/jsz"));
    match asked.await {
        Ok(Ok(page)) if page.contains("\"sync_always\": true") => Durability::Synced,
        Ok(Ok(page)) if page.contains("\"sync_always\":true") => Durability::Synced,
        Ok(Ok(_)) => Durability::NotSynced,
        Ok(Err(_)) | Err(_) => Durability::Unknown,
    }
}

/// One request of the monitoring page; too little to bring in an HTTP library for.
async fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

async fn set_up(jetstream: &jetstream::Context, shard: Shard) -> Result<(), ConnectError> {
    let name = subject::stream(shard);
    let result = jetstream.get_or_create_stream(config(shard)).await;
    result.map(drop).map_err(|error| ConnectError::Stream {
        stream: name,
        reason: error.to_string(),
    })
}

/// Whether a stream is there, for those who may not make it.
async fn find(jetstream: &jetstream::Context, shard: Shard) -> Result<(), ConnectError> {
    let stream = subject::stream(shard);
    match jetstream.get_stream(&stream).await {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(_) => Err(ConnectError::NotPrepared(stream)),
            _ => Err(ConnectError::Stream {
                stream,
                reason: error.to_string(),
            }),
        },
    }
}

/// A shard's stream: nothing is ever dropped to make room, nothing deleted, everything republished.
pub(crate) fn config(shard: Shard) -> stream::Config {
    let subjects = subject::of_shard(shard);
    stream::Config {
        name: subject::stream(shard),
        description: Some("Duplex: every event of the sessions of this shard".to_owned()),
        republish: Some(stream::Republish {
            source: subjects.clone(),
            destination: subject::live(&subjects),
            headers_only: false,
        }),
        subjects: vec![subjects],
        storage: stream::StorageType::File,
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        max_message_size: LARGEST_MESSAGE,
        duplicate_window: Duration::from_mins(2),
        allow_direct: true,
        deny_delete: true,
        max_consumers: 64,
        ..stream::Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = "nats://duplex:s3cret@127.0.0.1:4222,nats://duplex:s3cret@[::1]:99999";

        let refused = servers(url).map_err(|error| error.to_string());

        assert!(refused.is_err_and(|text| !text.contains("s3cret")));
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("2.15.1") >= Some(OLDEST_SERVER));
        assert!(version("2.14.10-RC.1") >= Some(OLDEST_SERVER));
        assert!(version("2.9.10") < Some(OLDEST_SERVER));
        assert_eq!(version("nonsense"), None);
    }
}
