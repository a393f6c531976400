//! A keyboard and what is printed: the same program behind Duplex, and behind a bare relay.

use crate::socket::{Received, Socket};
use anyhow::bail;
use duplex_domain::{Blob, Command, SessionId, Size, TerminalId};
use duplex_testkit::Person;
use duplex_wire::{Down, Screenful, ScreenfulKind, Up};
use uuid::Uuid;

/// The size of both terminals.
pub(crate) const COLS: u16 = 80;
/// The size of both terminals.
pub(crate) const ROWS: u16 = 24;

/// Ends with a program that says nothing, so that what comes back is the terminal's echo. Split, so that the echo of
/// the command itself is not taken for its output.
const QUIET: &[u8] = b"printf 're''ady\\n'; exec cat > /dev/null\r";

/// One terminal, over one socket.
pub(crate) enum Line {
    /// Through the durable log.
    Duplex {
        socket: Socket,
        session: SessionId,
        terminal: TerminalId,
    },
    /// Through nothing.
    Bare(Socket),
}

impl Line {
    /// Opens a terminal in a session.
    pub async fn duplex(person: &Person, session: SessionId) -> anyhow::Result<Self> {
        let mut socket = Socket::of(person).await?;
        let after = None;
        socket.say(&Up::Watch { session, after }).await?;
        let id = Uuid::now_v7();
        let size = Size {
            cols: COLS,
            rows: ROWS,
        };
        let command = Command::OpenTerminal { size };
        socket.say(&asked(id, session, command)).await?;
        let terminal = TerminalId(id);
        let line = Self::Duplex {
            socket,
            session,
            terminal,
        };
        line.quieted().await
    }

    /// Opens a terminal behind the bare relay.
    pub async fn bare(url: &str) -> anyhow::Result<Self> {
        Self::Bare(Socket::open(url).await?).quieted().await
    }

    /// Waits for the shell's prompt, then starts the quiet program.
    async fn quieted(mut self) -> anyhow::Result<Self> {
        self.output().await?;
        self.types(QUIET).await?;
        self.prints(b"ready\r\n").await?;
        Ok(self)
    }

    pub async fn types(&mut self, keys: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::Bare(socket) => socket.send(keys).await,
            Self::Duplex {
                socket,
                session,
                terminal,
            } => {
                let data = Blob(keys.to_vec());
                let terminal = *terminal;
                let command = Command::Type { terminal, data };
                socket.say(&asked(Uuid::now_v7(), *session, command)).await
            }
        }
    }

    /// Waits until `text` has been printed.
    pub async fn prints(&mut self, text: &[u8]) -> anyhow::Result<()> {
        let mut printed = Vec::new();
        while !printed.windows(text.len()).any(|window| window == text) {
            printed.extend(self.output().await?);
        }
        Ok(())
    }

    /// The next output.
    async fn output(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            match self {
                Self::Bare(socket) => {
                    if let Received::Binary(bytes) = socket.next().await? {
                        return Ok(bytes.to_vec());
                    }
                }
                Self::Duplex {
                    socket, terminal, ..
                } => match socket.next().await? {
                    Received::Binary(bytes) => {
                        let screenful = Screenful::decode(&bytes)?;
                        let output = screenful.kind == ScreenfulKind::Output;
                        if output && screenful.terminal == *terminal {
                            return Ok(screenful.bytes.to_vec());
                        }
                    }
                    Received::Text(text) => refused(&text)?,
                },
            }
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

/// Fails when a command was refused.
fn refused(text: &str) -> anyhow::Result<()> {
    match serde_json::from_str(text)? {
        Down::Refused { code, message, .. } => bail!("refused: {code}: {message}"),
        _ => Ok(()),
    }
}
