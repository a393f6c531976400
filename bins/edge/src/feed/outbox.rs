//! The way out to the page: a bounded queue, and the one task that writes to the socket.

use super::frame;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use duplex_domain::SessionId;
use duplex_wire::{Close, Down};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;

/// How many messages may wait to be written.
const WAITING: usize = 32;

/// The page is gone, or does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// The queue's end where messages go in.
#[derive(Clone)]
pub(super) struct Outbox(mpsc::Sender<Message>);

impl Outbox {
    /// A queue, and the task that empties it; the task ends with the last outbox, or with a message that closes.
    pub fn new(sink: SplitSink<WebSocket, Message>) -> (Self, impl Future<Output = ()> + Send) {
        let (outbox, waiting) = mpsc::channel(WAITING);
        (Self(outbox), write(waiting, sink))
    }

    async fn put(&self, message: Message) -> Result<(), Gone> {
        self.0.send(message).await.map_err(|_| Gone)
    }

    pub async fn say(&self, down: &Down) -> Result<(), Gone> {
        let json = serde_json::to_string(down).map_err(|error| {
            tracing::error!("a message has no JSON form: {error}");
            Gone
        })?;
        self.put(Message::Text(json.into())).await
    }

    pub async fn refuse(
        &self,
        id: String,
        code: &str,
        message: &str,
        session: Option<SessionId>,
    ) -> Result<(), Gone> {
        let (code, message) = (code.to_owned(), message.to_owned());
        self.say(&Down::Refused {
            id,
            code,
            message,
            session,
        })
        .await
    }

    /// JSON that was written before.
    pub async fn json(&self, json: Bytes) -> Result<(), Gone> {
        let text = Utf8Bytes::try_from(json).map_err(|_| Gone)?;
        self.put(Message::Text(text)).await
    }

    pub async fn binary(&self, bytes: Bytes) -> Result<(), Gone> {
        self.put(Message::Binary(bytes)).await
    }

    /// Says a message if there is room: what is said again soon need not wait.
    pub fn say_if_room(&self, message: Message) {
        let _ = self.0.try_send(message);
    }

    pub async fn close(&self, close: Close) -> Result<(), Gone> {
        self.put(Message::Close(Some(frame(close)))).await
    }
}

/// Writes what waits, and flushes when nothing more does.
async fn write(mut waiting: mpsc::Receiver<Message>, mut sink: SplitSink<WebSocket, Message>) {
    while let Some(message) = waiting.recv().await {
        let last = matches!(message, Message::Close(_));
        let written = if waiting.is_empty() || last {
            sink.send(message).await
        } else {
            sink.feed(message).await
        };
        if written.is_err() || last {
            return;
        }
    }
}
