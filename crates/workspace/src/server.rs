//! A long-lived command in a session's sandbox, spoken to by its standard input and output.

use std::collections::VecDeque;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::watch;

use crate::process::{Group, command, stop};
use crate::{Sandbox, Worktree};

/// The most bytes of standard error that are kept: its last.
pub const STDERR_BYTES: usize = 16 * 1024;
/// How long last words are awaited while the command may be about to end.
const LAST: Duration = Duration::from_millis(500);
const CHUNK: usize = 4096;

/// A command that was started. Dropped, it is killed with all it started.
#[derive(Debug)]
pub struct Server {
    // Dropped first: while the child is not waited for, the group's number is nobody else's.
    group: Group,
    child: Child,
    sandbox: Sandbox,
    stderr: Stderr,
}

/// What the command put out on standard error, its end only.
#[derive(Clone, Debug)]
pub struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    closed: watch::Receiver<bool>,
}

/// A command that runs, and its two ends.
#[derive(Debug)]
pub struct Started {
    /// Owns the command.
    pub server: Server,
    /// What it writes is read here.
    pub output: ChildStdout,
    /// What is written here it reads. Dropped, its input ends.
    pub input: ChildStdin,
}

/// Starts `argv` in the worktree, in the sandbox, with `env` on top of a small clean environment.
///
/// Call it on a thread that lives as long as the command, such as one of the runtime's own: see [`crate::Launch`].
pub fn start(
    sandbox: &Sandbox,
    worktree: &Worktree,
    argv: &[String],
    env: &[(String, String)],
) -> io::Result<Started> {
    let launch = sandbox.launch(worktree, argv, env, &worktree.tree, false);
    let mut child = command(&launch)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let group = Group::of(&child);
    let (Some(input), Some(output), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let server = Server {
        group,
        child,
        sandbox: sandbox.clone(),
        stderr: Stderr::of(stderr),
    };
    Ok(Started {
        server,
        output,
        input,
    })
}

impl Server {
    /// What it puts out on standard error; it may be asked after the command's end.
    #[must_use]
    pub fn stderr(&self) -> Stderr {
        self.stderr.clone()
    }

    /// Kills it with all it started, and returns when nothing of it is left.
    pub async fn end(mut self) -> io::Result<()> {
        stop(&mut self.child, &self.group, &self.sandbox).await?;
        self.group.forget();
        Ok(())
    }
}

impl Stderr {
    fn of(mut pipe: ChildStderr) -> Self {
        let tail = Arc::<Mutex<VecDeque<u8>>>::default();
        let (ended, closed) = watch::channel(false);
        let kept = tail.clone();
        // Ends with the command, which is killed at the latest when its owner goes.
        tokio::spawn(async move {
            let mut chunk = [0; CHUNK];
            while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
                keep(&kept, &chunk[..read]);
            }
            ended.send_replace(true);
        });
        Self { tail, closed }
    }

    /// The last bytes of it, at most [`STDERR_BYTES`].
    #[must_use]
    pub fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = tail.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last line that is not empty, or nothing. Half a second is waited for the command to be gone, since what it
    /// says of its end may be read later than the end itself is seen.
    pub async fn last_line(&self) -> String {
        let mut closed = self.closed.clone();
        let _ = tokio::time::timeout(LAST, closed.wait_for(|closed| *closed)).await;
        let tail = self.tail();
        let mut lines = tail.lines().rev().map(str::trim);
        let last = lines.find(|line| !line.is_empty());
        last.unwrap_or_default().to_owned()
    }
}

fn keep(tail: &Mutex<VecDeque<u8>>, bytes: &[u8]) {
    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
    tail.extend(bytes);
    let surplus = tail.len().saturating_sub(STDERR_BYTES);
    tail.drain(..surplus);
}
