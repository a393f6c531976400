//! The keyboard of a terminal.

use super::{Exited, Master, pty_size};
use crate::{Echo, Size};
use bytes::Bytes;
use rustix::termios::LocalModes;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Input waits in pieces of this many bytes, so that what waits is bounded.
const PIECE: usize = 4096;

/// The terminal has ended and reads no more keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the terminal has ended")]
pub struct Closed;

/// Keys were not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotTaken {
    /// The terminal has ended.
    #[error("the terminal has ended")]
    Closed,
    /// The program does not read.
    #[error("the program does not read its input")]
    Full,
}

/// Writes to a terminal. Cheap to clone.
#[derive(Clone)]
pub struct Input {
    keys: mpsc::Sender<Bytes>,
    exit: Exited,
    // The settings are read and written in microseconds, never across an await.
    master: Arc<Mutex<Master>>,
}

impl Input {
    pub(super) fn new(keys: mpsc::Sender<Bytes>, exit: Exited, master: Master) -> Self {
        Self {
            keys,
            exit,
            master: Arc::new(Mutex::new(master)),
        }
    }

    /// Types `bytes`; waits while the program does not read. Bytes of one call stay together up to 4 KiB.
    ///
    /// # Errors
    /// [`Closed`] if the terminal has ended; what was typed before may have been read.
    pub async fn write(&self, mut bytes: Bytes) -> Result<(), Closed> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            // A terminal whose program has ended may still swallow keys.
            tokio::select! {
                biased;
                _ = self.exit.wait() => return Err(Closed),
                sent = self.keys.send(piece) => sent.map_err(|_| Closed)?,
            }
        }
        Ok(())
    }

    /// Types `bytes` if there is room at once: for answers to the program's own questions, which must never hold
    /// up its output.
    ///
    /// # Errors
    /// [`NotTaken::Full`] if the program does not read, [`NotTaken::Closed`] if the terminal has ended.
    pub fn try_write(&self, bytes: Bytes) -> Result<(), NotTaken> {
        if self.exit.now().is_some() {
            return Err(NotTaken::Closed);
        }
        self.keys.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotTaken::Full,
            mpsc::error::TrySendError::Closed(_) => NotTaken::Closed,
        })
    }

    /// What the terminal does with keys right now. If it cannot be told it counts as [`Echo::Hidden`].
    #[must_use]
    pub fn echo(&self) -> Echo {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(settings) = master.get_termios() else {
            return Echo::Hidden;
        };
        let modes = LocalModes::from_bits_retain(settings.local_flags.bits());
        match (
            modes.contains(LocalModes::ICANON),
            modes.contains(LocalModes::ECHO),
        ) {
            (true, true) => Echo::Echo,
            (true, false) => Echo::Hidden,
            (false, _) => Echo::Raw,
        }
    }

    /// Tells the program its new size, clamped. Nothing happens if the terminal has ended.
    pub fn resize(&self, size: Size) {
        let master = self.master.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = master.resize(pty_size(size)) {
            tracing::debug!("a terminal could not be resized: {error:#}");
        }
    }
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("closed", &self.keys.is_closed())
            .finish_non_exhaustive()
    }
}
