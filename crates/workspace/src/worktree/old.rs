//! Worktrees of sessions begun before each had a git folder of its own: git kept them in the repository.

use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::process::Command;

use crate::{WorkspaceError, git};

/// Git numbers its worktree folders; the one of `tree` is the one that points back at it.
pub(super) async fn entry_of(origin: &Path, tree: &Path) -> Option<PathBuf> {
    let wanted = tree.join(".git");
    let mut folders = fs::read_dir(origin.join("worktrees")).await.ok()?;
    while let Ok(Some(folder)) = folders.next_entry().await {
        let back = fs::read_to_string(folder.path().join("gitdir"))
            .await
            .unwrap_or_default();
        if Path::new(back.trim_end()) == wanted {
            return Some(folder.path());
        }
    }
    None
}

/// Copies HEAD, index and whatever a rebase or merge under way has there. The session's processes may have made it, so
/// links are copied as links, which cp(1) promises with this flag.
pub(super) async fn copy(old: &Path, new: &Path) -> Result<(), WorkspaceError> {
    let mut cp = Command::new("cp");
    cp.args(["-a", "--"]).arg(old.join(".")).arg(new);
    git::run(cp, "move the session's worktree", old)
        .await
        .map(|_| ())
}
