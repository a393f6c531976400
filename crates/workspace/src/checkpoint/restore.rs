//! Bringing a checkpoint back, after showing what that does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tokio::fs;

use super::record::Entry;
use super::{Changes, Checkpoint, LeftOut, Places, read, write};
use crate::{WorkspaceError, Worktree, git};

/// How many files are fetched from git at once.
const BATCH: usize = 32;

/// What a restore would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The tree as it is now; a restore names it, to be refused if it is another by then.
    pub now: String,
    /// From now to what would be restored.
    pub changes: Changes,
    /// Paths the restore would overwrite although they changed since the newest checkpoint, or hold something no
    /// checkpoint has. While there is one, a restore is refused; taking a checkpoint first clears the former kind.
    pub conflicts: Vec<PathBuf>,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The state before: restoring it undoes this restore.
    pub before: Checkpoint,
    /// The state after.
    pub after: Checkpoint,
}

/// Why a checkpoint is not brought back. Nothing was changed, but for [`RestoreError::Workspace`].
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The files changed after the preview.
    #[error("files changed since the preview: look at it again, then restore")]
    Changed {
        /// The tree as it is now.
        now: String,
    },
    /// Others changed the same paths.
    #[error("{} would be lost: take a checkpoint or move the files away, then restore", listed(.0))]
    Conflicts(Vec<PathBuf>),
    /// Git or the file system failed. Restoring again goes on where it stopped.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

