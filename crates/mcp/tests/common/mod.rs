//! A scripted server in the same process, and short ways to say things.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "shared by tests"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use duplex_mcp::{CallOutcome, Host, McpError, Server, ServerConfig, Transport};
use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf,
};
use tokio_util::sync::CancellationToken;

/// What stands in a file under `[mcp.fake]`.
pub fn config(text: &str) -> ServerConfig {
    let written: BTreeMap<String, duplex_mcp::Written> =
        toml::from_str(&format!("[mcp.fake]\n{text}")).unwrap();
    let written = written.into_values().next().unwrap();
    let variable = |name: &str| (name == "FAKE_KEY").then(|| "k3y-of-ada".to_owned());
    written.check(variable).unwrap().remove(0)
}

pub fn stdio() -> ServerConfig {
    config(r#"command = ["fake"]"#)
}

/// One that gives up within a moment.
pub fn impatient() -> ServerConfig {
    ServerConfig {
        time: Duration::from_millis(200),
        start: Duration::from_millis(200),
        ..stdio()
    }
}

pub fn command(config: &ServerConfig) -> Vec<String> {
    match &config.transport {
        Transport::Stdio { command, .. } => command.clone(),
        Transport::Http { .. } => panic!("this one has no command"),
    }
}

/// Last words as a process would have left them.
pub fn dying(words: &'static str) -> Host {
    Host {
        last_words: Some(Arc::new(move || Box::pin(async move { words.to_owned() }))),
        ..Host::default()
    }
}

pub fn tool(name: &str) -> Value {
    json!({"name": name, "description": "A tool", "inputSchema": {"type": "object"}})
}

/// The other end of a connection, which says what a test has it say.
pub struct Fake {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    out: WriteHalf<DuplexStream>,
}

impl Fake {
    /// The message that comes next.
    pub async fn hears(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap();
        serde_json::from_str(&line.expect("the connection is closed")).unwrap()
    }

    /// Waits until nothing more will come.
    pub async fn hears_the_end(&mut self) {
        while self.lines.next_line().await.unwrap().is_some() {}
    }

    pub async fn says(&mut self, message: Value) {
        self.writes(format!("{message}\n").as_bytes()).await;
    }

    pub async fn writes(&mut self, bytes: &[u8]) {
        // The other side may have given up, as a test may want.
        let _ = self.out.write_all(bytes).await;
    }

    pub async fn answers(&mut self, request: &Value, result: Value) {
        let id = &request["id"];
        self.says(json!({"jsonrpc": "2.0", "id": id, "result": result}))
            .await;
    }

    /// Shakes hands; gives back what was asked for.
    pub async fn greets(&mut self, version: &str) -> Value {
        let hello = self.hears().await;
        let me = json!({"name": "fake", "version": "1"});
        let can = json!({"tools": {"listChanged": true}, "logging": {}});
        let result = json!({"protocolVersion": version, "capabilities": can, "serverInfo": me});
        self.answers(&hello, result).await;
        hello
    }

    /// Shakes hands and lists these tools.
    pub async fn lists(&mut self, tools: &[Value]) {
        self.greets("2025-11-25").await;
        assert_eq!(self.hears().await["method"], "notifications/initialized");
        let asked = self.hears().await;
        assert_eq!(asked["method"], "tools/list");
        self.answers(&asked, json!({ "tools": tools })).await;
    }
}

/// A fake, and the attempt to connect to it.
pub fn pair(
    config: ServerConfig,
    host: Host,
) -> (
    Fake,
    impl Future<Output = Result<Server, McpError>> + Send + 'static,
) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (reader, writer) = tokio::io::split(ours);
    let connecting = async move { Server::connect_stdio(&config, reader, writer, host).await };
    let (reader, out) = tokio::io::split(theirs);
    let lines = BufReader::new(reader).lines();
    (Fake { lines, out }, connecting)
}

/// A fake with these tools, and the connection to it.
pub async fn connected(config: ServerConfig, host: Host, tools: &[Value]) -> (Fake, Server) {
    let (mut fake, connecting) = pair(config, host);
    let (server, ()) = tokio::join!(connecting, fake.lists(tools));
    (fake, server.unwrap())
}

/// A call that nobody cancels, by the tool's own name.
pub async fn call(server: &Server, own: &str, input: Value) -> Result<CallOutcome, McpError> {
    let name = format!("mcp__fake__{own}");
    server
        .call(&name, &input, CancellationToken::new(), None)
        .await
}
