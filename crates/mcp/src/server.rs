//! One live connection to a tool server.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientConfig, ClientRequest,
    ProtocolVersion, ServerResult,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, PeerRequestOptions, RunningService, ServiceError,
};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{Peer, RoleClient};
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::{ServerConfig, Transport};
use crate::line::Lines;
use crate::link::{Link, Listener, Shared};
use crate::list::{Tool, everything, offered};
use crate::outcome::CallOutcome;
use crate::text::line;
use crate::waiting::Waiting;
use crate::{McpError, describe, http};

/// How long the end of a connection may take.
const END: Duration = Duration::from_secs(5);
/// Bytes of a server's last words in an error.
const LAST_BYTES: usize = 400;

/// Asks for the last line a server's process wrote on standard error. It may wait a moment for the process to be gone,
/// since its last words come last.
pub type LastWords = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What a server may be told, and what its caller knows of it.
#[derive(Clone, Default)]
pub struct Host {
    /// The folder a server that asks for roots is told of: the worktree, for a server that sees it.
    pub root: Option<PathBuf>,
    /// Where a server's last words can be read, if it is a process of the caller's.
    pub last_words: Option<LastWords>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// A live connection. Dropped, it is closed; the server's process is its caller's to end.
#[derive(Debug)]
pub struct Server {
    name: String,
    time: Duration,
    about: String,
    tools: Vec<Tool>,
    notes: Vec<String>,
    running: RunningService<RoleClient, ClientConfig>,
    known: Known,
}

/// What stays the same from the first byte on.
#[derive(Clone, Debug)]
struct Known {
    shared: Arc<Shared>,
    host: Host,
    flooded: Arc<AtomicBool>,
    stdio: bool,
}

impl Server {
    /// Speaks to a server over its standard output and input, and returns once it has listed its tools.
    pub async fn connect_stdio<R, W>(
        config: &ServerConfig,
        reader: R,
        writer: W,
        host: Host,
    ) -> Result<Self, McpError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let known = Known::new(config, host, true);
        let reader = Lines::new(reader, known.flooded.clone());
        Self::connect(config, AsyncRwTransport::new_client(reader, writer), known).await
    }

    /// Connects to a server's address, and returns once it has listed its tools. It is an error for one that is
    /// configured as a command.
    pub async fn connect_http(config: &ServerConfig, host: Host) -> Result<Self, McpError> {
        let known = Known::new(config, host, false);
        let transport = match &config.transport {
            Transport::Http { url, headers } => http::transport(url, headers),
            Transport::Stdio { .. } => Err("it is configured as a command".to_owned()),
        };
        match transport {
            Ok(transport) => Self::connect(config, transport, known).await,
            Err(problem) => Err(known.start(problem).await),
        }
    }

    async fn connect<T>(config: &ServerConfig, transport: T, known: Known) -> Result<Self, McpError>
    where
        T: rmcp::transport::Transport<RoleClient> + 'static,
    {
        let link = Link::new(transport, known.shared.clone());
        let (running, said, complete) =
            match tokio::time::timeout(config.start, start(link, &known)).await {
                Ok(Ok(started)) => started,
                Ok(Err(problem)) => return Err(known.start(problem).await),
                Err(_) => {
                    return Err(McpError::Slow {
                        server: config.name.clone(),
                        time: config.start,
                        last: known.last().await,
                    });
                }
            };
        let (tools, mut notes) = offered(config, said);
        if !complete {
            notes.push(
                "its list of tools goes on and on: only its beginning was looked at".to_owned(),
            );
        }
        Ok(Self {
            name: config.name.clone(),
            time: config.time,
            about: about(running.peer()),
            tools,
            notes: notes
                .iter()
                .map(|note| known.shared.scrub.text(note))
                .collect(),
            running,
            known,
        })
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says it is: its own name, version and the protocol's version, for a log line.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Its tools as they were when it was connected to; they stay so.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// A sentence about each thing it lists that is not offered, for the person who configured it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether it said since that its list is another now.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.known.shared.changed.load(Ordering::Relaxed)
    }

