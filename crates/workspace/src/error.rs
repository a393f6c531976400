//! What can be wrong with a workspace, worded for the person who asked for it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a workspace cannot be used. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The path does not start at the root.
    #[error("{0} is not an absolute path: give it from the root, like /home/ada/project")]
    Relative(PathBuf),
    /// Nothing is there.
    #[error(
        "there is nothing at {0}: check the path, or create the folder and run `git init` in it"
    )]
    Missing(PathBuf),
    /// A file or a device is there.
    #[error("{0} is not a folder: give the folder that holds the repository")]
    NotADirectory(PathBuf),
    /// The folder is not the top of a git repository.
    #[error(
        "{0} is not a git repository: give the repository's top folder, or run `git init` in this one"
    )]
    NotARepository(PathBuf),
    /// The folder, or the git folder it refers to, is not beneath an allowed root.
    #[error(
        "{0} lies outside the folders this server may open: choose one beneath them, or have its parent added to the allowed roots"
    )]
    OutsideRoots(PathBuf),
    /// The repository was there once and is no longer.
    #[error("the repository {0} is gone: put it back where it was, or end the session")]
    Gone(PathBuf),
    /// A session id that cannot be the name of a folder and a branch.
    #[error("{0:?} cannot name a session's folder: use 1 to 64 letters, digits and dashes")]
    BadSession(String),
    /// The git program could not be started.
    #[error(
        "git could not be started: install git 2.31 or newer on the machine the runner works on"
    )]
    NoGit(#[source] io::Error),
    /// Git answered with an error, or not in time.
    #[error("git could not {doing} in {repository}: {message}")]
    Git {
        /// What was tried, as a verb phrase.
        doing: &'static str,
        /// Where it was tried.
        repository: PathBuf,
        /// What git said.
        message: String,
    },
    /// The file system refused.
    #[error("could not {doing} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WorkspaceError {
    /// A short, stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Relative(_) => "workspace_relative",
            Self::Missing(_) => "workspace_missing",
            Self::NotADirectory(_) => "workspace_not_a_directory",
            Self::NotARepository(_) => "workspace_not_a_repository",
            Self::OutsideRoots(_) => "workspace_outside_roots",
            Self::Gone(_) => "workspace_gone",
            Self::BadSession(_) => "session_bad",
            Self::NoGit(_) => "git_missing",
            Self::Git { .. } => "git_failed",
            Self::Io { .. } => "workspace_io",
        }
    }

    /// For `map_err`: what was tried on which path.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}
