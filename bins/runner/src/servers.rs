//! A session's tool servers: connected when they are first needed, called for the agent, ended with the session.

use duplex_domain::{ToolKind, ToolText};
use duplex_mcp::{Host, McpError, Server, ServerConfig, Tool, Transport, parts};
use duplex_workspace::server::{self, Started};
use duplex_workspace::{Sandbox, Worktree};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// A session's tool servers. Dropped, they end with all their processes.
pub struct Servers {
    configs: Vec<ServerConfig>,
    sandbox: Sandbox,
    worktree: Worktree,
    live: Mutex<HashMap<String, Arc<Live>>>,
}

/// One that is connected.
struct Live {
    server: Server,
    /// Its process, if it is one of the session's.
    process: Option<server::Server>,
}

/// What all servers offer together.
#[derive(Default)]
pub struct Offered {
    /// The tools, for the model.
    pub tools: Vec<ToolText>,
    /// A sentence about each server or tool that is missing.
    pub missing: Vec<String>,
}

/// What came of a call.
pub struct Called {
    /// What the server said.
    pub text: String,
    /// Its pictures.
    pub images: Vec<bytes::Bytes>,
    /// Whether it failed.
    pub is_error: bool,
}

impl Servers {
    /// Servers to be connected when they are needed.
    #[must_use]
    pub fn new(configs: Vec<ServerConfig>, sandbox: Sandbox, worktree: Worktree) -> Self {
        Self {
            configs,
            sandbox,
            worktree,
            live: Mutex::default(),
        }
    }

    /// Connects to every server, all at once, and lists what they offer.
    pub async fn offered(&self) -> Offered {
        let names = self.configs.iter().map(|config| config.name.as_str());
        let found = join_all(names.map(|name| self.connected(name))).await;
        let mut offered = Offered::default();
        for found in found {
            match found {
                Ok(live) => offered.take(&live.server),
                Err(error) => offered.missing.push(error),
            }
        }
        offered
    }

    /// What a server's tool does to the world, and whether it does it outside the sandbox; none if it is no server's.
    pub async fn kind(&self, name: &str) -> Option<(ToolKind, bool)> {
        let (server, _) = parts(name)?;
        let config = self.configs.iter().find(|config| config.name == server)?;
        let outside = matches!(config.transport, Transport::Http { .. });
        let reads = match self.connected(server).await {
            Ok(live) => find(&live.server, name).is_some_and(|tool| tool.read_only),
            Err(_) => false,
        };
        let kind = if reads {
            ToolKind::Read
        } else {
            ToolKind::Foreign
        };
        Some((kind, outside))
    }

    /// Calls a tool; what the server says meanwhile goes to `progress`. Whatever goes wrong is said in the text.
    pub async fn call(
        &self,
        name: &str,
        input: &Value,
        cancel: CancellationToken,
        progress: mpsc::Sender<String>,
    ) -> Called {
        let called = async {
            let (server, _) = parts(name).ok_or_else(|| format!("there is no tool {name}"))?;
            let live = self.connected(server).await?;
            let progress = Some(progress);
            let outcome = live.server.call(name, input, cancel.clone(), progress);
            outcome.await.map_err(|error| error.to_string())
        };
        let outcome = tokio::select! {
            outcome = called => outcome,
            // A server that is only being started is not waited for either.
            () = cancel.cancelled() => Err("the call was interrupted".to_owned()),
        };
        match outcome {
            Ok(outcome) => Called {
                text: outcome.text,
                images: outcome.images.into_iter().map(|(_, bytes)| bytes).collect(),
                is_error: outcome.is_error,
            },
            Err(text) => Called {
                text,
                images: Vec::new(),
                is_error: true,
            },
        }
    }

    /// Ends them all, and returns when they are gone.
    pub async fn end(&self) {
        let live = std::mem::take(&mut *self.live.lock().await);
        for (_, live) in live {
            // A turn that still holds it lets go of it soon; then it ends by being dropped.
            if let Ok(live) = Arc::try_unwrap(live) {
                live.end().await;
            }
        }
    }

    /// The server, connected; one that went away is connected to anew.
    async fn connected(&self, name: &str) -> Result<Arc<Live>, String> {
        if let Some(live) = self.live.lock().await.get(name)
            && !live.server.is_over()
        {
            return Ok(live.clone());
        }
        let config = self.configs.iter().find(|config| config.name == name);
        let config = config.ok_or_else(|| format!("there is no tool server {name} here"))?;
        let live = self.connect(config).await;
        let live = Arc::new(live.map_err(|error| error.to_string())?);
        info!("tool server {name}: {}", live.server.about());
        for note in live.server.notes() {
            warn!("tool server {name}: {note}");
        }
        let mut all = self.live.lock().await;
        all.insert(name.to_owned(), live.clone());
        Ok(live)
    }

    async fn connect(&self, config: &ServerConfig) -> Result<Live, ConnectError> {
        let Transport::Stdio { command, env } = &config.transport else {
            let server = Server::connect_http(config, Host::default()).await?;
            let process = None;
            return Ok(Live { server, process });
        };
        let env: Vec<_> = env.clone().into_iter().collect();
        let started = server::start(&self.sandbox, &self.worktree, command, &env);
        let Started {
            server: process,
            output,
            input,
        } = started.map_err(|error| ConnectError::Start(config.name.clone(), error))?;
        let stderr = process.stderr();
        let host = Host {
            root: Some(self.worktree.tree.clone()),
            last_words: Some(Arc::new(move || {
                let stderr = stderr.clone();
                Box::pin(async move { stderr.last_line().await })
            })),
        };
        let server = Server::connect_stdio(config, output, input, host).await?;
        let process = Some(process);
        Ok(Live { server, process })
    }
}

/// Why a server is not there.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    /// It could not be started.
    #[error("the tool server {0} cannot be started: {1}")]
    Start(String, #[source] std::io::Error),
    /// It does not speak as it should.
    #[error(transparent)]
    Mcp(#[from] McpError),
}

impl Live {
    async fn end(self) {
        let name = self.server.name().to_owned();
        self.server.end().await;
        if let Some(process) = self.process
            && let Err(error) = process.end().await
        {
            warn!("ending tool server {name}: {error}");
        }
    }
}

impl Offered {
    fn take(&mut self, server: &Server) {
        let name = server.name();
        let notes = server.notes().iter();
        self.missing
            .extend(notes.map(|note| format!("{name}: {note}")));
        self.tools
            .extend(server.tools().iter().map(|tool| ToolText {
                name: tool.name.clone(),
                description: tool.description.clone(),
                input_schema: tool.input_schema.clone(),
            }));
    }
}

fn find<'a>(server: &'a Server, name: &str) -> Option<&'a Tool> {
    server.tools().iter().find(|tool| tool.name == name)
}
