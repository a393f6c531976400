//! One command run by pipes: streamed while it runs, bounded, and gone at once when told.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::record::Record;
use crate::sandbox::{Launch, Sandbox};

const CHUNK: usize = 64 * 1024;
/// How long a killed sandbox may take to fall apart before its launcher is killed too.
const COLLAPSE: Duration = Duration::from_millis(100);
/// How long output is awaited after the command ended: without a sandbox a child that left the group may hold the pipe.
const DRAIN: Duration = Duration::from_secs(5);

/// How a command came to its end.
pub(crate) enum End {
    Exited(ExitStatus),
    TimedOut,
    /// It put out more than it may.
    Flooded,
    Cancelled,
}

/// The bounds of one run.
pub(crate) struct Bounds {
    /// Time until the command is killed.
    pub time: Duration,
    /// Bytes handed to `output`; the rest is read and recorded only.
    pub streamed: usize,
    /// Bytes after which the command is stopped.
    pub printed: usize,
}

/// Runs a command with standard output and error in one pipe, and returns when nothing of it is left.
pub(crate) async fn run(
    sandbox: &Sandbox,
    launch: &Launch,
    bounds: &Bounds,
    output: mpsc::Sender<Bytes>,
    cancel: &CancellationToken,
    record: &mut Record,
) -> io::Result<End> {
    let (mut child, pipe) = spawn(launch)?;
    let mut group = Group::of(&child);
    let end = {
        let pump = std::pin::pin!(pump(pipe, &output, bounds, record));
        tokio::select! {
            biased;
            () = cancel.cancelled() => End::Cancelled,
            () = tokio::time::sleep(bounds.time) => End::TimedOut,
            end = finish(&mut child, &group, pump) => end?,
        }
    };
    if !matches!(end, End::Exited(_)) {
        stop(&mut child, &group, sandbox).await?;
    }
    group.forget();
    Ok(end)
}

fn spawn(launch: &Launch) -> io::Result<(Child, pipe::Receiver)> {
    let (reader, writer) = io::pipe()?;
    let child = command(launch)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()?;
    Ok((child, pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?))
}

/// A command in a process group of its own, with no more of an environment than it is given; its streams are open.
pub(crate) fn command(launch: &Launch) -> Command {
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&launch.cwd)
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// What ended the reading.
enum Drained {
    Closed,
    Flooded,
}

/// Reads to the end of the pipe. A slow receiver slows the command down, never the memory up; one that is gone is
/// not waited for.
async fn pump(
    mut pipe: pipe::Receiver,
    output: &mpsc::Sender<Bytes>,
    bounds: &Bounds,
    record: &mut Record,
) -> Drained {
    let (mut left, mut printed) = (bounds.streamed, 0);
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        match pipe.read_buf(&mut chunk).await {
            Ok(0) | Err(_) => return Drained::Closed,
            Ok(_) => record.push(&chunk).await,
        }
        printed += chunk.len();
        if left > 0 {
            chunk.truncate(left);
            left -= chunk.len();
            let _ = output.send(chunk.freeze()).await;
            if left == 0 {
                let limit = bounds.streamed;
                let notice =
                    format!("\n[more than {limit} bytes of output: the rest is not shown]\n");
                let _ = output.send(notice.into()).await;
            }
        }
        if printed > bounds.printed {
            return Drained::Flooded;
        }
    }
}

async fn finish(
    child: &mut Child,
    group: &Group,
    mut pump: std::pin::Pin<&mut impl Future<Output = Drained>>,
) -> io::Result<End> {
    let status = tokio::select! {
        status = child.wait() => status?,
        drained = pump.as_mut() => return match drained {
            Drained::Closed => child.wait().await.map(End::Exited),
            Drained::Flooded => Ok(End::Flooded),
        },
    };
    // What the command left running in the background ends with it, in a sandbox and out of it.
    group.kill();
    let _ = tokio::time::timeout(DRAIN, pump).await;
    Ok(End::Exited(status))
}

/// Ends everything at once. A sandbox is ended through its first process: the kernel takes all others with it, and
/// the launcher's own end then says that they are gone.
pub(crate) async fn stop(child: &mut Child, group: &Group, sandbox: &Sandbox) -> io::Result<()> {
    let firsts = match sandbox {
        Sandbox::Bubblewrap(_) => group.children(),
        Sandbox::Off => Vec::new(),
    };
    let collapsing = !firsts.is_empty();
    for first in firsts {
        let _ = kill_process(first, Signal::KILL);
    }
    if collapsing && tokio::time::timeout(COLLAPSE, child.wait()).await.is_ok() {
        return Ok(());
    }
    group.kill();
    child.wait().await.map(|_| ())
}

/// The command's process group, killed should its run be dropped half way.
#[derive(Debug)]
pub(crate) struct Group(Option<Pid>);

impl Group {
    pub(crate) fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// It is gone: its number may be another's soon.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }

    fn kill(&self) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    fn children(&self) -> Vec<Pid> {
        let Some(pid) = self.0.map(Pid::as_raw_nonzero) else {
            return Vec::new();
        };
        let list =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        list.split_whitespace()
            .filter_map(|id| id.parse().ok().and_then(Pid::from_raw))
            .collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
