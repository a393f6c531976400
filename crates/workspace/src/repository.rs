//! A git repository that was checked before anything is done in it.

use std::path::{Component, Path, PathBuf};

use tokio::fs;

use crate::{WorkspaceError, git};

/// A git repository beneath an allowed root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its top folder, without symbolic links.
    pub root: PathBuf,
}

impl Repository {
    /// Checks that `path` is absolute, there, a folder, the top of a git repository, and that it, its git folder and
    /// those it borrows objects from truly lie in or beneath one of `allowed_roots`, wherever links lead.
    pub async fn check(path: &Path, allowed_roots: &[PathBuf]) -> Result<Self, WorkspaceError> {
        let roots = real_roots(allowed_roots).await;
        inside(path, path, &[allowed_roots, &roots].concat())?;
        let root = real_folder(path).await?;
        inside(&root, path, &roots)?;
        let repository = Self { root };
        let common = repository
            .common()
            .await
            .map_err(|error| shown_as(error, path))?;
        inside(&common, path, &roots)?;
        for folder in borrowed(&common) {
            let real = fs::canonicalize(&folder).await.unwrap_or(folder);
            inside(&real, path, &roots)?;
        }
        Ok(repository)
    }

    /// The git folder that all worktrees of this repository share.
    pub(crate) async fn common(&self) -> Result<PathBuf, WorkspaceError> {
        let mut git = git::command(&self.root);
        git.args(["rev-parse", "--path-format=absolute", "--git-common-dir"]);
        let common = git::run(git, "find the repository", &self.root).await?;
        fs::canonicalize(&common)
            .await
            .map_err(WorkspaceError::io("open", Path::new(&common)))
    }
}

/// Object folders of other repositories that this one reads from, as `git clone --shared` sets up.
pub(crate) fn borrowed(common: &Path) -> Vec<PathBuf> {
    let list = std::fs::read_to_string(common.join("objects/info/alternates")).unwrap_or_default();
    list.lines()
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .collect()
}

async fn real_roots(allowed: &[PathBuf]) -> Vec<PathBuf> {
    let mut roots = Vec::new();
    for root in allowed {
        if let Ok(root) = fs::canonicalize(root).await {
            roots.push(root);
        }
    }
    roots
}

/// Asked first of the words alone, so that nobody can probe which files exist outside the roots.
fn inside(path: &Path, asked: &Path, roots: &[PathBuf]) -> Result<(), WorkspaceError> {
    if !path.is_absolute() {
        return Err(WorkspaceError::Relative(asked.to_owned()));
    }
    let climbs = path.components().any(|part| part == Component::ParentDir);
    if climbs || !roots.iter().any(|root| path.starts_with(root)) {
        return Err(WorkspaceError::OutsideRoots(asked.to_owned()));
    }
    Ok(())
}

async fn real_folder(path: &Path) -> Result<PathBuf, WorkspaceError> {
    let real = match fs::canonicalize(path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(WorkspaceError::Missing(path.to_owned()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            return Err(WorkspaceError::NotADirectory(path.to_owned()));
        }
        other => other.map_err(WorkspaceError::io("open", path))?,
    };
    let meta = fs::metadata(&real)
        .await
        .map_err(WorkspaceError::io("open", path))?;
    if meta.is_dir() {
        Ok(real)
    } else {
        Err(WorkspaceError::NotADirectory(path.to_owned()))
    }
}

/// People see the path they gave, not what it resolved to.
fn shown_as(error: WorkspaceError, path: &Path) -> WorkspaceError {
    match error {
        WorkspaceError::NotARepository(_) => WorkspaceError::NotARepository(path.to_owned()),
        other => other,
    }
}
