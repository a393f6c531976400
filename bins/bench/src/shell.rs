//! The least a shared terminal can be: a shell and a WebSocket, nothing kept.

use crate::line::{COLS, ROWS};
use anyhow::Context as _;
use axum::Router;
use axum::extract::Path;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use bytes::Bytes;
use duplex_terminal::{Launch, Pty, Size, spawn};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A relay that serves shells until it is dropped.
pub(crate) struct Relay {
    /// Where a socket to a new shell is had.
    pub url: String,
    /// Where so many megabytes of kept output are had; the number comes behind it.
    pub replay: String,
    serving: JoinHandle<()>,
}

impl Relay {
    /// Listens on a port of its own on the loopback interface.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let listener = listener.tap_io(|stream| {
            // Best effort: without it the yardstick would only be slower.
            let _ = stream.set_nodelay(true);
        });
        let app = Router::new()
            .route("/shell", any(upgrade))
            .route("/replay/{megabytes}", any(replay));
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            url: format!("ws://{address}/shell"),
            replay: format!("ws://{address}/replay/"),
            serving,
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |socket| {
        if let Err(error) = relay(socket).await {
            eprintln!("the bare relay: {error:#}");
        }
    })
}

/// What a relay does that keeps all output in memory: whoever joins is sent all of it.
async fn replay(upgrade: WebSocketUpgrade, Path(megabytes): Path<u64>) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let piece = Bytes::from(b"0123456789 ".repeat(64 * 1024 / 11));
        let mut left = megabytes * 1_000_000;
        while left > 0 {
            let part = piece.slice(..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            left -= part.len() as u64;
            if socket.send(Message::Binary(part)).await.is_err() {
                return;
            }
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
