//! Programs run in a session's own sandbox for the server: what they read and write is the session's, and so are their
//! rights. What they put out is believed by nobody.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::names::visible;
use crate::{WorkspaceError, Worktree};

/// A checkout of a very large repository takes minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Bytes of output that are read.
const OUTPUT: u64 = 64 * 1024 * 1024;
/// Bytes of complaints that are read.
const COMPLAINTS: u64 = 4 * 1024;

/// No settings but those of the session's git folder.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// Settings that the session's own do not change. Nothing here protects the server; it is for git to work.
const SETTINGS: [&str; 4] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "submodule.recurse=false",
];

/// Starts a program with pipes for its three streams.
pub(crate) fn start(worktree: &Worktree, argv: &[&str]) -> Result<Child, WorkspaceError> {
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let env = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let launch = worktree
        .sandbox
        .launch(worktree, &argv, &env, &worktree.tree, false);
    Command::new(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(launch.env)
        .current_dir(&launch.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(WorkspaceError::io("start", &launch.program))
}

/// Runs git with `input` and gives back what it put out.
pub(crate) async fn git(
    worktree: &Worktree,
    args: &[&str],
    input: &[u8],
    doing: &'static str,
) -> Result<Vec<u8>, WorkspaceError> {
    let mut words = vec!["git"];
    for setting in SETTINGS {
        words.extend(["-c", setting]);
    }
    words.extend(args);
    run(worktree, &words, input, doing).await
}

/// Runs a script of the shell's with arguments, and gives back what it put out.
pub(crate) async fn script(
    worktree: &Worktree,
    script: &str,
    args: &[&str],
    doing: &'static str,
) -> Result<Vec<u8>, WorkspaceError> {
    let mut words = vec!["/bin/sh", "-ec", script, "sh"];
    words.extend(args);
    run(worktree, &words, b"", doing).await
}

async fn run(
    worktree: &Worktree,
    argv: &[&str],
    input: &[u8],
    doing: &'static str,
) -> Result<Vec<u8>, WorkspaceError> {
    let mut child = start(worktree, argv)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // Who ends early says why on standard error.
            let _ = stdin.write_all(input).await;
        }
    };
    let work = async {
        let (output, complaints, ()) =
            tokio::join!(read(stdout, OUTPUT), complaints(&mut child), feed);
        end(worktree, child, &complaints, doing).await?;
        Ok(output)
    };
    within(worktree, doing, PATIENCE, work).await
}

/// Awaits the program's end, which must be a good one.
pub(crate) async fn end(
    worktree: &Worktree,
    mut child: Child,
    complaints: &str,
    doing: &'static str,
) -> Result<(), WorkspaceError> {
    let status = child.wait().await.map_err(WorkspaceError::NoGit)?;
    if status.success() {
        return Ok(());
    }
    Err(failed(worktree, doing, complaints))
}

/// What the program has to say on its standard error, made fit to be shown.
pub(crate) async fn complaints(child: &mut Child) -> String {
    let said = read(child.stderr.take(), COMPLAINTS).await;
    visible(String::from_utf8_lossy(&said).trim())
}

/// Gives up after a time; what was started ends with the future.
pub(crate) async fn within<T>(
    worktree: &Worktree,
    doing: &'static str,
    patience: Duration,
    work: impl Future<Output = Result<T, WorkspaceError>>,
) -> Result<T, WorkspaceError> {
    let timed = tokio::time::timeout(patience, work).await;
    timed.unwrap_or_else(|_| {
        let message = format!("no answer within {} s", patience.as_secs());
        Err(failed(worktree, doing, &message))
    })
}

pub(crate) fn failed(worktree: &Worktree, doing: &'static str, message: &str) -> WorkspaceError {
    WorkspaceError::Git {
        doing,
        repository: worktree.tree.clone(),
        message: message.to_owned(),
    }
}

/// At most `most` bytes; whoever writes more finds the pipe closed.
async fn read(stream: Option<impl AsyncRead + Unpin>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(most).read_to_end(&mut bytes).await;
    }
    bytes
}
