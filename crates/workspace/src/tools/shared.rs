//! What the calls of one session have in common: the working folder and the commands in the background.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder::Folder;
use super::jobs::Jobs;
use crate::Worktree;

/// What the calls of one session have in common. Dropping it ends every command in the background.
#[derive(Debug)]
pub struct Shared {
    folder: Mutex<Folder>,
    pub(super) jobs: Jobs,
}

impl Shared {
    /// Takes up where the session's earlier calls left off, a restart of the server included: the working folder is
    /// the one they ended in. Commands in the background did not survive it.
    #[must_use]
    pub fn new(worktree: &Worktree) -> Self {
        Self {
            folder: Mutex::new(Folder::remembered(worktree)),
            jobs: Jobs::default(),
        }
    }

    /// Ends every command in the background with all its processes; returns when they are gone.
    pub async fn end(&self) {
        self.jobs.end().await;
    }

    /// Whether a command runs in the background.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.jobs.run()
    }

    /// The folder the next command starts in, absolute. If it has gone, the worktree itself.
    #[must_use]
    pub fn working_folder(&self, worktree: &Worktree) -> PathBuf {
        self.folder().checked(worktree)
    }

    pub(super) fn folder(&self) -> MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
