//! The tree as it is now, written as a git tree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tokio::fs;

use super::{LARGEST, LeftOut, Places};
use crate::{WorkspaceError, Worktree, git};

/// What has to be brought into the index.
#[derive(Default)]
struct Found {
    /// Paths to read anew, each ended by a zero byte.
    read: Vec<u8>,
    /// Paths to take out, each ended by a zero byte.
    remove: Vec<u8>,
    left_out: LeftOut,
}

impl Worktree {
    /// The id of the present tree. Only files whose time or size changed are read.
    pub(crate) async fn record(&self) -> Result<(String, LeftOut), WorkspaceError> {
        // What cannot be carried is told by who asks for that; the files are recorded all the same.
        let _ = self.bring(false).await;
        let index = Places::of(self).index;
        self.fill(&index).await?;
        let mut found = Found::default();
        self.changed(&index, &mut found).await?;
        self.added(&index, &mut found).await?;
        self.update(&index, &found).await?;
        let forced = self.ignored_but_committed(&index).await?;
        self.enter(&index, &forced).await?;
        found.left_out.large.sort();
        found.left_out.nested.sort();
        Ok((self.write_tree(&index).await?, found.left_out))
    }

    pub(crate) async fn write_tree(&self, index: &Path) -> Result<String, WorkspaceError> {
        let mut git = git::apart(self, index);
        git.arg("write-tree");
        git::run(git, "record the tree", &self.tree).await
    }

    /// A new index begins with what is committed, so that ignored files which are in the repository count.
    async fn fill(&self, index: &Path) -> Result<(), WorkspaceError> {
        if fs::try_exists(index).await.unwrap_or(false) {
            return Ok(());
        }
        let head = self.head().await?;
        let mut git = git::apart(self, index);
        git.args(["read-tree", &head]);
        git::run(git, "read the newest commit", &self.tree).await?;
        Ok(())
    }

    async fn changed(&self, index: &Path, found: &mut Found) -> Result<(), WorkspaceError> {
        let mut refresh = git::apart(self, index);
        refresh.args(["update-index", "-q", "--ignore-submodules", "--refresh"]);
        // It fails where a file changed, which is what is asked next.
        let _ = git::output(refresh, "look at files", &self.tree).await;
        let mut git = git::apart(self, index);
        git.args([
            "diff-files",
            "--name-status",
            "-z",
            "--no-renames",
            "--ignore-submodules=all",
        ]);
        let list = git::output(git, "look at files", &self.tree).await?;
        let mut words = list.split(|byte| *byte == 0);
        while let (Some(status), Some(path)) = (words.next(), words.next()) {
            if status == b"D" {
                found.remove(path);
            } else {
                self.weigh(path, found).await;
            }
        }
        Ok(())
    }

    async fn added(&self, index: &Path, found: &mut Found) -> Result<(), WorkspaceError> {
        let mut git = git::apart(self, index);
        git.args(["ls-files", "--others", "--exclude-standard", "-z"]);
        let list = git::output(git, "look for new files", &self.tree).await?;
        for path in list
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            match path.strip_suffix(b"/") {
                Some(nested) => found.left_out.nested.push(path_of(nested)),
                None => self.weigh(path, found).await,
            }
        }
        Ok(())
    }

    async fn weigh(&self, path: &[u8], found: &mut Found) {
        let meta = fs::symlink_metadata(self.tree.join(path_of(path))).await;
        match meta {
            Ok(meta) if meta.is_file() && meta.len() > LARGEST => {
                found.left_out.large.push(path_of(path));
            }
            _ => {
                found.read.extend_from_slice(path);
                found.read.push(0);
            }
        }
    }

    async fn update(&self, index: &Path, found: &Found) -> Result<(), WorkspaceError> {
        if !found.remove.is_empty() {
            let mut git = git::apart(self, index);
            git.args(["update-index", "--force-remove", "-z", "--stdin"]);
            git::fed(git, &found.remove, "record deleted files", &self.tree).await?;
        }
        self.enter(index, &found.read).await
    }

    /// Files that are committed and there but not in the index: somebody added ignored ones by force.
    async fn ignored_but_committed(&self, index: &Path) -> Result<Vec<u8>, WorkspaceError> {
        let head = self.head().await?;
        let mut git = git::apart(self, index);
        git.args([
            "diff-index",
            "--cached",
            "--diff-filter=D",
            "--name-only",
            "-z",
        ]);
        git.args(["--no-renames", &head]);
        let list = git::output(git, "look for committed files", &self.tree).await?;
        let mut there = Vec::new();
        for path in list
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
        {
            let meta = fs::symlink_metadata(self.tree.join(path_of(path))).await;
            if meta.is_ok_and(|meta| !meta.is_dir() && meta.len() <= LARGEST) {
                there.extend_from_slice(path);
                there.push(0);
            }
        }
        Ok(there)
    }
}

impl Found {
    fn remove(&mut self, path: &[u8]) {
        self.remove.extend_from_slice(path);
        self.remove.push(0);
    }
}

/// One path's content in a tree beside the one in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Git's mode before, in octal digits; zeros if it was not there.
    pub(super) old_mode: String,
    /// Git's mode now; zeros if it is there no more.
    pub(super) mode: String,
    /// The object it is now; zeros if it is there no more.
    pub(super) id: String,
    pub(super) path: PathBuf,
}

impl Entry {
    pub(super) fn is_deleted(&self) -> bool {
        self.mode == "000000"
    }

    pub(super) fn is_new(&self) -> bool {
        self.old_mode == "000000"
    }
}

impl Worktree {
    /// What differs between two trees, path by path.
    pub(super) async fn entries(&self, from: &str, to: &str) -> Result<Vec<Entry>, WorkspaceError> {
        let mut git = git::apart(self, &Places::of(self).index);
        git.args([
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            "--no-abbrev",
        ]);
        git.args(["--no-ext-diff", from, to]);
        let list = git::output(git, "compare checkpoints", &self.tree).await?;
        let mut words = list.split(|byte| *byte == 0);
        let mut entries = Vec::new();
        while let (Some(line), Some(path)) = (words.next(), words.next()) {
            let line = String::from_utf8_lossy(line);
            let parts: Vec<&str> = line.trim_start_matches(':').split(' ').collect();
            if let [old_mode, mode, _, id, ..] = parts[..] {
                entries.push(Entry {
                    old_mode: old_mode.to_owned(),
                    mode: mode.to_owned(),
                    id: id.to_owned(),
                    path: path_of(path),
                });
            }
        }
        Ok(entries)
    }
}

/// A path as git puts it out with `-z`.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
