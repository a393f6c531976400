//! One terminal: a shell on a PTY, its screen, and what of both reaches the log.

mod keys;
mod output;
mod task;

use crate::scribe::Scribe;
use duplex_domain::{Size, TerminalEnd, TerminalId};
use duplex_eventlog::PressedKey;
use duplex_terminal::{Allowance, Command, Launch, SealKey, SpawnError, spawn};
use duplex_workspace::Worktree;
use std::sync::Arc;
use std::time::Duration;
use task::Task;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// How many orders may wait: keys of fast typists and pastes.
const ORDERS: usize = 256;

/// What the holder tells a shell.
pub enum Order {
    /// Somebody typed, and may.
    Keys(Box<PressedKey>),
    /// The size is another one.
    Resize(Size),
    /// Of what is typed only counts are kept from here on, or no longer so.
    Private(bool),
    /// Of what is typed only counts are kept from here on, for good.
    Forget,
    /// Say what the terminal shows.
    Read(oneshot::Sender<Reading>),
    /// Type a command and say what came of it, or why it cannot be typed.
    Run {
        /// The command's line.
        line: String,
        /// Who waits for its end.
        reply: oneshot::Sender<Result<Command, String>>,
    },
    /// End it.
    Close,
}

/// What a terminal shows.
#[derive(Debug)]
pub struct Reading {
    /// Its rows, top to bottom.
    pub screen: Vec<String>,
    /// Its newest command, if its shell tells of them.
    pub last: Option<Command>,
}

/// How a shell ended.
#[derive(Clone, Copy, Debug)]
pub struct Over {
    /// Which terminal.
    pub terminal: TerminalId,
    /// How.
    pub end: TerminalEnd,
}

/// A running shell, as its holder sees it.
pub struct Shell {
    /// Its orders.
    pub orders: mpsc::Sender<Order>,
    /// The size last ordered.
    pub size: Size,
    /// Whether it was told that typing is private.
    pub private: bool,
    /// Whether it was told to keep nothing of what is typed.
    pub forgets: bool,
    _task: AbortOnDropHandle<()>,
}

/// Where a shell writes, and within what.
#[derive(Clone)]
pub struct Outlets {
    /// The output lane.
    pub output: Scribe,
    /// The input lane.
    pub input: Scribe,
    /// Seals what was typed; none where nothing of it is kept.
    pub key: Option<SealKey>,
    /// What must not be shown.
    pub secrets: Arc<Vec<String>>,
    /// How much of the output the log keeps.
    pub allowance: Allowance,
    /// A terminal that nobody types into, and that puts nothing out, is closed after so long.
    pub idle: Duration,
    /// Where its end is told.
    pub over: mpsc::Sender<Over>,
    /// What was committed there is carried into the repository whenever output rests.
    pub worktree: Worktree,
}

impl Shell {
    /// Starts a shell.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        terminal: TerminalId,
        launch: &Launch,
        size: Size,
        outlets: Outlets,
    ) -> Result<Self, SpawnError> {
        let pty = spawn(launch, screen_size(size))?;
        let (orders, incoming) = mpsc::channel(ORDERS);
        let forgets = outlets.key.is_none();
        let task = Task::new(terminal, size, outlets);
        let task = AbortOnDropHandle::new(tokio::spawn(task.run(pty, incoming)));
        Ok(Self {
            orders,
            size,
            private: false,
            forgets,
            _task: task,
        })
    }
}

fn screen_size(size: Size) -> duplex_terminal::Size {
    duplex_terminal::Size {
        cols: size.cols,
        rows: size.rows,
    }
}
