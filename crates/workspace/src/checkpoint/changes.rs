//! What differs between two states of the tree.

use std::collections::HashMap;
use std::path::PathBuf;

use super::record::path_of;
use super::{Places, patch};
use crate::{WorkspaceError, Worktree, git};

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was not there before.
    Added,
    /// Its content or its executable bit is another.
    Modified,
    /// It is there no more.
    Deleted,
    /// It was at `old_path` before, with the same or nearly the same content.
    Renamed,
    /// A file became a link or a repository, or the other way round.
    Typechange,
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Where it is, or was if it is deleted. Relative to the tree, in the bytes the file system has.
    pub path: PathBuf,
    /// Where it was before it was renamed.
    pub old_path: Option<PathBuf>,
    /// What happened.
    pub status: Status,
    /// Lines that came; 0 for binary files.
    pub added: u64,
    /// Lines that went; 0 for binary files.
    pub removed: u64,
    /// The content is not text.
    pub binary: bool,
}

/// The difference between two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// In the order of their paths.
    pub files: Vec<FileChange>,
    /// A unified diff: each file's part begins with a line `diff --git`, in the order of `files`. A part over
    /// 128 KiB, and what is beyond 1 MiB in all, is cut with a line that says so.
    pub diff: String,
}

impl Worktree {
    /// What differs from commit or tree `from` to `to`.
    pub async fn changes(&self, from: &str, to: &str) -> Result<Changes, WorkspaceError> {
        let (from, to) = (self.tree_of(from).await?, self.tree_of(to).await?);
        let files = self.files(&from, &to, "-M").await?;
        let git = self.diff(&from, &to, &["-M", "-p", "--no-color", "--full-index"]);
        let diff = patch::read(git, &self.tree).await?;
        Ok(Changes { files, diff })
    }

    /// What differs from commit or tree `from` to the files as they are now.
    pub async fn changes_now(&self, from: &str) -> Result<Changes, WorkspaceError> {
        let now = {
            let _alone = self.alone().await?;
            self.record().await?.0
        };
        self.changes(from, &now).await
    }

    /// `renames`: git's option for finding them, or not.
    pub(crate) async fn files(
        &self,
        from: &str,
        to: &str,
        renames: &str,
    ) -> Result<Vec<FileChange>, WorkspaceError> {
        let status = self.diff(from, to, &[renames, "--name-status", "-z"]);
        let status = git::output(status, "compare checkpoints", &self.tree).await?;
        let counts = self.diff(from, to, &[renames, "--numstat", "-z"]);
        let counts = counted(&git::output(counts, "compare checkpoints", &self.tree).await?);
        let mut words = status.split(|byte| *byte == 0);
        let mut files = Vec::new();
        while let (Some(letter), Some(first)) = (words.next(), words.next()) {
            let status = status_of(letter);
            let moved = status == Status::Renamed;
            let second = if moved { words.next() } else { None };
            let path = path_of(second.unwrap_or(first));
            let count = counts.get(&path).copied().unwrap_or(Some((0, 0)));
            let (added, removed) = count.unwrap_or((0, 0));
            files.push(FileChange {
                old_path: moved.then(|| path_of(first)),
                path,
                status,
                added,
                removed,
                binary: count.is_none(),
            });
        }
        Ok(files)
    }

    fn diff(&self, from: &str, to: &str, options: &[&str]) -> tokio::process::Command {
        let mut git = git::apart(self, &Places::of(self).index);
        git.args(["diff-tree", "-r", "--no-ext-diff", "--no-textconv"])
            .args(options)
            .args([from, to]);
        git
    }
}

fn status_of(letter: &[u8]) -> Status {
    match letter.first() {
        Some(b'A') => Status::Added,
        Some(b'D') => Status::Deleted,
        Some(b'R') => Status::Renamed,
        Some(b'T') => Status::Typechange,
        _ => Status::Modified,
    }
}

/// Lines that came and went for each path; nothing for binary files.
fn counted(list: &[u8]) -> HashMap<PathBuf, Option<(u64, u64)>> {
    let mut words = list.split(|byte| *byte == 0);
    let mut counts = HashMap::new();
    while let Some(word) = words.next().filter(|word| !word.is_empty()) {
        let mut parts = word.splitn(3, |byte| *byte == b'\t');
        let (added, removed) = (number(parts.next()), number(parts.next()));
        let mut path = parts.next().unwrap_or_default();
        if path.is_empty() {
            // Renamed: the old path and the new one follow.
            words.next();
            path = words.next().unwrap_or_default();
        }
        counts.insert(path_of(path), added.zip(removed));
    }
    counts
}

fn number(word: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(word?).ok()?.parse().ok()
}
