//! What a tool call is given: where, within what, up to what.

use std::sync::Arc;
use std::time::Duration;

use super::{Network, Shared};
use crate::record::Room;
use crate::{Sandbox, Worktree};

/// What a tool call acts on.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where.
    pub worktree: Worktree,
    /// Within what.
    pub sandbox: Sandbox,
    /// Up to what.
    pub limits: Limits,
    /// What the calls of a session have in common; made once for each session.
    pub shared: Arc<Shared>,
    /// Whether pages can be fetched, and by what.
    pub network: Network,
}

impl Context {
    /// A session's context with the usual limits and no network.
    #[must_use]
    pub fn new(worktree: Worktree, sandbox: Sandbox, shared: Arc<Shared>) -> Self {
        Self {
            worktree,
            sandbox,
            limits: Limits::default(),
            shared,
            network: Network::Off,
        }
    }
}

/// The bounds of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a call may run when the model does not say.
    pub time: Duration,
    /// How long a command may run at most.
    pub max_time: Duration,
    /// Bytes of output that are streamed; the rest is dropped with a notice.
    pub streamed: usize,
    /// Bytes of output after which a command is stopped.
    pub printed: usize,
    /// Bytes of one long output that are kept to be read on.
    pub kept: usize,
    /// Bytes of a session's long outputs that are kept; the oldest go first.
    pub kept_in_all: u64,
    /// Commands that may run in the background at the same time.
    pub jobs: usize,
}

impl Limits {
    pub(crate) fn room(&self) -> Room {
        Room {
            call: self.kept,
            session: self.kept_in_all,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_mins(2),
            max_time: Duration::from_mins(10),
            streamed: 10 * 1024 * 1024,
            printed: 100 * 1024 * 1024,
            kept: 20 * 1000 * 1000,
            kept_in_all: 200 * 1000 * 1000,
            jobs: 16,
        }
    }
}
