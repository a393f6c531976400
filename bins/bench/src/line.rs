//! A keyboard and what is printed: the same program behind Duplex, and behind a bare relay.

use crate::socket::{Received, Socket};
use anyhow::bail;
use duplex_domain::{Blob, Command, Event, SessionId, Size, TerminalId};
use duplex_testkit::Person;
use duplex_wire::{Down, Screenful, ScreenfulKind, Up};
use uuid::Uuid;

/// The size of both terminals.
pub(crate) const COLS: u16 = 80;
/// The size of both terminals.
pub(crate) const ROWS: u16 = 24;

/// How many bytes are drawn before the server is told.
const TELL_AFTER: u64 = 32 * 1024;

/// Ends with a program that says nothing, so that what comes back is the terminal's echo. Split, so that the echo of
/// the command itself is not taken for its output.
const QUIET: &[u8] = b"printf 're''ady\\n'; exec cat > /dev/null\r";

/// One terminal, over one socket.
pub(crate) enum Line {
    /// Through the durable log.
    Duplex(Watching),
    /// Through nothing.
    Bare(Socket),
}

/// One terminal of a session, watched as a page does: what is drawn is told to the server.
pub(crate) struct Watching {
    socket: Socket,
    session: SessionId,
    pub terminal: TerminalId,
    /// Bytes of the terminal that came, and how many of them the server knows to be drawn.
    pub came: u64,
    told: u64,
    /// Bytes that the log does not have.
    pub elided: u64,
    /// Whether all that was there has come.
    pub synced: bool,
}

impl Watching {
    /// Opens a socket and watches a terminal of a session.
    pub async fn open(
        person: &Person,
        session: SessionId,
        terminal: TerminalId,
    ) -> anyhow::Result<Self> {
        let mut socket = Socket::of(person).await?;
        let after = None;
        socket.say(&Up::Watch { session, after }).await?;
        let mut watching = Self {
            socket,
            session,
            terminal,
            came: 0,
            told: 0,
            elided: 0,
            synced: false,
        };
        watching.has_drawn().await?;
        Ok(watching)
    }

    /// The next output, or the next screen in the place of output.
    pub async fn next(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            let bytes = match self.socket.next().await? {
                Received::Binary(bytes) => bytes,
                Received::Text(text) => {
                    self.take(&text)?;
                    continue;
                }
            };
            let screenful = Screenful::decode(&bytes)?;
            self.came += screenful.bytes.len() as u64;
            if self.came - self.told >= TELL_AFTER {
                self.has_drawn().await?;
            }
            if screenful.kind != ScreenfulKind::Size && screenful.terminal == self.terminal {
                return Ok(screenful.bytes.to_vec());
            }
        }
    }

    async fn has_drawn(&mut self) -> anyhow::Result<()> {
        self.told = self.came;
        let (session, bytes) = (self.session, self.came);
        self.socket.say(&Up::Drawn { session, bytes }).await
    }

    fn take(&mut self, text: &str) -> anyhow::Result<()> {
        match serde_json::from_str(text)? {
            Down::Refused { code, message, .. } => bail!("refused: {code}: {message}"),
            Down::Synced { .. } => self.synced = true,
            Down::Events { events, .. } => {
                let events = events.iter().flat_map(|frame| &frame.events);
                let left_out = events.filter_map(|envelope| match &envelope.event {
                    Event::OutputElided { from, to, .. } => Some(to - from),
                    _ => None,
                });
                self.elided += left_out.sum::<u64>();
            }
            _ => {}
        }
        Ok(())
    }

    async fn asks(&mut self, id: Uuid, command: Command) -> anyhow::Result<()> {
        let up = asked(id, self.session, command);
        self.socket.say(&up).await
    }
}

impl Line {
    /// Opens a terminal in a session, and waits for its prompt.
    pub async fn duplex(person: &Person, session: SessionId) -> anyhow::Result<Self> {
        let id = Uuid::now_v7();
        let mut watching = Watching::open(person, session, TerminalId(id)).await?;
        let size = Size {
            cols: COLS,
            rows: ROWS,
        };
        watching.asks(id, Command::OpenTerminal { size }).await?;
        watching.next().await?;
        Ok(Self::Duplex(watching))
    }

    /// Opens a terminal behind the bare relay, and waits for its prompt.
    pub async fn bare(url: &str) -> anyhow::Result<Self> {
        let mut line = Self::Bare(Socket::open(url).await?);
        line.output().await?;
        Ok(line)
    }

    /// Starts the quiet program.
    pub async fn quieted(mut self) -> anyhow::Result<Self> {
        self.types(QUIET).await?;
        self.prints(b"ready\r\n").await?;
        Ok(self)
    }

    pub async fn types(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Bare(socket) => socket.send(keys).await,
            Self::Duplex(watching) => {
                let (terminal, data) = (watching.terminal, Blob(keys.to_vec()));
                let command = Command::Type { terminal, data };
                watching.asks(Uuid::now_v7(), command).await
            }
        }
    }

    /// Waits until `text` has been printed. Answers how many bytes came.
    pub async fn prints(&mut self, text: &[u8]) -> anyhow::Result<u64> {
        let (mut came, mut tail) = (0, Vec::new());
        loop {
            let output = self.output().await?;
            came += output.len() as u64;
            tail.extend(output);
            if tail.windows(text.len()).any(|window| window == text) {
                return Ok(came);
            }
            // What may still be the beginning of the text.
            let kept = tail.len().saturating_sub(text.len());
            tail.drain(..kept);
        }
    }

    /// The next output.
    pub async fn output(&mut self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Duplex(watching) => watching.next().await,
            Self::Bare(socket) => loop {
                if let Received::Binary(bytes) = socket.next().await? {
                    return Ok(bytes.to_vec());
                }
            },
        }
    }
}

fn asked(id: Uuid, session: SessionId, command: Command) -> Up {
    let id = id.simple().to_string();
    Up::Command {
        id,
        session,
        command,
    }
}
