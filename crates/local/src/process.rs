//! A child process that ends with the process that started it.

use crate::identity::Identity;
use crate::spawn::spawn;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long dropping a process waits for it to end by itself.
const PATIENCE_OF_DROP: Duration = Duration::from_secs(3);

/// A running child with its own process group. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    identity: Identity,
    /// The signal that asks it to end when dropped.
    farewell: Signal,
}

impl Process {
    /// Starts `command` in a process group of its own, so that Ctrl-C in a terminal reaches this process alone.
    pub async fn start(mut command: Command, farewell: Signal) -> io::Result<Self> {
        command.process_group(0);
        let child = spawn(command).await?;
        let identity = child.id().and_then(Identity::of).ok_or_else(ended)?;
        Ok(Self {
            child,
            identity,
            farewell,
        })
    }

    /// Which process it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// How it ended, if it has.
    pub fn try_exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until it ends, and says how.
    pub async fn exited(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Sends a signal to the process, not to its group. One that has ended hears nothing.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.running() {
            let _ended_meanwhile = kill_process(pid, signal);
        }
    }

    /// Asks it to end with `signal`; after `grace`, ends it and its whole group.
    pub async fn stop(&mut self, signal: Signal, grace: Duration) -> io::Result<ExitStatus> {
        self.signal(signal);
        match timeout(grace, self.child.wait()).await {
            Ok(ended) => ended,
            Err(_late) => self.kill().await,
        }
    }

    /// Ends it and its whole group at once.
    pub async fn kill(&mut self) -> io::Result<ExitStatus> {
        self.kill_group();
        self.child.wait().await
    }

    fn kill_group(&self) {
        if let Some(pid) = self.running() {
            let _ended_meanwhile = kill_process_group(pid, Signal::KILL);
        }
    }

    /// Its number while it has not been collected, and so cannot mean another process.
    fn running(&self) -> Option<Pid> {
        let pid = i32::try_from(self.child.id()?).ok()?;
        Pid::from_raw(pid)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(self.farewell);
        let deadline = Instant::now() + PATIENCE_OF_DROP;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                self.kill_group();
                return;
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// A command that gets `signal` (a name such as `TERM`) when this process dies, where util-linux can arrange it.
pub(crate) fn dying_with_us(program: &Path, signal: &str) -> Command {
    let Some(setpriv) = on_path("setpriv") else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    command
        .args(["--pdeathsig", signal, "--"])
        .arg(program.as_os_str());
    command
}

/// The first program of this name in the folders of `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn ended() -> io::Error {
    io::Error::other("the process ended at once")
}
