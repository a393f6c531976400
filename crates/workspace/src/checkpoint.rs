//! What a session's worktree looked like: recorded, compared, and brought back.
//!
//! Recording uses an index and a git folder of its own beside the tree, so that the user's index, HEAD, branch and
//! stash stay as they are, and no setting or attribute of the repository is read. Files are recorded byte for byte.

mod blobs;
mod changes;
mod commit;
mod patch;
mod record;
mod restore;
mod write;

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::fs;

use crate::{WorkspaceError, Worktree, git};

pub use changes::{Changes, FileChange, Status};
pub use commit::{Author, CommitError};
pub use restore::{Preview, RestoreError, Restored};

/// A file larger than this is left out of checkpoints: 10 MiB, in bytes.
pub const LARGEST: u64 = 10 * 1024 * 1024;

/// Outranks every `.gitattributes`: nothing is converted, filtered or compared by a driver.
const ATTRIBUTES: &str =
    "* -text -eol -crlf -ident -filter -working-tree-encoding !diff !merge !whitespace\n";

/// A state of the tree that can be brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The git tree with all files.
    pub tree: String,
    /// The commit that keeps the tree; its message is the label.
    pub commit: String,
    /// Nothing changed since the checkpoint before, which this one therefore is.
    pub unchanged: bool,
    /// What is not in it.
    pub left_out: LeftOut,
}

/// What a checkpoint does not hold, and a restore does not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// New or changed files larger than [`LARGEST`].
    pub large: Vec<PathBuf>,
    /// Repositories inside the tree, which have a history of their own.
    pub nested: Vec<PathBuf>,
}

impl LeftOut {
    /// Whether `path` is one of them, or lies in one.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        self.large.iter().any(|large| large == path)
            || self.nested.iter().any(|nested| path.starts_with(nested))
    }
}

/// The files beside the tree that recording needs.
pub(crate) struct Places {
    /// Git's own folder for it.
    pub(crate) folder: PathBuf,
    /// The index that knows the tree as last recorded.
    pub(crate) index: PathBuf,
    /// Names the newest checkpoint.
    pub(crate) last: PathBuf,
    /// Names the commit the session started from.
    pub(crate) base: PathBuf,
    /// What was carried into the repository last.
    pub(crate) carried: PathBuf,
    /// The repository's branches and tags as the session was told them.
    pub(crate) given: PathBuf,
    /// There while a restore is under way: what it restores.
    pub(crate) intent: PathBuf,
}

impl Places {
    pub(crate) fn of(worktree: &Worktree) -> Self {
        let folder = git::apart_folder(worktree);
        Self {
            index: folder.join("duplex.index"),
            last: folder.join("duplex.last"),
            base: folder.join("duplex.base"),
            carried: folder.join("duplex.carried"),
            given: folder.join("duplex.given"),
            intent: folder.join("duplex.restoring"),
            folder,
        }
    }
}

/// A word written to one of the [`Places`], or nothing.
pub(crate) async fn read(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).await.ok()?;
    Some(text.trim_end().to_owned()).filter(|text| !text.is_empty())
}

/// Replaces a file whole or not at all.
pub(crate) async fn write(path: &Path, text: &str) -> Result<(), WorkspaceError> {
    let spare = path.with_extension("new");
    fs::write(&spare, text)
        .await
        .map_err(WorkspaceError::io("write", &spare))?;
    fs::rename(&spare, path)
        .await
        .map_err(WorkspaceError::io("replace", path))
}

impl Worktree {
    /// The commit the session started from.
    pub async fn base(&self) -> Result<String, WorkspaceError> {
        let path = Places::of(self).base;
        read(&path).await.ok_or(WorkspaceError::Gone(path))
    }

    /// The name of the session's branch, without `refs/heads/`.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Records everything in the tree, untracked files that are not ignored too, under `label`. The commit is kept
    /// by a reference `refs/duplex/<session>/<n>`. If nothing changed, the newest checkpoint is given again.
    pub async fn checkpoint(&self, label: &str) -> Result<Checkpoint, WorkspaceError> {
        let _alone = self.alone().await?;
        let checkpoint = self.take(label).await?;
        // The next one tries again; the files are kept all the same.
        let _ = self.tell_names().await;
        Ok(checkpoint)
    }

    /// The newest checkpoint's commit, if there is one.
    pub async fn last_checkpoint(&self) -> Option<String> {
        read(&Places::of(self).last).await
    }

