//! A session's own git worktree, branch and home folder.

use std::fs::{File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::fs;

use crate::{Repository, WorkspaceError, git};

/// How much of a session's id goes into its branch name. The first 12 digits of a version 7 UUID are a time in
/// milliseconds, so two sessions may share them; 20 reach far enough into the random part.
const BRANCH_DIGITS: usize = 20;

/// The first of January 2100, in seconds since 1970.
const FAR_AHEAD: u64 = 4_102_444_800;

const GIT_CONFIG: &str =
    "[user]\n\tname = Duplex agent\n\temail = agent@duplex.invalid\n[gc]\n\tauto = 0\n";
const GROUP: &str = "duplex:x:1000:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost duplex\n::1 localhost\n";

/// Where one session works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// The working tree: the only part of the project that a session's processes change freely.
    pub tree: PathBuf,
    /// The session's own HOME.
    pub home: PathBuf,
    /// The top folder of the repository the worktree belongs to.
    pub repository: PathBuf,
    /// The branch the worktree was made on.
    pub branch: String,
    /// The git folder all worktrees of the repository share.
    pub common: PathBuf,
    /// This worktree's own folder beneath `common` (its HEAD and index).
    pub entry: PathBuf,
    /// Generated files a sandbox shows in place of the host's: `/etc/passwd` and the like.
    pub etc: PathBuf,
}

/// Held while a worktree is added: git itself trips over another one that is being made in the same repository
/// (`failed to read .git/worktrees/…/commondir`). A file lock, since several runners may serve one repository.
pub(crate) async fn lock(common: &Path) -> Result<File, WorkspaceError> {
    let path = common.join("duplex.lock");
    let file = path.clone();
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).append(true).open(file)?;
        file.lock()?;
        Ok(file)
    });
    let locked = waiting
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
    locked.map_err(|source| WorkspaceError::Io {
        doing: "lock",
        path,
        source,
    })
}

impl Repository {
    /// Makes or reopens the worktree of `session` beneath the data folder `under`: `<under>/<session>/tree` on the
    /// branch `duplex/<start of the id>`, with `<under>/<session>/home` beside it. A tree that was deleted is made
    /// again from its branch. A repository without a commit is given an empty one that only the session's branch
    /// refers to; its own branch stays unborn.
    pub async fn worktree(&self, under: &Path, session: &str) -> Result<Worktree, WorkspaceError> {
        let branch = branch_of(session)?;
        let common = self.common().await.map_err(|error| self.gone(error))?;
        let folder = session_folder(under, session).await?;
        let tree = folder.join("tree");
        let entry = match entry_of(&common, &tree).await {
            Some(entry) if tree.join(".git").exists() => entry,
            _ => self.add(&common, &tree, &branch).await?,
        };
        prepare(&common, &entry).await?;
        let worktree = Worktree {
            home: folder.join("home"),
            etc: folder.join("etc"),
            repository: self.root.clone(),
            tree,
            branch,
            common,
            entry,
        };
        worktree.start().await?;
        Ok(worktree)
    }

    async fn add(
        &self,
        common: &Path,
        tree: &Path,
        branch: &str,
    ) -> Result<PathBuf, WorkspaceError> {
        let _alone = lock(common).await?;
        let mut git = git::command(&self.root);
        git.args(["worktree", "add", "--quiet", "--force", "--force"]);
        if self.resolve(&format!("refs/heads/{branch}")).await.is_ok() {
            git.arg(tree).arg(branch);
        } else {
            let start = match self.resolve("HEAD").await {
                Ok(commit) => commit,
                Err(_) => self.first_commit().await?,
            };
            git.args(["-b", branch]).arg(tree).arg(start);
        }
        git::without_filters(&mut git, &self.root).await?;
        git::run(git, "make the session's worktree", &self.root).await?;
        entry_of(common, tree)
            .await
            .ok_or_else(|| WorkspaceError::Gone(tree.to_owned()))
    }

    async fn resolve(&self, name: &str) -> Result<String, WorkspaceError> {
        let mut git = git::command(&self.root);
        git.args([
            "rev-parse",
            "--verify",
            "--quiet",
            &format!("{name}^{{commit}}"),
        ]);
        git::run(git, "find the newest commit", &self.root).await
    }

