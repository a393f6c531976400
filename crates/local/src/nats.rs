//! A private nats-server.

use crate::StartError;
use crate::files::{last_words, make_folder, write_private};
use crate::identity::Identity;
use crate::nats_binary::{self, NatsBinary, find_nats};
use crate::nats_users::{NatsUser, Passwords, Users};
use crate::probe::{free_port, http_ok, is_free, local};
use crate::process::{Process, dying_with_us};
use rustix::process::Signal;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// The one configuration, as in the project's nats.conf.
pub const NATS_CONF: &str = include_str!("../../../nats.conf");

/// Who may sign in and do what, as in the project's nats-users.conf.
const NATS_USERS_CONF: &str = include_str!("../../../nats-users.conf");
/// One who may do everything, in place of those.
const ONE_USER: &str =
    "authorization { user: duplex, password: $DUPLEX_NATS_SETUP_PASSWORD, timeout: 5 }\n";

const SYNCED: &str = "sync_interval: always";
const READY_WITHIN: Duration = Duration::from_mins(1);
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often a start is tried when another process takes the free port first.
const TRIES: u32 = 5;

/// Whether an acknowledged message is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// It is, as nats.conf says.
    Always,
    /// It may be up to two minutes later: only for measuring what syncing costs.
    Later,
}

/// How to run a private nats-server.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// The folder of its store, configuration, password and log.
    pub data: PathBuf,
    /// The port for clients on 127.0.0.1; a free one without it.
    pub port: Option<u16>,
    /// The program; without it, [`find_nats`] looks.
    pub binary: Option<PathBuf>,
    /// Whether every append is synced.
    pub sync: Sync,
    /// Who may sign in.
    pub users: Users,
}

impl NatsOptions {
    /// A server in `data`, on a free port, that syncs every append, with one user who may do everything.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            port: None,
            binary: None,
            sync: Sync::Always,
            users: Users::One,
        }
    }

    /// The same, with a user for each process, who may do what nats-users.conf lists.
    pub fn for_processes(data: impl Into<PathBuf>) -> Self {
        Self {
            users: Users::PerProcess,
            ..Self::new(data)
        }
    }
}

/// A running private nats-server; dropping it ends it.
#[derive(Debug)]
pub struct NatsServer {
    process: Process,
    place: Place,
}

/// What stays the same over a restart.
#[derive(Clone, Debug)]
struct Place {
    binary: NatsBinary,
    data: PathBuf,
    passwords: Passwords,
    port: u16,
    monitor: u16,
}

impl NatsServer {
    /// Starts a server and waits until it is ready to store. A server that an earlier process left is ended first.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: NatsOptions) -> Result<Self, StartError> {
        let binary = match &options.binary {
            Some(path) => nats_binary::check(path).await?,
            None => find_nats().await?,
        };
        make_folder(&options.data)?;
        write_configuration(&options)?;
        end_left_over(&options.data).await;
        let passwords = Passwords::keep(&options.data, options.users)?;
        let mut tries = 1;
        loop {
            let place = Place {
                binary: binary.clone(),
                data: options.data.clone(),
                passwords: passwords.clone(),
                port: options.port.map_or_else(fresh_port, Ok)?,
                monitor: fresh_port()?,
            };
            match launch(&place).await {
                // Whoever had the port may be gone again by now.
                Err(StartError::Stopped { last, .. })
                    if options.port.is_none()
                        && tries < TRIES
                        && (place.taken() || last.contains("address already in use")) =>
                {
                    tries += 1;
                }
                outcome => return outcome.map(|process| Self { process, place }),
            }
        }
    }

    /// Where its one user connects, or, with a user for each process, the one who makes the streams:
    /// `nats://<user>:<password>@127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(NatsUser::Setup)
    }

    /// Where a process connects. With one user, that is for everybody the same.
    #[must_use]
    pub fn url_of(&self, user: NatsUser) -> String {
        let Place {
            passwords, port, ..
        } = &self.place;
        let (name, password) = passwords.of(user);
        format!("nats://{name}:{password}@127.0.0.1:{port}")
    }

    /// Where it tells about itself: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn monitor_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.place.monitor)
    }

    /// The port for clients.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.place.port
    }

    /// Its version, such as `2.15.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.place.binary.version
    }

    /// Its process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its process.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.process.identity()
    }

    /// The running process, to signal it or to wait for its end.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it as a power cut of its process would.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn kill9(&mut self) -> std::io::Result<ExitStatus> {
        self.process.kill().await
    }

    /// Starts it again, ending it first if it runs: the same ports, the same store.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        let stopped = self.process.stop(Signal::TERM, STOP_WITHIN).await;
        stopped.map_err(StartError::io("wait for nats-server to stop"))?;
        self.process = launch(&self.place).await?;
        Ok(())
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> std::io::Result<ExitStatus> {
        let status = self.process.stop(Signal::TERM, STOP_WITHIN).await?;
        // A file that stays is harmless: the next start sees that its process is gone.
        let _gone = std::fs::remove_file(record(&self.place.data));
        Ok(status)
    }
}

