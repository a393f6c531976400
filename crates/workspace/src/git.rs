//! Git as the server runs it: no hooks, no monitors, nobody's settings but the repository's own.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::WorkspaceError;

/// A checkout of a very large repository takes minutes; a hung file system takes for ever.
const PATIENCE: Duration = Duration::from_mins(5);

/// Settings that outrank the repository's: each names a program git would run for whoever wrote the file.
/// `safe.directory` is open because the caller has checked the folder against the allowed roots.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.askPass=",
    "gc.auto=0",
    "protocol.ext.allow=never",
    "safe.directory=*",
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
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder))
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for setting in SETTINGS {
        git.args(["-c", setting]);
    }
    git
}

/// Runs a command made by [`command`] and gives back its standard output without the last newline.
pub(crate) async fn run(
    mut git: Command,
    doing: &'static str,
    folder: &Path,
) -> Result<String, WorkspaceError> {
    let failed = |message: String| WorkspaceError::Git {
        doing,
        repository: folder.to_owned(),
        message,
    };
    let output = tokio::time::timeout(PATIENCE, git.output())
        .await
        .map_err(|_| failed(format!("no answer within {} s", PATIENCE.as_secs())))?
        .map_err(WorkspaceError::NoGit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned());
    }
    Err(if not_a_repository(&output) {
        WorkspaceError::NotARepository(folder.to_owned())
    } else {
        failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    })
}

fn not_a_repository(output: &Output) -> bool {
    output
        .stderr
        .windows(20)
        .any(|words| words == b"not a git repository")
}
