//! A session's own git worktree, branch and home folder.

mod old;
mod private;
mod settings;

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::process::Command;

use crate::sandbox::{Users, assigned};
use crate::{Repository, Sandbox, WorkspaceError, git};

/// How much of a session's id goes into its branch name. The first 12 digits of a version 7 UUID are a time in
/// milliseconds, so two sessions may share them; 20 reach far enough into the random part.
const BRANCH_DIGITS: usize = 20;

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
    /// The session's own git folder: what its commands commit, branch, tag and stash is here alone.
    pub common: PathBuf,
    /// The worktree's part of it (its HEAD and index).
    pub entry: PathBuf,
    /// The git folder of the repository. Commands can read its objects; the server carries the session's branch there.
    pub origin: PathBuf,
    /// Generated files a sandbox shows in place of the host's: `/etc/passwd` and the like.
    pub etc: PathBuf,
    /// The session's own user and group, where sessions have one; else everything is the server's.
    pub user: Option<u32>,
    /// Where the session's git runs when the server needs to know something of it.
    pub sandbox: Sandbox,
}

impl Worktree {
    /// The folder that all of the session lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.tree.parent().unwrap_or(&self.tree)
    }

    /// The session's id, as its folder is named.
    pub(crate) fn session(&self) -> String {
        let name = self.folder().file_name();
        name.unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Held while something is done that only one may do; several runners may serve one repository. A file lock.
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
    /// branch `duplex/<start of the id>`, with `<under>/<session>/home` and its own git folder beside it. A tree that
    /// was deleted is made again from its branch. A repository without a commit is given an empty one that only the
    /// session's branch refers to; its own branch stays unborn. What was committed inside and not yet carried into the
    /// repository is carried now.
    pub async fn worktree(
        &self,
        under: &Path,
        session: &str,
        sandbox: &Sandbox,
    ) -> Result<Worktree, WorkspaceError> {
        let branch = branch_of(session)?;
        let origin = self.common().await.map_err(|error| self.gone(error))?;
        let (folder, user) = session_folder(under, session, sandbox).await?;
        let common = folder.join("repo");
        let worktree = Worktree {
            tree: folder.join("tree"),
            home: folder.join("home"),
            etc: folder.join("etc"),
            repository: self.root.clone(),
            entry: common.join("worktrees/tree"),
            common,
            origin,
            branch,
            user,
            sandbox: sandbox.clone(),
        };
        worktree.check_readable().await?;
        let start = self.start_of(&worktree).await?;
        worktree.start(&start).await?;
        worktree.prepare(&start).await?;
        // Whoever asks for it next is told why, and there is a worktree all the same.
        let _ = worktree.bring(true).await;
        let _ = worktree.tell_names().await;
        Ok(worktree)
    }

    /// Where the session's branch is, or begins.
    async fn start_of(&self, worktree: &Worktree) -> Result<String, WorkspaceError> {
        let own = format!("refs/heads/{}", worktree.branch);
        for name in [own.as_str(), "HEAD"] {
            if let Ok(commit) = self.resolve(name).await {
                return Ok(commit);
            }
        }
        self.first_commit().await
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

/// The session's folder, with the home and the generated files in it, and its user. What is already there is left
/// alone, but for whose it is.
async fn session_folder(
    under: &Path,
    session: &str,
    sandbox: &Sandbox,
) -> Result<(PathBuf, Option<u32>), WorkspaceError> {
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
    ] {
        if fs::symlink_metadata(&path).await.is_err() {
            fs::write(&path, text)
                .await
                .map_err(WorkspaceError::io("write", &path))?;
        }
    }
    let user = match (sandbox.users(), assigned(&folder)) {
        (Some(users), _) => Some(own_user(users, &under, &folder).await?),
        (None, Some(user)) => return Err(WorkspaceError::OtherUser(user)),
        (None, None) => None,
    };
    Ok((folder, user))
}

/// Gives the session its user and that user what is the session's, once. The folder itself and the generated files
/// stay the server's: others may go through the one and read the others.
async fn own_user(users: &Users, under: &Path, folder: &Path) -> Result<u32, WorkspaceError> {
    let user = users
        .assign(under, folder)
        .map_err(WorkspaceError::io("choose a user for", folder))?;
    let etc = folder.join("etc");
    set_mode(folder, 0o711).await?;
    set_mode(&etc, 0o755).await?;
    for name in ["passwd", "group", "hosts"] {
        set_mode(&etc.join(name), 0o644).await?;
    }
    let given = etc.join("given");
    if fs::metadata(&given).await.is_err() {
        for part in ["home", "tree", "repo"] {
            give(&folder.join(part), user).await?;
        }
        fs::write(&given, "")
            .await
            .map_err(WorkspaceError::io("write", &given))?;
    }
    Ok(user)
}

async fn set_mode(path: &Path, mode: u32) -> Result<(), WorkspaceError> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .await
        .map_err(WorkspaceError::io("open or close", path))
}

/// Makes a folder and all in it this user's. The session's processes may have made what is there: no link is followed,
/// which chown(1) promises with these flags.
async fn give(path: &Path, user: u32) -> Result<(), WorkspaceError> {
    if fs::symlink_metadata(path).await.is_err() {
        return Ok(());
    }
    let mut chown = Command::new("chown");
    chown
        .args(["-RhP", &format!("{user}:{user}"), "--"])
        .arg(path);
    let folder = path.parent().unwrap_or(path);
    git::run(chown, "give the session its files", folder)
        .await
        .map(|_| ())
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