impl Place {
    fn log(&self) -> PathBuf {
        self.data.join("nats-server.log")
    }

    fn taken(&self) -> bool {
        !is_free(self.port) || !is_free(self.monitor)
    }

    fn command(&self, log: File) -> std::io::Result<Command> {
        let mut command = dying_with_us(&self.binary.path, "TERM");
        command
            .arg("--config")
            .arg(self.data.join("nats.conf"))
            .env_clear()
            .env("DUPLEX_NATS_HOST", "\"127.0.0.1\"")
            .env("DUPLEX_NATS_PORT", self.port.to_string())
            .env(
                "DUPLEX_NATS_MONITOR",
                format!("\"127.0.0.1:{}\"", self.monitor),
            )
            .envs(self.passwords.variables())
            .env("DUPLEX_NATS_STORE", quoted(&self.data.join("store")))
            .current_dir(&self.data)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }
}

/// A path as nats.conf reads it from a variable.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

fn fresh_port() -> Result<u16, StartError> {
    free_port().map_err(StartError::io("find a free port for nats-server"))
}

fn record(data: &Path) -> PathBuf {
    data.join("nats-server.pid.json")
}

async fn end_left_over(data: &Path) {
    if let Some(left) = Identity::read(&record(data))
        && left.end(Signal::TERM, STOP_WITHIN).await
    {
        tracing::info!(
            pid = left.pid,
            "ended a nats-server that an earlier process had left running"
        );
    }
}

fn write_configuration(options: &NatsOptions) -> Result<(), StartError> {
    let text = match options.sync {
        Sync::Always => NATS_CONF.to_owned(),
        Sync::Later => NATS_CONF.replace(SYNCED, "sync_interval: \"2m\""),
    };
    let users = match options.users {
        Users::PerProcess => NATS_USERS_CONF,
        Users::One => ONE_USER,
    };
    for (name, text) in [("nats.conf", text.as_str()), ("nats-users.conf", users)] {
        write_private(&options.data.join(name), text.as_bytes())
            .map_err(StartError::io("write nats-server's configuration"))?;
    }
    Ok(())
}

async fn launch(place: &Place) -> Result<Process, StartError> {
    let command = File::create(place.log()).and_then(|log| place.command(log));
    let command = command.map_err(StartError::io("write nats-server's log"))?;
    let mut process = Process::start(command, Signal::TERM)
        .await
        .map_err(StartError::io(format!(
            "start {}",
            place.binary.path.display()
        )))?;
    let kept = process.identity().write(&record(&place.data));
    kept.map_err(StartError::io("note nats-server's process number"))?;
    until_ready(&mut process, place).await?;
    Ok(process)
}

async fn until_ready(process: &mut Process, place: &Place) -> Result<(), StartError> {
    let deadline = Instant::now() + READY_WITHIN;
    while !http_ok(local(place.monitor), "/healthz").await {
        if let Ok(Some(status)) = process.try_exited() {
            return Err(StartError::Stopped {
                server: "nats-server",
                status: status.to_string(),
                last: last_words(&place.log()),
            });
        }
        if Instant::now() >= deadline {
            return Err(StartError::NotReady {
                server: "nats-server",
                seconds: READY_WITHIN.as_secs(),
                log: place.log(),
            });
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
