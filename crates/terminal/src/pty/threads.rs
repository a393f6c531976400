//! The two threads of a terminal, for reading and writing block.

use super::{Exited, Master};
use bytes::Bytes;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{QueueSelector, tcflush};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc;

/// A read gives 3 to 22 KB whatever the buffer, so this is never the limit.
const READ: usize = 64 * 1024;
/// How many pieces of input wait for the program to read.
const KEYS: usize = 64;
/// How often, and how long apart, a writer that is stuck is freed.
const TRIES: usize = 250;
const APART: Duration = Duration::from_millis(20);

/// Reads until the terminal ends or nobody takes what was read. The thread ends with the last process that
/// holds the terminal open.
pub(super) fn read(
    program: i32,
    mut from: Box<dyn Read + Send>,
    to: mpsc::Sender<Bytes>,
) -> io::Result<()> {
    let reading = move || {
        let mut buffer = vec![0; READ];
        // The end of a session shows as an error (EIO), not as an end of file.
        while let Some(read) = next(&mut from, &mut buffer) {
            if to
                .blocking_send(Bytes::copy_from_slice(&buffer[..read]))
                .is_err()
            {
                return;
            }
        }
    };
    named(format!("pty-r-{program}"), reading).map(drop)
}

fn next(from: &mut impl Read, buffer: &mut [u8]) -> Option<usize> {
    loop {
        match from.read(buffer) {
            Ok(0) => return None,
            Ok(read) => return Some(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// The thread that writes keys.
pub(super) struct Writer {
    pub(super) keys: mpsc::Sender<Bytes>,
    thread: JoinHandle<()>,
    terminal: Option<PathBuf>,
}

/// Writes until the program has ended.
pub(super) fn write(
    program: i32,
    mut to: Box<dyn Write + Send>,
    master: &Master,
    exit: Exited,
) -> io::Result<Writer> {
    let (keys, mut pieces) = mpsc::channel::<Bytes>(KEYS);
    let writing = move || {
        while let Some(piece) = pieces.blocking_recv() {
            if exit.now().is_some() || to.write_all(&piece).is_err() {
                return;
            }
        }
    };
    Ok(Writer {
        keys,
        thread: named(format!("pty-w-{program}"), writing)?,
        terminal: master.tty_name(),
    })
}

impl Writer {
    /// Ends the thread once the program has ended, and not before: its end types an end of file.
    ///
    /// A write that waits for the program to read is not woken by the program's end (measured on Linux 6.18), so
    /// what nobody will read is thrown away.
    pub(super) async fn end_after(self, exit: Exited) {
        exit.wait().await;
        // Wakes a thread that waits for keys; one that is busy looks by itself.
        let _ = self.keys.try_send(Bytes::new());
        for _ in 0..TRIES {
            if self.thread.is_finished() {
                return;
            }
            tokio::time::sleep(APART).await;
            if let Some(Err(error)) = self.terminal.as_deref().map(throw_away_input) {
                tracing::debug!("an ended terminal's input could not be thrown away: {error}");
            }
        }
        tracing::warn!("a thread that writes to an ended terminal is stuck");
    }
}

/// The writer still holds the terminal open, so its name belongs to no other.
fn throw_away_input(terminal: &Path) -> rustix::io::Result<()> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(terminal, flags, Mode::empty())?;
    tcflush(terminal, QueueSelector::IFlush)
}

fn named(name: String, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name).spawn(work)
}
