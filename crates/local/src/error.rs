//! Why a private server could not be started.

use std::io;
use std::path::PathBuf;

/// A server cannot be started. Each variant is one sentence for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A program is not installed.
    #[error("{program} was not found: run `make setup`, or {or}")]
    Missing {
        /// The program.
        program: &'static str,
        /// What else helps.
        or: &'static str,
    },
    /// A program is there, but too old.
    #[error("{} is version {found}, but {needed} or newer is needed: {because}", path.display())]
    TooOld {
        /// The program.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: String,
        /// What the old one lacks.
        because: &'static str,
    },
    /// A program does not say its version.
    #[error("{} does not tell its version: {said:?}", path.display())]
    NoVersion {
        /// The program.
        path: PathBuf,
        /// What it printed instead.
        said: String,
    },
    /// The store was written by another major version.
    #[error("the database in {} was made by Postgres {found}, which is not installed: install it, or choose another data folder", folder.display())]
    OtherPostgres {
        /// The cluster.
        folder: PathBuf,
        /// The version that made it.
        found: String,
    },
    /// Postgres does not run as root, and its own user cannot reach the folder.
    #[error("Postgres runs as the user {user}, who may not enter {}: choose another data folder, or allow it with `chmod o+x`", folder.display())]
    Unreachable {
        /// The closed folder.
        folder: PathBuf,
        /// The user.
        user: String,
    },
    /// There is no user to run Postgres as.
    #[error(
        "Postgres does not run as root, and this machine has no user postgres or nobody: run Duplex as another user"
    )]
    NoUser,
    /// The server ended instead of starting.
    #[error("{server} stopped while starting ({status}): {last}")]
    Stopped {
        /// Which.
        server: &'static str,
        /// How it ended.
        status: String,
        /// The last thing it said.
        last: String,
    },
    /// The server did not answer in time.
    #[error("{server} did not get ready within {seconds} seconds; its log is {}", log.display())]
    NotReady {
        /// Which.
        server: &'static str,
        /// How long it had.
        seconds: u64,
        /// Where it says why.
        log: PathBuf,
    },
    /// A helper program failed.
    #[error("{program} failed: {last}")]
    Failed {
        /// Which.
        program: &'static str,
        /// The last thing it said.
        last: String,
    },
    /// A database's name has other letters than a to z, digits and `_`.
    #[error("{0:?} is no name for a database: use a to z, digits and _")]
    BadName(String),
    /// A file, a folder or a process could not be handled.
    #[error("cannot {doing}")]
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl StartError {
    /// For `map_err`: an input or output error with what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
