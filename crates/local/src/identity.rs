//! Which process exactly, so that a number used again is not mistaken for it.

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// One process of this machine, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did (field 22 of proc(5)'s `stat`).
    pub started: u64,
    /// The machine's own start (`/proc/sys/kernel/random/boot_id`).
    pub boot: String,
}

impl Identity {
    /// The process with this number now, if it runs.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let started = started(pid)?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let boot = boot.trim().to_owned();
        Some(Self { pid, started, boot })
    }

    /// Whether this very process still runs. One that ended and waits to be collected does not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends the process: politely, and after `grace` at once. Returns whether it was running.
    pub async fn end(&self, signal: Signal, grace: Duration) -> bool {
        if !self.is_running() {
            return false;
        }
        self.signal(signal);
        if !self.ended_within(grace).await {
            self.signal(Signal::KILL);
            self.ended_within(Duration::from_secs(5)).await;
        }
        true
    }

    /// Whether the process has ended before `limit` is over.
    pub async fn ended_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
        true
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.is_running()) {
            // It may end between the look and the signal, which is what was wanted.
            let _ended_meanwhile = kill_process(pid, signal);
        }
    }

    /// Keeps this identity in a file for the next start.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        crate::files::write_private(path, &serde_json::to_vec(self)?)
    }

    /// The identity an earlier start kept, if there is one that can be read.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}

fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}
