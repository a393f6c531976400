//! The program behind a terminal: how it ends, and how it is ended.

use super::SpawnError;
use portable_pty::Child as PortableChild;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a program may take to end after a hang-up.
const AFTER_HANGUP: Duration = Duration::from_secs(2);
/// How long it may take after being asked to terminate.
const AFTER_TERMINATE: Duration = Duration::from_secs(3);
/// A process may start another while its session is being killed; so often it is looked for again.
const ROUNDS: usize = 8;

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// What it returned; none if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// Tells when and how a program ended. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Exited(pub(super) watch::Receiver<Option<Exit>>);

impl Exited {
    /// How it ended, if it has.
    #[must_use]
    pub fn now(&self) -> Option<Exit> {
        *self.0.borrow()
    }

    /// Waits for the end, however much of the output is still unread. If nobody watches any more, because the
    /// runtime is shutting down, the end has neither code nor signal.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.0.clone();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit {
            code: None,
            signal: None,
        })
    }
}

/// A running program. Dropping it kills the program at once.
///
/// What is signalled is the whole session the program leads: its own process group, the foreground job and the
/// background jobs. Processes that left the session (`setsid`) are out of reach here; they end with the PID
/// namespace of the sandbox, whose first process is the program or a child that dies with it.
#[derive(Debug)]
pub struct Process {
    session: Arc<Session>,
    exit: Exited,
}

impl Process {
    pub(super) fn watch(
        child: Box<dyn PortableChild + Send + Sync>,
        runtime: &Handle,
    ) -> Result<(Self, Exited), SpawnError> {
        let child: Box<dyn PortableChild> = child;
        let unknown = || SpawnError::Watch(io::Error::other("the program has no process id"));
        let child = child.downcast::<Child>().map_err(|_| unknown())?;
        let leader = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(unknown)?;
        let (end, exit) = watch::channel(None);
        let exit = Exited(exit);
        let session = Arc::new(Session {
            leader,
            reaped: Mutex::new(false),
        });
        // From here on, leaving early kills the program.
        let process = Self {
            session: session.clone(),
            exit: exit.clone(),
        };
        let ended = on_end(leader).map_err(SpawnError::Watch)?;
        runtime.spawn(reap(*child, ended, session, end));
        Ok((process, exit))
    }

    /// The program's process id, which is also its session's.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.session.leader.as_raw_nonzero().get()
    }

    /// Ends the program: a hang-up as if the terminal was closed, after 2 s a request to terminate, after 3 s more
    /// a kill. Returns when it has ended.
    pub async fn kill(&self) {
        for (signal, patience) in [(Signal::HUP, AFTER_HANGUP), (Signal::TERM, AFTER_TERMINATE)] {
            self.session.signal(signal);
            // A stopped job would never hear of it.
            self.session.signal(Signal::CONT);
            if timeout(patience, self.exit.wait()).await.is_ok() {
                return;
            }
        }
        self.session.kill();
        self.exit.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.session.kill();
    }
}

/// Becomes readable when the process ends.
#[expect(
    deprecated,
    reason = "the replacement is unsafe; an owned descriptor is what the old one asks for"
)]
fn on_end(process: Pid) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(pidfd_open(process, PidfdFlags::NONBLOCK)?)
}

/// Waits for the program, without taking a thread.
async fn reap(
    mut child: Child,
    ended: AsyncFd<OwnedFd>,
    session: Arc<Session>,
    end: watch::Sender<Option<Exit>>,
) {
    if let Err(error) = ended.readable().await {
        tracing::error!("a program's end could not be waited for: {error}");
    }
    end.send_replace(Some(session.reap(&mut child)));
}

#[derive(Debug)]
struct Session {
    leader: Pid,
    /// Once the leader is reaped its number may belong to somebody else and must not be signalled.
    reaped: Mutex<bool>,
}

impl Session {
    fn signal(&self, signal: Signal) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            self.signal_groups(signal);
        }
    }

    fn kill(&self) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            self.kill_groups();
        }
    }

    /// Ends what is left of the session, then lets its leader go.
    fn reap(&self, child: &mut Child) -> Exit {
        let mut reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        self.kill_groups();
        let exit = child.wait().map_or(
            Exit {
                code: None,
                signal: None,
            },
            exit,
        );
        *reaped = true;
        exit
    }

    fn kill_groups(&self) {
        for _ in 0..ROUNDS {
            if self.signal_groups(Signal::KILL) == 0 {
                return;
            }
        }
    }

    /// Signals every group of the session; gives how many there were that still have a living process.
    fn signal_groups(&self, signal: Signal) -> usize {
        let groups = living_groups(self.leader);
        for group in &groups {
            // It may have ended since.
            let _ = Pid::from_raw(*group).map(|group| kill_process_group(group, signal));
        }
        groups.len()
    }
}

/// The process groups of a session that have a process which is not yet dead.
fn living_groups(leader: Pid) -> BTreeSet<i32> {
    let session = leader.as_raw_nonzero().get();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return BTreeSet::from([session]);
    };
    processes
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .iter()
                .all(u8::is_ascii_digit)
        })
        .filter_map(|entry| std::fs::read(entry.path().join("stat")).ok())
        .filter_map(|stat| group_in(&stat, session))
        .collect()
}

/// The group of a process if it lives and belongs to the session, from `/proc/<pid>/stat`: after the name in
/// brackets come state, parent, group and session (proc(5)).
fn group_in(stat: &[u8], session: i32) -> Option<i32> {
    let stat = String::from_utf8_lossy(stat);
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let group: i32 = fields.nth(1)?.parse().ok()?;
    let of: i32 = fields.next()?.parse().ok()?;
    (of == session && !matches!(state, "Z" | "X")).then_some(group)
}

fn exit(status: ExitStatus) -> Exit {
    Exit {
        code: status.code(),
        signal: status.signal(),
    }
}
