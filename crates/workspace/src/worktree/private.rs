//! A session's own git folder and the tree that belongs to it.

use std::fs::FileTimes;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::fs;

use super::{give, make_private, old, set_mode, settings};
use crate::beneath::{Beneath, PathError};
use crate::carry::names;
use crate::checkpoint::{Places, write};
use crate::{WorkspaceError, Worktree, git, inside};

/// The first of January 2100, in seconds since 1970.
const FAR_AHEAD: u64 = 4_102_444_800;

/// There once the tree was checked out, and nothing but what the session does changes it.
const READY: &str = "ready";

/// Puts the tree on the session's branch, which begins at the given commit if there is none.
const CHECK_OUT: &str = r#"
rm -f "$1/index.lock"
git rev-parse --verify --quiet "refs/heads/$2^{commit}" >/dev/null || git update-ref "refs/heads/$2" "$3"
git symbolic-ref HEAD "refs/heads/$2"
git -c core.hooksPath=/dev/null -c core.fsmonitor=false reset --quiet --hard
"#;

impl Worktree {
    /// Another user than the repository's owner and the server reads its objects, as far as their folders go.
    pub(super) async fn check_readable(&self) -> Result<(), WorkspaceError> {
        if self.user.is_none() {
            return Ok(());
        }
        let objects = self.origin.join("objects");
        let mut folders = vec![objects.clone()];
        let mut list = fs::read_dir(&objects)
            .await
            .map_err(WorkspaceError::io("list", &objects))?;
        while let Ok(Some(entry)) = list.next_entry().await {
            folders.push(entry.path());
        }
        for folder in folders {
            let meta = fs::metadata(&folder).await;
            if meta.is_ok_and(|meta| meta.is_dir() && meta.permissions().mode() & 0o005 != 0o005) {
                return Err(WorkspaceError::Closed(objects));
            }
        }
        Ok(())
    }

    /// Makes what is missing: the git folder, whose branch begins at `start`, and the tree.
    pub(super) async fn prepare(&self, start: &str) -> Result<(), WorkspaceError> {
        let old = old::entry_of(&self.origin, &self.tree).await;
        if fs::metadata(&self.common).await.is_err() {
            self.make(start, old.as_deref()).await?;
        }
        self.settle().await?;
        let ready = self.etc.join(READY);
        let there = self.tree_is_there();
        if !there {
            self.make_tree().await?;
        }
        let checked_out = old.is_some() || fs::metadata(&ready).await.is_ok();
        if !(there && checked_out) {
            let entry = self.entry.to_string_lossy();
            let args = [entry.as_ref(), &self.branch, start];
            inside::script(self, CHECK_OUT, &args, "make the session's worktree").await?;
        }
        write(&ready, "ready").await?;
        self.point().await?;
        if let Some(old) = old {
            fs::remove_dir_all(&old)
                .await
                .map_err(WorkspaceError::io("remove", &old))?;
        }
        Ok(())
    }

    /// The git folder, whole or not at all.
    async fn make(&self, start: &str, old: Option<&Path>) -> Result<(), WorkspaceError> {
        let folder = self.folder().join("repo.new");
        if fs::metadata(&folder).await.is_ok() {
            fs::remove_dir_all(&folder)
                .await
                .map_err(WorkspaceError::io("remove", &folder))?;
        }
        let format = git::format_of(self).await?;
        let mut init = git::command(&self.repository);
        init.args(["init", "--quiet", "--bare", "--template="])
            .arg(format!("--object-format={format}"))
            .arg(&folder);
        git::run(init, "make the session's git folder", &folder).await?;
        set_mode(&folder, 0o700).await?;
        let given = names::of_origin(self).await?;
        let mut known = given.clone();
        known.insert(format!("refs/heads/{}", self.branch), start.to_owned());
        let objects = self.origin.join("objects");
        for (name, text) in [
            (
                "objects/info/alternates",
                format!("{}\n", objects.display()),
            ),
            ("packed-refs", names::packed(&known)),
            ("config", settings::of(self, &format).await?),
        ] {
            put(&folder.join(name), text.as_bytes()).await?;
        }
        if let Ok(shallow) = fs::read(self.origin.join("shallow")).await {
            put(&folder.join("shallow"), &shallow).await?;
        }
        for name in ["hooks", "info", "logs"] {
            make_private(&folder.join(name)).await?;
        }
        self.make_entry(&folder.join("worktrees/tree"), old).await?;
        if let Some(user) = self.user {
            give(&folder, user).await?;
        }
        write(&Places::of(self).given, &names::packed(&given)).await?;
        fs::rename(&folder, &self.common)
            .await
            .map_err(WorkspaceError::io("make", &self.common))
    }