fn listed(paths: &[PathBuf]) -> String {
    let shown: Vec<_> = paths
        .iter()
        .take(5)
        .map(|path| format!("{}", path.display()))
        .collect();
    match paths.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Worktree {
    /// What bringing back commit or tree `to` would do.
    pub async fn restore_preview(&self, to: &str) -> Result<Preview, WorkspaceError> {
        let to = self.tree_of(to).await?;
        let (now, conflicts) = {
            let _alone = self.alone().await?;
            let (now, left_out) = self.record().await?;
            let conflicts = self.conflicts(&now, &to, &left_out).await?;
            (now, conflicts)
        };
        let changes = self.changes(&now, &to).await?;
        Ok(Preview {
            now,
            changes,
            conflicts,
        })
    }

    /// Makes the tree what it was at commit or tree `to`, if it still is `expected_now`. What is there is recorded
    /// first. Ignored files stay. A restore that was cut off is finished by asking for it again.
    pub async fn restore(&self, to: &str, expected_now: &str) -> Result<Restored, RestoreError> {
        let to = self.tree_of(to).await?;
        let _alone = self.alone().await?;
        let places = Places::of(self);
        let before = match self.interrupted(&to, expected_now).await? {
            Some(before) => before,
            None => self.begin(&to, expected_now).await?,
        };
        let (now, _) = self.record().await?;
        self.bring_back(self.entries(&now, &to).await?).await?;
        let after = self.take("restored").await?;
        fs::remove_file(&places.intent)
            .await
            .map_err(WorkspaceError::io("remove", &places.intent))?;
        Ok(Restored { before, after })
    }

    /// Checks what may stop a restore, records the present and notes what is about to be done.
    async fn begin(&self, to: &str, expected_now: &str) -> Result<Checkpoint, RestoreError> {
        let (now, left_out) = self.record().await?;
        if now != expected_now {
            return Err(RestoreError::Changed { now });
        }
        let conflicts = self.conflicts(&now, to, &left_out).await?;
        if !conflicts.is_empty() {
            return Err(RestoreError::Conflicts(conflicts));
        }
        let before = self.take("before a restore").await?;
        if before.tree != now {
            return Err(RestoreError::Changed { now: before.tree });
        }
        let note = format!("{to} {now} {}", before.commit);
        write(&Places::of(self).intent, &note).await?;
        Ok(before)
    }

    /// The state before the same restore, if one was cut off.
    async fn interrupted(
        &self,
        to: &str,
        expected_now: &str,
    ) -> Result<Option<Checkpoint>, WorkspaceError> {
        let note = read(&Places::of(self).intent).await.unwrap_or_default();
        let words: Vec<&str> = note.split(' ').collect();
        let [noted_to, now, commit] = words[..] else {
            return Ok(None);
        };
        if noted_to != to || now != expected_now {
            return Ok(None);
        }
        Ok(Some(Checkpoint {
            tree: now.to_owned(),
            commit: commit.to_owned(),
            unchanged: true,
            left_out: LeftOut::default(),
        }))
    }

    async fn conflicts(
        &self,
        now: &str,
        to: &str,
        left_out: &LeftOut,
    ) -> Result<Vec<PathBuf>, WorkspaceError> {
        let mut foreign = BTreeSet::new();
        if let Some(last) = self.last_checkpoint().await {
            let last = self.tree_of(&last).await?;
            let changed = self.entries(&last, now).await?;
            foreign.extend(changed.into_iter().map(|entry| entry.path));
        }
        let entries = self.entries(now, to).await?;
        let going: BTreeSet<PathBuf> = entries
            .iter()
            .filter(|entry| entry.is_deleted())
            .map(|entry| entry.path.clone())
            .collect();
        let mut conflicts = BTreeSet::new();
        for entry in entries {
            if foreign.contains(&entry.path) || left_out.holds(&entry.path) {
                conflicts.insert(entry.path);
            } else if entry.is_new() {
                conflicts.extend(self.in_the_way(&entry.path, &going).await);
            }
        }
        Ok(conflicts.into_iter().collect())
    }

    /// What no checkpoint holds and lies where `path` is to be, or where one of its folders is to be.
    async fn in_the_way(&self, path: &Path, going: &BTreeSet<PathBuf>) -> Option<PathBuf> {
        for place in path
            .ancestors()
            .filter(|place| !place.as_os_str().is_empty())
        {
            let meta = fs::symlink_metadata(self.tree.join(place)).await;
            if meta.is_ok_and(|meta| !meta.is_dir()) && !going.contains(place) {
                return Some(place.to_owned());
            }
        }
        None
    }

    async fn bring_back(&self, entries: Vec<Entry>) -> Result<(), WorkspaceError> {
        let (going, coming): (Vec<_>, Vec<_>) = entries.into_iter().partition(Entry::is_deleted);
        // A repository inside the tree is left as it is, whichever commit of it is recorded.
        let own = |entry: &Entry| entry.mode != "160000" && entry.old_mode != "160000";
        let going: Vec<_> = going
            .into_iter()
            .filter(own)
            .map(|entry| entry.path)
            .collect();
        let coming: Vec<_> = coming
            .into_iter()
            .filter(|entry| entry.mode != "160000")
            .collect();
        let tree = self.tree.clone();
        blocking(move || write::remove(&tree, &going)).await?;
        for batch in coming.chunks(BATCH) {
            let files = self.contents(batch).await?;
            let tree = self.tree.clone();
            blocking(move || write::replace(&tree, &files)).await?;
        }
        Ok(())
    }

    async fn contents(&self, batch: &[Entry]) -> Result<Vec<write::Content>, WorkspaceError> {
        let mut git = git::apart(self, &Places::of(self).index);
        git.args(["cat-file", "--batch"]);
        let ids: Vec<&str> = batch.iter().map(|entry| entry.id.as_str()).collect();
        let ids = ids.join("\n") + "\n";
        let all = git::fed(git, ids.as_bytes(), "read a checkpoint", &self.tree).await?;
        let mut rest = all.as_slice();
        let mut files = Vec::new();
        for entry in batch {
            let bytes = blob(&mut rest).ok_or_else(|| WorkspaceError::Git {
                doing: "read a checkpoint",
                repository: self.tree.clone(),
                message: format!("{} is not in the repository any more", entry.id),
            })?;
            files.push(write::Content {
                path: entry.path.clone(),
                mode: entry.mode.clone(),
                bytes,
            });
        }
        Ok(files)
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<(), WorkspaceError> + Send + 'static,
) -> Result<(), WorkspaceError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(WorkspaceError::Io {
            doing: "restore",
            path: PathBuf::from("the worktree"),
            source: std::io::Error::other(error),
        })
    })
}

/// Takes one object from what `cat-file --batch` put out: a line with its size, its bytes, a newline.
fn blob(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&rest[..end]).ok()?;
    let size: usize = line.rsplit(' ').next()?.parse().ok()?;
    let bytes = rest.get(end + 1..end + 1 + size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    Some(bytes)
}
