//! The least a shared terminal can be: a shell and a WebSocket, nothing kept.

use crate::line::{COLS, ROWS};
use anyhow::Context as _;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use duplex_terminal::{Launch, Pty, Size, spawn};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A relay that serves shells until it is dropped.
pub(crate) struct Relay {
    /// Where a socket to a new shell is had.
    pub url: String,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Listens on a port of its own on the loopback interface.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("ws://{}/shell", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            // Best effort: without it the yardstick would only be slower.
            let _ = stream.set_nodelay(true);
        });
        let app = Router::new().route("/shell", any(upgrade));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { url, serving })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn upgrade(upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(async |socket| {
        if let Err(error) = relay(socket).await {
            eprintln!("the bare relay: {error:#}");
        }
    })
}

/// Keys one way, output the other, until either side ends.
async fn relay(mut socket: WebSocket) -> anyhow::Result<()> {
    let mut shell = shell()?;
    loop {
        tokio::select! {
            output = shell.output.recv() => match output {
                Some(bytes) => socket.send(Message::Binary(bytes)).await?,
                None => break,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(keys))) => shell.input.write(keys).await?,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
        }
    }
    shell.kill().await;
    Ok(())
}

/// The shell that sessions have, without their sandbox.
fn shell() -> anyhow::Result<Pty> {
    let size = Size {
        cols: COLS,
        rows: ROWS,
    };
    let path = std::env::var("PATH").context("there is no PATH")?;
    let env = [
        ("PATH", path.as_str()),
        ("TERM", "xterm-256color"),
        ("PS1", "$ "),
    ];
    let launch = Launch {
        program: "/bin/bash".into(),
        args: vec!["--norc".to_owned()],
        env: env
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        cwd: "/".into(),
    };
    Ok(spawn(&launch, size)?)
}
