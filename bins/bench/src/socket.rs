//! A page's socket, read as cheaply as can be.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use duplex_testkit::Person;
use duplex_wire::Up;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Request};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// How long a socket may be silent before a benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// A WebSocket without Nagle's delay, as browsers open theirs.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A message that carries something.
pub(crate) enum Received {
    Text(String),
    Binary(Bytes),
}

impl Socket {
    /// Opens a person's socket.
    pub async fn of(person: &Person) -> anyhow::Result<Self> {
        let url = format!("{}/api/feed", person.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(&person.cookie)?);
        headers.insert("origin", HeaderValue::from_str(&person.url)?);
        Self::connect(request).await
    }

    /// Opens any socket.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        Self::connect(url.into_client_request()?).await
    }

    async fn connect(request: Request<()>) -> anyhow::Result<Self> {
        let (stream, _) = connect_async_with_config(request, None, true).await?;
        Ok(Self { stream })
    }

    pub async fn say(&mut self, up: &Up) -> anyhow::Result<()> {
        let text = serde_json::to_string(up)?;
        Ok(self.stream.send(Message::text(text)).await?)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let message = Message::binary(Bytes::copy_from_slice(bytes));
        Ok(self.stream.send(message).await?)
    }

    /// The next message that carries something; pings are answered on the way.
    pub async fn next(&mut self) -> anyhow::Result<Received> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            let message = message.context("a socket was silent for a minute")?;
            match message.context("a socket ended")?? {
                Message::Text(text) => return Ok(Received::Text(text.as_str().to_owned())),
                Message::Binary(bytes) => return Ok(Received::Binary(bytes)),
                Message::Close(frame) => bail!("a socket was closed: {frame:?}"),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}
