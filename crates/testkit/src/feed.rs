//! A page's socket, with the fold that a page has.

use crate::{DEADLINE, Person};
use anyhow::{Context as _, bail};
use duplex_domain::{Command, ItemKind, Picture, Seq, SessionId, TerminalId};
use duplex_wire::mirror::{Shown, Step};
use duplex_wire::{Down, Present, Screenful, Up};
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// How many bytes are drawn before the server is told.
const TELL_AFTER: u64 = 32 * 1024;

/// One tab watching one session.
pub struct Feed {
    /// The session as this tab sees it.
    pub picture: Picture,
    /// Everything each terminal put out since this tab was opened, screens replaced.
    pub terminals: HashMap<TerminalId, Vec<u8>>,
    /// How many screens came in the place of what was shown.
    pub screens: usize,
    /// Who watches the session.
    pub present: Vec<Present>,
    /// Whether this tab tells the server what it has drawn, at once.
    pub draws: bool,
    /// Commands that were refused: id, code, message.
    pub refused: Vec<(String, String, String)>,
    /// Commands that are in the log.
    pub accepted: Vec<(String, Seq)>,
    /// How many bytes came over the socket.
    pub received: usize,
    /// Whether everything that was there has come.
    pub synced: bool,
    session: SessionId,
    /// How much of its output each terminal shows.
    shown: HashMap<TerminalId, Shown>,
    /// Bytes of terminals that came, and how many of them the server knows to be drawn.
    came: u64,
    told: u64,
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
            screens: 0,
            present: Vec::new(),
            draws: false,
            refused: Vec::new(),
            accepted: Vec::new(),
            received: 0,
            synced: false,
            session,
            shown: HashMap::new(),
            came: 0,
            told: 0,
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
            Message::Binary(bytes) => {
                self.take_screenful(&Screenful::decode(&bytes)?)?;
                if self.draws && self.came - self.told >= TELL_AFTER {
                    self.has_drawn().await?;
                }
            }
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
                self.shown.clear();
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
            Down::Presence { people, .. } => self.present = people,
            Down::Welcome { .. } | Down::Beat { .. } | Down::Pong {} => {}
        }
    }

    /// Takes a terminal's bytes in as a page does. A gap that no screen fills is an error.
    fn take_screenful(&mut self, screenful: &Screenful<'_>) -> anyhow::Result<()> {
        let terminal = screenful.terminal;
        self.came += screenful.bytes.len() as u64;
        let shown = self.shown.entry(terminal).or_default();
        let bytes = self.terminals.entry(terminal).or_default();
        let before = shown.offset();
        match shown.take(screenful) {
            Step::Draw => {
                self.screens += 1;
                bytes.clear();
                bytes.extend_from_slice(screenful.bytes);
            }
            Step::Write(without) => {
                bytes.extend_from_slice(screenful.bytes.get(without..).unwrap_or_default());
            }
            Step::Resize(_) | Step::Skip => {}
            Step::Gap => bail!("a gap from byte {before} to {}", screenful.offset),
        }
        Ok(())
    }

    /// Tells the server that all that came is drawn.
    ///
    /// # Errors
    /// When the socket is closed.
    pub async fn has_drawn(&mut self) -> anyhow::Result<()> {
        self.told = self.came;
        let (session, bytes) = (self.session, self.came);
        self.send(&Up::Drawn { session, bytes }).await
    }

    /// How many bytes of its output a terminal shows.
    #[must_use]
    pub fn offset(&self, terminal: TerminalId) -> u64 {
        let shown = self.shown.get(&terminal);
        shown.map_or(0, |shown| shown.offset())
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