    /// The same commit every time, so that all sessions of an unborn repository share one root.
    async fn first_commit(&self) -> Result<String, WorkspaceError> {
        let mut tree = git::command(&self.root);
        tree.arg("mktree");
        let tree = git::run(tree, "write an empty tree", &self.root).await?;
        let mut commit = git::command(&self.root);
        for who in ["AUTHOR", "COMMITTER"] {
            commit
                .env(format!("GIT_{who}_NAME"), "Duplex")
                .env(format!("GIT_{who}_EMAIL"), "duplex@duplex.invalid");
            commit.env(format!("GIT_{who}_DATE"), "1700000000 +0000");
        }
        commit.args(["commit-tree", &tree, "-m", "Start of a Duplex session"]);
        git::run(commit, "write an empty first commit", &self.root).await
    }

    fn gone(&self, error: WorkspaceError) -> WorkspaceError {
        let lost = matches!(
            error,
            WorkspaceError::NotARepository(_) | WorkspaceError::NoGit(_)
        );
        if lost && !self.root.join(".git").exists() && !self.root.join("HEAD").exists() {
            return WorkspaceError::Gone(self.root.clone());
        }
        error
    }
}

fn branch_of(session: &str) -> Result<String, WorkspaceError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if session.is_empty()
        || session.len() > 64
        || session.starts_with('-')
        || !session.chars().all(plain)
    {
        return Err(WorkspaceError::BadSession(session.to_owned()));
    }
    Ok(format!(
        "duplex/{}",
        &session[..session.len().min(BRANCH_DIGITS)]
    ))
}

/// The session's folder, with the home and the generated files in it; what is already there is left alone.
async fn session_folder(under: &Path, session: &str) -> Result<PathBuf, WorkspaceError> {
    make_private(under).await?;
    let under = fs::canonicalize(under)
        .await
        .map_err(WorkspaceError::io("open", under))?;
    let folder = under.join(session);
    let (home, etc) = (folder.join("home"), folder.join("etc"));
    for path in [&folder, &home, &etc] {
        make_private(path).await?;
    }
    let passwd = format!("duplex:x:1000:1000:Duplex:{}:/bin/bash\n", home.display());
    for (path, text) in [
        (home.join(".gitconfig"), GIT_CONFIG),
        (etc.join("passwd"), passwd.as_str()),
        (etc.join("group"), GROUP),
        (etc.join("hosts"), HOSTS),
        (etc.join("packed-refs"), ""),
    ] {
        if fs::symlink_metadata(&path).await.is_err() {
            fs::write(&path, text)
                .await
                .map_err(WorkspaceError::io("write", &path))?;
        }
    }
    Ok(folder)
}

async fn make_private(path: &Path) -> Result<(), WorkspaceError> {
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .await
        .map_err(WorkspaceError::io("create", path))
}

/// Git numbers its worktree folders; the one of `tree` is the one that points back at it.
async fn entry_of(common: &Path, tree: &Path) -> Option<PathBuf> {
    let wanted = tree.join(".git");
    let mut folders = fs::read_dir(common.join("worktrees")).await.ok()?;
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

/// What a sandbox must not create has to be there to be covered, and what it may write has to be there to be opened.
async fn prepare(common: &Path, entry: &Path) -> Result<(), WorkspaceError> {
    for folder in ["logs", "objects/info"].map(|name| common.join(name)) {
        fs::create_dir_all(&folder)
            .await
            .map_err(WorkspaceError::io("create", &folder))?;
    }
    let config = entry.join("config.worktree");
    let touched = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&config)
        .await;
    touched.map_err(WorkspaceError::io("create", &config))?;
    keep_fresh(&entry.join("gitdir")).await
}

/// Git rewrites `gitdir` once it is a day old, and stops with an error where it cannot, as in the sandbox.
async fn keep_fresh(gitdir: &Path) -> Result<(), WorkspaceError> {
    let file = fs::OpenOptions::new()
        .append(true)
        .open(gitdir)
        .await
        .map_err(WorkspaceError::io("open", gitdir))?;
    let ahead = SystemTime::UNIX_EPOCH + Duration::from_secs(FAR_AHEAD);
    let times = FileTimes::new().set_modified(ahead);
    file.into_std()
        .await
        .set_times(times)
        .map_err(WorkspaceError::io("touch", gitdir))
}