    /// Whether the connection is gone, so that every call will fail.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.running.is_closed() || self.running.peer().is_transport_closed()
    }

    /// Calls a tool by its `mcp__` name. Lines of progress go to `progress` as they come; those for which there is no
    /// room are left out.
    ///
    /// Cancelled, out of time or dropped, it returns at once, and the server is told to stop.
    pub async fn call(
        &self,
        tool: &str,
        input: &Value,
        cancel: CancellationToken,
        progress: Option<mpsc::Sender<String>>,
    ) -> Result<CallOutcome, McpError> {
        let Some(own) = self.own(tool) else {
            return Err(McpError::Unknown {
                server: self.name.clone(),
                tool: line(tool, 80),
            });
        };
        let Value::Object(arguments) = input else {
            let tool = tool.to_owned();
            return Err(McpError::Input { tool });
        };
        let (server, tool) = (self.name.clone(), line(own, 80));
        let asking = self.ask(own, arguments.clone(), progress);
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(McpError::Cancelled { server, tool }),
            answer = asking => answer,
            () = tokio::time::sleep(self.time) => {
                let time = self.time;
                Err(McpError::TimedOut { server, tool, time })
            }
        }
    }

    fn own(&self, name: &str) -> Option<&str> {
        let mut tools = self.tools.iter();
        let tool = tools.find(|tool| tool.name == name)?;
        Some(&tool.own)
    }

    /// Dropped before its end, it tells the server.
    async fn ask(
        &self,
        own: &str,
        arguments: Map<String, Value>,
        progress: Option<mpsc::Sender<String>>,
    ) -> Result<CallOutcome, McpError> {
        let mut params = CallToolRequestParams::new(own.to_owned());
        params.arguments = Some(arguments);
        let mut request = CallToolRequest::new(params);
        if let Some(progress) = progress {
            request.extensions.insert(Listener(progress));
        }
        let request = ClientRequest::CallToolRequest(request);
        let options = PeerRequestOptions::no_options();
        let peer = self.running.peer();
        let answer = match peer.send_cancellable_request(request, options).await {
            Ok(handle) => {
                Waiting::new(handle, self.known.shared.clone())
                    .answer()
                    .await
            }
            Err(error) => Err(error),
        };
        match answer {
            Ok(result) => self.read(result),
            Err(error) => Err(self.failed(&error).await),
        }
    }

    fn read(&self, result: ServerResult) -> Result<CallOutcome, McpError> {
        let scrub = &self.known.shared.scrub;
        match result {
            ServerResult::CallToolResult(result) => Ok(CallOutcome::new(result, scrub)),
            // An answer without any content reads like one to a ping.
            ServerResult::EmptyResult(_) => Ok(CallOutcome::new(CallToolResult::default(), scrub)),
            _ => Err(McpError::Failed {
                server: self.name.clone(),
                problem: "its answer is not one of this protocol".to_owned(),
            }),
        }
    }

    async fn failed(&self, error: &ServiceError) -> McpError {
        let server = self.name.clone();
        let scrub = &self.known.shared.scrub;
        match error {
            ServiceError::McpError(said) => McpError::Refused {
                server,
                message: line(&scrub.text(&said.message), 2000),
            },
            ServiceError::TransportSend(_) if self.known.stdio => self.known.gone().await,
            ServiceError::TransportClosed => self.known.gone().await,
            other => McpError::Failed {
                server,
                problem: scrub.text(&describe::failing(other)),
            },
        }
    }

    /// Closes the connection: a process sees the end of its input, an address that the session is over. Returns in any
    /// case within some seconds.
    pub async fn end(mut self) {
        let _ = self.running.close_with_timeout(END).await;
    }
}

impl Known {
    fn new(config: &ServerConfig, host: Host, stdio: bool) -> Self {
        let root = host.root.as_deref();
        let root = root.and_then(|path| Url::from_file_path(path).ok());
        let root = root.map(String::from);
        Self {
            shared: Arc::new(Shared::new(&config.name, root, config.scrub())),
            host,
            flooded: Arc::default(),
            stdio,
        }
    }

    async fn last(&self) -> String {
        match &self.host.last_words {
            Some(last_words) => line(&self.shared.scrub.text(&last_words().await), LAST_BYTES),
            None => String::new(),
        }
    }

    async fn start(&self, problem: String) -> McpError {
        let server = self.shared.server.clone();
        if self.flooded.load(Ordering::Relaxed) {
            return McpError::Flooded { server };
        }
        McpError::Start {
            server,
            problem: self.shared.scrub.text(&problem),
            last: self.last().await,
        }
    }

    async fn gone(&self) -> McpError {
        let server = self.shared.server.clone();
        if self.flooded.load(Ordering::Relaxed) {
            return McpError::Flooded { server };
        }
        let last = self.last().await;
        McpError::Ended { server, last }
    }
}

type Started = (
    RunningService<RoleClient, ClientConfig>,
    Vec<rmcp::model::Tool>,
    bool,
);

/// Shakes hands and reads the list.
///
/// The library's newest version of the protocol has no handshake, and no server of today speaks it; so the newest that
/// has one is asked for by name, and what the server chooses instead must be one with a handshake too.
async fn start<T>(link: Link<T>, known: &Known) -> Result<Started, String>
where
    T: rmcp::transport::Transport<RoleClient> + 'static,
{
    let us = known.shared.introduction();
    let running = us.serve_with_lifecycle(link, ClientLifecycleMode::Initialize);
    let running = running.await.map_err(|error| describe::starting(&error))?;
    let info = running.peer().peer_info();
    let version = info.as_ref().map(|info| info.protocol_version.clone());
    let spoken = |version: &ProtocolVersion| {
        version.has_initialize() && ProtocolVersion::KNOWN_VERSIONS.contains(version)
    };
    if !version.as_ref().is_some_and(spoken) {
        let version = version.map(|version| line(version.as_str(), 40));
        return Err(format!(
            "it speaks version {} of the protocol: one of 2024-11-05 to 2025-11-25 is needed",
            version.unwrap_or_default()
        ));
    }
    let (said, complete) = if info.is_some_and(|info| info.capabilities.tools.is_some()) {
        let list = everything(running.peer()).await;
        list.map_err(|error| describe::listing(&error))?
    } else {
        (Vec::new(), true)
    };
    known.shared.listed.store(true, Ordering::Relaxed);
    Ok((running, said, complete))
}

fn about(peer: &Peer<RoleClient>) -> String {
    let Some(info) = peer.peer_info() else {
        return String::new();
    };
    let who = info.server_info.as_ref();
    let who = who.map(|who| format!("{} {}, ", who.name, who.version));
    let text = format!("{}MCP {}", who.unwrap_or_default(), info.protocol_version);
    line(&text, 120)
}