    /// The worktree's part, or a copy of the one it had in the repository.
    async fn make_entry(&self, entry: &Path, old: Option<&Path>) -> Result<(), WorkspaceError> {
        make_private(entry).await?;
        let head = format!("ref: refs/heads/{}\n", self.branch);
        match old {
            Some(old) => old::copy(old, entry).await?,
            None => put(&entry.join("HEAD"), head.as_bytes()).await?,
        }
        let back = format!("{}\n", self.tree.join(".git").display());
        for (name, text) in [
            ("commondir", "../..\n"),
            ("gitdir", &back),
            ("config.worktree", ""),
        ] {
            put(&entry.join(name), text.as_bytes()).await?;
        }
        Ok(())
    }

    /// What the session cannot change and the repository may have changed: which files are no part of it. Git rewrites
    /// `gitdir` once it is a day old, and stops with an error where it cannot, as in the sandbox.
    async fn settle(&self) -> Result<(), WorkspaceError> {
        let common = Beneath::open(&self.common).map_err(|error| self.unusable(error))?;
        for name in ["info/exclude", "info/attributes"] {
            if let Ok(text) = fs::read(self.origin.join(name)).await {
                let put = common.place(Path::new(name));
                put.and_then(|place| place.replace(&text))
                    .map_err(|error| self.unusable(error))?;
            }
        }
        let gitdir = Path::new("worktrees/tree/gitdir");
        let file = common
            .read_plain(gitdir)
            .map_err(|error| self.unusable(error))?;
        let ahead = SystemTime::UNIX_EPOCH + Duration::from_secs(FAR_AHEAD);
        file.set_times(FileTimes::new().set_modified(ahead))
            .map_err(WorkspaceError::io("touch", gitdir))
    }

    fn unusable(&self, error: PathError) -> WorkspaceError {
        WorkspaceError::io("use", &self.common)(std::io::Error::other(error))
    }

    async fn make_tree(&self) -> Result<(), WorkspaceError> {
        make_private(&self.tree).await?;
        self.give_one(&self.tree)?;
        self.point().await
    }

    fn give_one(&self, path: &Path) -> Result<(), WorkspaceError> {
        let Some(user) = self.user else {
            return Ok(());
        };
        lchown(path, Some(user), Some(user)).map_err(WorkspaceError::io("give away", path))
    }

    fn tree_is_there(&self) -> bool {
        self.pointer().is_some()
    }

    /// Where the tree says that its git folder is.
    fn pointer(&self) -> Option<String> {
        let tree = Beneath::open(&self.tree).ok()?;
        let mut text = String::new();
        let file = tree.read_plain(Path::new(".git")).ok()?;
        file.take(8192).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Has the tree say where its git folder is. Written beside it and moved there, whatever is there.
    async fn point(&self) -> Result<(), WorkspaceError> {
        let text = format!("gitdir: {}\n", self.entry.display());
        if self.pointer().as_deref() == Some(text.as_str()) {
            return Ok(());
        }
        let spare = self.folder().join("pointer.new");
        put(&spare, text.as_bytes()).await?;
        // Git uses no folder that somebody else has a hand in.
        self.give_one(&spare)?;
        let pointer = self.tree.join(".git");
        fs::rename(&spare, &pointer)
            .await
            .map_err(WorkspaceError::io("write", &pointer))
    }
}

/// Writes a file that everybody who gets there may read, in place of whatever is there.
async fn put(path: &Path, bytes: &[u8]) -> Result<(), WorkspaceError> {
    let _ = fs::remove_file(path).await;
    fs::write(path, bytes)
        .await
        .map_err(WorkspaceError::io("write", path))?;
    set_mode(path, 0o644).await
}
