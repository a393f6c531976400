//! A page's socket, with the fold that a page has.

use crate::{DEADLINE, Person};
use anyhow::{Context as _, bail};
use duplex_domain::{Command, ItemKind, Picture, Seq, SessionId, TerminalId};
use duplex_wire::{Down, Screenful, ScreenfulKind, Up};
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// One tab watching one session.
pub struct Feed {
    /// The session as this tab sees it.
    pub picture: Picture,
    /// Everything each terminal put out since this tab was opened, screens replaced.
    pub terminals: HashMap<TerminalId, Vec<u8>>,
    /// Commands that were refused: id, code, message.
    pub refused: Vec<(String, String, String)>,
    /// Commands that are in the log.
    pub accepted: Vec<(String, Seq)>,
    /// How many bytes came over the socket.
    pub received: usize,
    /// Whether everything that was there has come.
    pub synced: bool,
    session: SessionId,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Feed {
    pub(crate) async fn open(
        person: &Person,
        session: SessionId,
        after: Option<Seq>,
    ) -> anyhow::Result<Self> {
        let url = format!("{}/api/feed", person.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(&person.cookie)?);
        headers.insert("origin", HeaderValue::from_str(&person.url)?);
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        let mut feed = Self {
            picture: Picture::new(session),
            terminals: HashMap::new(),
            refused: Vec::new(),
            accepted: Vec::new(),
            received: 0,
            synced: false,
            session,
            socket,
        };
        feed.send(&Up::Watch { session, after }).await?;
        Ok(feed)
    }

    /// Sends anything.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send(&mut self, up: &Up) -> anyhow::Result<()> {
        self.send_text(serde_json::to_string(up)?).await
    }

    /// Sends any text.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn send_text(&mut self, text: String) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(text)).await?)
    }

    /// Gives a command over the socket and returns its id.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn commands(&mut self, command: Command) -> anyhow::Result<Uuid> {
        let uuid = Uuid::now_v7();
        let (id, session) = (uuid.simple().to_string(), self.session);
        let up = Up::Command {
            id,
            session,
            command,
        };
        self.send(&up).await?;
        Ok(uuid)
    }

    /// Takes in the next message.
    ///
    /// # Errors
    /// When the socket is closed or the deadline has passed.
    pub async fn next(&mut self) -> anyhow::Result<()> {
        let message = tokio::time::timeout(DEADLINE, self.socket.next()).await;
        let message = message.context("the socket was silent")?;
        let message = message.context("the socket ended")??;
        self.received += message.len();
        match message {
            Message::Text(text) => self.take(serde_json::from_str(&text)?),
            Message::Binary(bytes) => self.take_screenful(&Screenful::decode(&bytes)?),
            Message::Close(frame) => bail!("the socket was closed: {frame:?}"),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    fn take(&mut self, down: Down) {
        match down {
            Down::Snapshot { picture, .. } => {
                self.picture = *picture;
                self.terminals.clear();
            }
            Down::Events { session, events } => {
                for frame in events {
                    self.picture.apply(&frame.recorded(session));
                }
            }
            Down::Synced { .. } => self.synced = true,
            Down::Accepted { id, seq } => self.accepted.push((id, seq)),
            Down::Refused {
                id, code, message, ..
            } => self.refused.push((id, code, message)),
            Down::Welcome { .. } | Down::Beat { .. } | Down::Pong {} => {}
        }
    }

    fn take_screenful(&mut self, screenful: &Screenful<'_>) {
        let bytes = self.terminals.entry(screenful.terminal).or_default();
        if screenful.kind == ScreenfulKind::Screen {
            bytes.clear();
        }
        bytes.extend_from_slice(screenful.bytes);
    }

    /// Waits until this tab shows what is expected.
    ///
    /// # Errors
    /// Says what was waited for, with what is shown instead.
    pub async fn sees(&mut self, what: &str, shows: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !shows(self) {
            if begun.elapsed() > DEADLINE {
                bail!("waited in vain for {what}; shown is {:#?}", self.picture);
            }
            let next = self.next().await;
            next.with_context(|| format!("waiting for {what}; shown is {:#?}", self.picture))?;
        }
        Ok(())
    }

    /// Waits until no turn runs, nothing waits, and at least one turn was started.
    ///
    /// # Errors
    /// When it takes too long.
    pub async fn sees_rest(&mut self) -> anyhow::Result<()> {
        self.sees("the agent to rest", |feed| {
            let session = &feed.picture.session;
            session.turns > 0 && session.turn.is_none() && session.queue.is_empty()
        })
        .await
    }

    /// The agent's words so far, of all answers.
    #[must_use]
    pub fn text(&self) -> String {
        let items = self.picture.transcript.items.iter();
        let texts = items.filter_map(|item| match &item.kind {
            ItemKind::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// What a terminal put out, as text.
    #[must_use]
    pub fn printed(&self, terminal: TerminalId) -> String {
        let bytes = self.terminals.get(&terminal);
        bytes.map_or_else(String::new, |bytes| {
            String::from_utf8_lossy(bytes).into_owned()
        })
    }
}
