//! A program on a pseudo-terminal.

mod batch;
mod input;
mod process;
mod threads;

use crate::Size;
use bytes::Bytes;
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::error::Error;
use std::io;
use std::path::PathBuf;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

pub use input::{Closed, Input, NotTaken};
pub use process::{Exit, Exited, Process};

/// How many batches of output wait for the reader of [`Pty::output`]. What waits is shown before a prompt that follows a
/// Ctrl-C, so it is little.
const OUTPUT: usize = 2;
/// How many reads wait for the batcher.
const READS: usize = 16;

type Master = Box<dyn MasterPty + Send>;

/// What to start, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Launch {
    /// Full path of the program: the shell, or the sandbox that starts it.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub args: Vec<String>,
    /// The whole environment; nothing is inherited. A `SHELL` is added if there is none.
    pub env: Vec<(String, String)>,
    /// Full path of the folder to start in.
    pub cwd: PathBuf,
}

/// A program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A relative path would be looked up in a folder nobody named.
    #[error("the program {0} must be given by its full path")]
    RelativeProgram(PathBuf),
    /// The folder is missing, is not a folder, or its path is relative.
    #[error("there is no folder {0} to start in; give the full path of one that exists")]
    NoFolder(PathBuf),
    /// The system has no pseudo-terminal left.
    #[error("the system gave no pseudo-terminal; close other terminals and try again")]
    NoPty(#[source] Box<dyn Error + Send + Sync>),
    /// There is no such program, or it cannot be run.
    #[error("{program} could not be started; check that it is there and may be run")]
    Start {
        /// What was to be started.
        program: PathBuf,
        /// Why it was not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The system is out of threads or descriptors.
    #[error(
        "the system has no room to watch over the program; close other terminals and try again"
    )]
    Watch(#[source] io::Error),
    /// Called from a thread outside the tokio runtime.
    #[error("a terminal can only be started from within the runtime")]
    NoRuntime,
}

/// A running program and its terminal.
///
/// Take it apart to give each piece to its owner. The program lives as long as `process`: dropping that ends it.
#[derive(Debug)]
pub struct Pty {
    /// What the program prints, in batches of at most 128 KiB, cut anywhere. It must be read: while 2 batches
    /// wait nothing more is read and the kernel stops the program. Ends with the program.
    pub output: mpsc::Receiver<Bytes>,
    /// The keyboard.
    pub input: Input,
    /// How the program ended, once it has.
    pub exit: Exited,
    /// The program itself.
    pub process: Process,
}

impl Pty {
    /// Ends the program, see [`Process::kill`].
    pub async fn kill(&self) {
        self.process.kill().await;
    }
}

/// Starts a program on a new terminal: own session, controlling terminal, no descriptors above 2, no signal
/// handling inherited.
///
/// # Errors
/// Says what is missing, or that the system is out of resources.
pub fn spawn(launch: &Launch, size: Size) -> Result<Pty, SpawnError> {
    let runtime = Handle::try_current().map_err(|_| SpawnError::NoRuntime)?;
    let command = command(launch)?;
    let pair = native_pty_system()
        .openpty(pty_size(size))
        .map_err(|e| SpawnError::NoPty(e.into()))?;
    let master = pair.master;
    let reader = master
        .try_clone_reader()
        .map_err(|e| SpawnError::NoPty(e.into()))?;
    let writer = master
        .take_writer()
        .map_err(|e| SpawnError::NoPty(e.into()))?;

    let start = |source| SpawnError::Start {
        program: launch.program.clone(),
        source,
    };
    let child = pair
        .slave
        .spawn_command(command)
        .map_err(|e| start(e.into()))?;
    // Held open here, the terminal would never report its end.
    drop(pair.slave);
    let (process, exit) = Process::watch(child, &runtime)?;

    let (read, reads) = mpsc::channel(READS);
    let (batches, output) = mpsc::channel(OUTPUT);
    let writer = threads::write(process.id(), writer, &master, exit.clone());
    let writer = writer.map_err(SpawnError::Watch)?;
    let input = Input::new(writer.keys.clone(), exit.clone(), master);
    threads::read(process.id(), reader, read).map_err(SpawnError::Watch)?;
    let ended = exit.clone();
    runtime.spawn(async move {
        batch::run(reads, batches, ended.clone()).await;
        // Not earlier: the end of file it types would be echoed into the output.
        writer.end_after(ended).await;
    });
    Ok(Pty {
        output,
        input,
        exit,
        process,
    })
}

fn command(launch: &Launch) -> Result<CommandBuilder, SpawnError> {
    if !launch.program.is_absolute() {
        return Err(SpawnError::RelativeProgram(launch.program.clone()));
    }
    if !launch.cwd.is_absolute() || !launch.cwd.is_dir() {
        return Err(SpawnError::NoFolder(launch.cwd.clone()));
    }
    let mut command = CommandBuilder::new(&launch.program);
    command.args(&launch.args);
    command.cwd(&launch.cwd);
    command.env_clear();
    for (name, value) in &launch.env {
        command.env(name, value);
    }
    Ok(command)
}

fn pty_size(size: Size) -> PtySize {
    let size = size.clamped();
    PtySize {
        cols: size.cols,
        rows: size.rows,
        pixel_width: 0,
        pixel_height: 0,
    }
}
