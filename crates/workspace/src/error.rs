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
    /// The branch in the repository is neither where the session left it nor older than what the session has.
    #[error(
        "the branch {0} was moved by others, so the session's commits are not put on it: rename or delete it in the repository, and it comes back as the session has it"
    )]
    BranchMoved(String),
    /// Somebody works on the branch in the repository.
    #[error(
        "the branch {0} is checked out in the repository, so the session's commits are not put on it: switch to another branch there"
    )]
    BranchInUse(String),
    /// The session's own user could not read the repository's objects.
    #[error(
        "{0} can be read by its owner alone, but sessions have users of their own: run `chmod -R o+rX` on it and `git config core.sharedRepository 0644` in the repository, or start the runner with DUPLEX_SESSION_USERS=none"
    )]
    Closed(PathBuf),
    /// The session's files belong to a user that the server cannot become as it was started.
    #[error(
        "the files of this session belong to the user {0}: start the runner as root and with its sandbox, as before"
    )]
    OtherUser(u32),
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
            Self::BranchMoved(_) => "branch_moved",
            Self::BranchInUse(_) => "branch_in_use",
            Self::Closed(_) => "workspace_closed",
            Self::OtherUser(_) => "session_other_user",
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