    pub(crate) async fn take(&self, label: &str) -> Result<Checkpoint, WorkspaceError> {
        let (tree, left_out) = self.record().await?;
        let last = self.last_checkpoint().await;
        if let Some(commit) = &last
            && self.tree_of(commit).await? == tree
        {
            return Ok(Checkpoint {
                tree,
                commit: commit.clone(),
                unchanged: true,
                left_out,
            });
        }
        let commit = self.keep(&tree, last.as_deref(), label).await?;
        Ok(Checkpoint {
            tree,
            commit,
            unchanged: false,
            left_out,
        })
    }

    /// Makes the commit of a tree and the reference that keeps both.
    pub(crate) async fn keep(
        &self,
        tree: &str,
        parent: Option<&str>,
        label: &str,
    ) -> Result<String, WorkspaceError> {
        let places = Places::of(self);
        let mut git = git::apart(self, &places.index);
        commit::signed(&mut git, "Duplex", "duplex@duplex.invalid");
        git.args(["commit-tree", tree, "-F", "-"]);
        if let Some(parent) = parent {
            git.args(["-p", parent]);
        }
        let message = if label.trim().is_empty() {
            "checkpoint"
        } else {
            label
        };
        let commit = git::fed(git, message.as_bytes(), "write a checkpoint", &self.tree).await?;
        let commit = String::from_utf8_lossy(&commit).trim().to_owned();
        self.refer(&commit).await?;
        write(&places.last, &commit).await?;
        Ok(commit)
    }

    async fn refer(&self, commit: &str) -> Result<(), WorkspaceError> {
        let folder = format!("refs/duplex/{}", self.session());
        let mut list = git::on_origin(self);
        list.args(["for-each-ref", "--format=%(refname)", &folder]);
        let list = git::run(list, "list checkpoints", &self.tree).await?;
        let numbers = list
            .lines()
            .filter_map(|name| name.rsplit('/').next()?.parse::<u64>().ok());
        let next = numbers.max().unwrap_or(0).saturating_add(1);
        let mut git = git::on_origin(self);
        git.args(["update-ref", &format!("{folder}/{next}"), commit, ""]);
        git::run(git, "keep a checkpoint", &self.tree).await?;
        Ok(())
    }

    /// The tree of a commit, or of a tree itself. Words that are no object ids are refused: they could be options.
    pub(crate) async fn tree_of(&self, id: &str) -> Result<String, WorkspaceError> {
        if !matches!(id.len(), 40 | 64) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(WorkspaceError::Git {
                doing: "find a checkpoint",
                repository: self.tree.clone(),
                message: format!("{id:?} is not the id of a commit or tree"),
            });
        }
        let mut git = git::apart(self, &Places::of(self).index);
        git.args([
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{id}^{{tree}}"),
        ]);
        git::run(git, "find a checkpoint", &self.tree).await
    }

    /// One at a time: recording and restoring share an index. A lock of git's that is still there is a dead one's.
    pub(crate) async fn alone(&self) -> Result<File, WorkspaceError> {
        let places = Places::of(self);
        let file = crate::worktree::lock(&places.folder).await?;
        let _ = fs::remove_file(places.folder.join("duplex.index.lock")).await;
        Ok(file)
    }

    /// Makes the folder for recording and remembers that the session starts at commit `base`, once.
    pub(crate) async fn start(&self, base: &str) -> Result<(), WorkspaceError> {
        let places = Places::of(self);
        if read(&places.base).await.is_some() {
            return self.close(&places).await;
        }
        let format = git::format_of(self).await?;
        let mut init = git::command(&self.repository);
        init.args(["init", "--quiet", "--bare", "--template="])
            .arg(format!("--object-format={format}"))
            .arg(&places.folder);
        git::run(init, "prepare for checkpoints", &self.tree).await?;
        let info = places.folder.join("info");
        fs::create_dir_all(&info)
            .await
            .map_err(WorkspaceError::io("create", &info))?;
        write(&info.join("attributes"), ATTRIBUTES).await?;
        self.close(&places).await?;
        write(&places.base, base).await
    }

    /// The session's user has no business there.
    async fn close(&self, places: &Places) -> Result<(), WorkspaceError> {
        fs::set_permissions(&places.folder, Permissions::from_mode(0o700))
            .await
            .map_err(WorkspaceError::io("close", &places.folder))
    }
}
