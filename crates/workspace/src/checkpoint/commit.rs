//! Commits on the session's branch, as a person asks for them.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use tokio::fs;
use tokio::process::Command;

use super::Places;
use super::record::Entry;
use crate::{WorkspaceError, Worktree, git, inside};

/// Who a commit is by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: String,
}

/// Why there is no commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// No word of what it is about.
    #[error("the commit has no message: say in a line what changed")]
    NoMessage,
    /// Nothing differs from the branch.
    #[error("there is nothing to commit: the files are as they are on the branch")]
    Nothing,
    /// Somebody switched to another branch in the worktree.
    #[error("the worktree is on {0:?} and not on the session's branch: switch back in a terminal")]
    OtherBranch(String),
    /// Another git command is at work.
    #[error("another git command is at work in this worktree: wait for its end, then commit")]
    Busy,
    /// Git or the file system failed.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

/// Says who a commit is by.
pub(super) fn signed(git: &mut Command, name: &str, email: &str) {
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), name)
            .env(format!("GIT_{who}_EMAIL"), email);
    }
}

impl Worktree {
    /// Commits the files as they are, or only those at or beneath `paths`, on the session's branch, and gives back
    /// the commit's id. No hook runs. What else is staged stays staged; with all files, nothing else is left.
    pub async fn commit(
        &self,
        message: &str,
        author: &Author,
        paths: Option<&[PathBuf]>,
    ) -> Result<String, CommitError> {
        if message.trim().is_empty() {
            return Err(CommitError::NoMessage);
        }
        let _alone = self.alone().await?;
        let parent = self.check_commit().await?;
        let lines = self.lines(&parent, paths).await?;
        let tree = self.tree_with(&parent, &lines).await?;
        if tree == self.tree_of(&parent).await? {
            return Err(CommitError::Nothing);
        }
        let mut git = git::apart(self, &Places::of(self).index);
        signed(&mut git, &author.name, &author.email);
        git.args(["commit-tree", &tree, "-p", &parent, "-F", "-"]);
        let commit = git::fed(git, message.as_bytes(), "commit", &self.tree).await?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        let name = format!("refs/heads/{}", self.branch);
        let message = "commit from Duplex";
        let update = ["update-ref", "-m", message, &name, &commit, &parent];
        inside::git(self, &update, b"", "move the session's branch").await?;
        self.stage(&commit, paths.is_none(), &lines).await?;
        self.bring(true).await?;
        Ok(commit)
    }

    /// The commit that the next one follows.
    async fn check_commit(&self) -> Result<String, CommitError> {
        let carried = self.bring(true).await?;
        let on = carried.on.unwrap_or_else(|| "no branch".to_owned());
        let on = on.strip_prefix("refs/heads/").unwrap_or(&on);
        if on != self.branch {
            return Err(CommitError::OtherBranch(on.to_owned()));
        }
        let lock = self.entry.join("index.lock");
        if fs::symlink_metadata(lock).await.is_ok() {
            return Err(CommitError::Busy);
        }
        match carried.tip {
            Some(tip) => Ok(tip),
            None => Ok(self.base().await?),
        }
    }

    /// What the commit changes, as `update-index --index-info` reads it: what goes, then what comes.
    async fn lines(
        &self,
        parent: &str,
        paths: Option<&[PathBuf]>,
    ) -> Result<Vec<u8>, WorkspaceError> {
        let (now, _) = self.record().await?;
        let mut entries = self.entries(parent, &now).await?;
        if let Some(paths) = paths {
            let chosen = |entry: &Entry| paths.iter().any(|path| entry.path.starts_with(path));
            entries.retain(chosen);
        }
        entries.sort_by_key(|entry| !entry.is_deleted());
        let mut lines = Vec::new();
        for entry in entries {
            // There, but not recorded: too large, or a repository of its own.
            let there = fs::symlink_metadata(self.tree.join(&entry.path))
                .await
                .is_ok();
            let folded = entry.is_deleted() && there && !self.is_folder(&entry).await;
            if folded {
                continue;
            }
            let mode = if entry.is_deleted() { "0" } else { &entry.mode };
            lines.extend_from_slice(format!("{mode} {}\t", entry.id).as_bytes());
            lines.extend_from_slice(entry.path.as_os_str().as_bytes());
            lines.push(0);
        }
        Ok(lines)
    }

    /// A file that became a folder is gone; a repository inside the tree is a folder and is there.
    async fn is_folder(&self, entry: &Entry) -> bool {
        let meta = fs::symlink_metadata(self.tree.join(&entry.path)).await;
        entry.old_mode != "160000" && meta.is_ok_and(|meta| meta.is_dir())
    }

    async fn tree_with(&self, parent: &str, lines: &[u8]) -> Result<String, WorkspaceError> {
        let index = Places::of(self).folder.join("duplex.commit");
        let mut read = git::apart(self, &index);
        read.args(["read-tree", parent]);
        git::run(read, "read the branch", &self.tree).await?;
        let mut change = git::apart(self, &index);
        change.args(["update-index", "-z", "--index-info"]);
        git::fed(change, lines, "prepare the commit", &self.tree).await?;
        self.write_tree(&index).await
    }

    /// The session's index: what was committed is not shown as a change any more.
    async fn stage(&self, commit: &str, all: bool, lines: &[u8]) -> Result<(), WorkspaceError> {
        let doing = "update what is staged";
        if all {
            inside::git(self, &["read-tree", commit], b"", doing).await?;
        } else {
            let args = ["update-index", "-z", "--index-info"];
            inside::git(self, &args, lines, doing).await?;
        }
        let refresh = ["update-index", "-q", "--ignore-submodules", "--refresh"];
        // It fails where a file differs, which is no fault.
        let _ = inside::git(self, &refresh, b"", doing).await;
        Ok(())
    }
}
