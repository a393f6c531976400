//! Git as the server runs it: no hooks, no monitors, nobody's settings but the repository's own.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::{WorkspaceError, Worktree};

/// A checkout of a very large repository takes minutes; a hung file system takes for ever.
const PATIENCE: Duration = Duration::from_mins(5);

/// Settings that outrank the repository's: each names a program git would run for whoever wrote the file, or lets a
/// command reach the network. `safe.directory` is open because the caller has checked the folder against the allowed
/// roots.
const SETTINGS: [&str; 13] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "core.sshCommand=false",
    "core.editor=false",
    "core.attributesFile=/dev/null",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.allow=never",
    "submodule.recurse=false",
    "advice.graftFileDeprecated=false",
    "safe.directory=*",
];

/// What is needed besides where a file must be recorded byte for byte, whatever its name.
const EXACT: [&str; 12] = [
    "core.bare=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.ignoreCase=false",
    "core.protectNTFS=false",
    "core.protectHFS=false",
    "core.autocrlf=false",
    "core.quotePath=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.sparseCheckout=false",
    "core.bigFileThreshold=64m",
];

/// A git command in `folder`, which must itself be the repository: parents are not searched.
pub(crate) fn command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LC_ALL", "C")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git
}

/// A git command on the repository itself, whose settings are believed.
pub(crate) fn on_origin(worktree: &Worktree) -> Command {
    let mut git = command(&worktree.repository);
    git.env("GIT_DIR", &worktree.origin);
    git
}

/// A git command on the worktree's files and the repository's objects, with settings and attributes of our own: the
/// repository's are not even read. `index` is the index to use.
pub(crate) fn apart(worktree: &Worktree, index: &Path) -> Command {
    let mut git = command(&worktree.tree);
    git.env("GIT_DIR", apart_folder(worktree))
        .env("GIT_WORK_TREE", &worktree.tree)
        .env("GIT_OBJECT_DIRECTORY", worktree.origin.join("objects"))
        .env("GIT_INDEX_FILE", index)
        .env("GIT_LITERAL_PATHSPECS", "1");
    for setting in EXACT {
        git.args(["-c", setting]);
    }
    let mut excludes = OsString::from("core.excludesFile=");
    excludes.push(worktree.origin.join("info/exclude"));
    git.arg("-c").arg(excludes);
    git
}

/// The git folder of commands that are [`apart`]: beside the tree, where no process of the session reaches.
pub(crate) fn apart_folder(worktree: &Worktree) -> PathBuf {
    worktree.etc.with_file_name("git")
}

/// The kind of ids the repository has: `sha1` or `sha256`.
pub(crate) async fn format_of(worktree: &Worktree) -> Result<String, WorkspaceError> {
    let mut git = on_origin(worktree);
    git.args(["rev-parse", "--show-object-format"]);
    run(git, "find the kind of repository", &worktree.repository).await
}

/// Runs a command made here and gives back its standard output without the last newline.
pub(crate) async fn run(
    git: Command,
    doing: &'static str,
    folder: &Path,
) -> Result<String, WorkspaceError> {
    let output = output(git, doing, folder).await?;
    Ok(String::from_utf8_lossy(&output).trim_end().to_owned())
}

/// The same, as the bytes it put out.
pub(crate) async fn output(
    git: Command,
    doing: &'static str,
    folder: &Path,
) -> Result<Vec<u8>, WorkspaceError> {
    fed(git, b"", doing, folder).await
}

/// The same, with `input` as its standard input.
pub(crate) async fn fed(
    mut git: Command,
    input: &[u8],
    doing: &'static str,
    folder: &Path,
) -> Result<Vec<u8>, WorkspaceError> {
    let failed = |message: String| WorkspaceError::Git {
        doing,
        repository: folder.to_owned(),
        message,
    };
    git.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = git.spawn().map_err(WorkspaceError::NoGit)?;
    let mut stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin.take() {
            // Git that ends early says why on its standard error.
            let _ = stdin.write_all(input).await;
        }
    };
    let both = async { tokio::join!(write, child.wait_with_output()).1 };
    let output = tokio::time::timeout(PATIENCE, both)
        .await
        .map_err(|_| failed(format!("no answer within {} s", PATIENCE.as_secs())))?
        .map_err(WorkspaceError::NoGit)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(if not_a_repository(&output) {
        WorkspaceError::NotARepository(folder.to_owned())
    } else {
        failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    })
}

/// Runs a command with this file as its standard input.
pub(crate) async fn from(
    mut git: Command,
    input: File,
    doing: &'static str,
    folder: &Path,
) -> Result<(), WorkspaceError> {
    git.stdin(input)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let output = tokio::time::timeout(PATIENCE, git.output()).await;
    let failed = |message: String| WorkspaceError::Git {
        doing,
        repository: folder.to_owned(),
        message,
    };
    let output = output
        .map_err(|_| failed(format!("no answer within {} s", PATIENCE.as_secs())))?
        .map_err(WorkspaceError::NoGit)?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(
        String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    ))
}

fn not_a_repository(output: &Output) -> bool {
    output
        .stderr
        .windows(20)
        .any(|words| words == b"not a git repository")
}
