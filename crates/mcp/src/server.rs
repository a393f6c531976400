//! One live connection to a tool server.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientConfig, ClientRequest,
    ServerResult,
};
use rmcp::service::{PeerRequestOptions, RunningService, ServiceError};
use rmcp::transport::async_rw::AsyncRwTransport;
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::{ServerConfig, Transport};
use crate::known::{Host, Known};
use crate::line::Lines;
use crate::link::{Link, Listener};
use crate::list::{Tool, offered};
use crate::outcome::CallOutcome;
use crate::start::{about, start};
use crate::text::line;
use crate::waiting::Waiting;
use crate::{McpError, describe, http};

/// How long the end of a connection may take.
const END: Duration = Duration::from_secs(5);
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
            Transport::Http { url, headers } => {
                http::transport(url, headers, known.flooded.clone())
            }
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
        // Kept until this is over, however it ends.
        let progress = progress.map(Arc::new);
        if let Some(progress) = &progress {
            request
                .extensions
                .insert(Listener(Arc::downgrade(progress)));
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
            ServiceError::TransportClosed if self.known.stdio || self.is_over() => {
                self.known.gone().await
            }
            // Over HTTP it is one answer that broke off; the others do not depend on it.
            ServiceError::TransportClosed => McpError::Failed {
                server,
                problem: if self.known.flooded.swap(false, Ordering::Relaxed) {
                    describe::TOO_LARGE.to_owned()
                } else {
                    "the connection broke off before its answer was there".to_owned()
                },
            },
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
