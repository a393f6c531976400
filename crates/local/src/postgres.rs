//! A private Postgres.

use crate::StartError;
use crate::account::Account;
use crate::files::{last_words, make_folder, password};
use crate::identity::Identity;
use crate::postgres_binaries::{PostgresBinaries, find_postgres};
use crate::postgres_tools::{create_database, init};
use crate::probe::{free_port, is_free};
use crate::process::{Process, dying_with_us};
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

const READY_WITHIN: Duration = Duration::from_mins(1);
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// How often a start is tried when a port is taken first, or the last one's memory is not yet given back.
const TRIES: u32 = 20;

/// How to run a private Postgres.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// The folder of its cluster, password and log.
    pub data: PathBuf,
    /// The port on 127.0.0.1; a free one without it.
    pub port: Option<u16>,
    /// Commits without waiting for the disk: only for tests, whose data may be lost.
    pub fast: bool,
}

impl PostgresOptions {
    /// A server in `data`, on a free port, that waits for the disk.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            port: None,
            fast: false,
        }
    }

    /// A server for a test: on a free port, and quick because it does not wait for the disk.
    pub fn fast(data: impl Into<PathBuf>) -> Self {
        Self {
            fast: true,
            ..Self::new(data)
        }
    }
}

/// A running private Postgres; dropping it ends it.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    place: Place,
}

/// What stays the same over a restart.
#[derive(Clone, Debug)]
struct Place {
    binaries: PostgresBinaries,
    account: Option<Account>,
    data: PathBuf,
    password: String,
    port: u16,
    fast: bool,
}

impl Postgres {
    /// Starts a server, making its cluster first if there is none, and waits until it takes connections. A server that
    /// an earlier process left is ended first. As root it runs as the user `postgres`, or `nobody`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(options: PostgresOptions) -> Result<Self, StartError> {
        make_folder(&options.data)?;
        end_left_over(&options.data).await;
        let mut place = Place::prepare(options.clone()).await?;
        for _ in 1..TRIES {
            match launch(&place).await {
                Err(StartError::Stopped { .. })
                    if options.port.is_none() && !is_free(place.port) =>
                {
                    place.port = fresh_port()?;
                }
                Err(StartError::Stopped { last, .. }) if still_in_use(&last) => {
                    sleep(Duration::from_millis(100)).await;
                }
                outcome => return outcome.map(|process| Self { process, place }),
            }
        }
        let process = launch(&place).await?;
        Ok(Self { process, place })
    }

    /// The server's own database: `postgres://duplex:<password>@127.0.0.1:<port>/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.place.url("postgres")
    }

    /// The address of the database `name`, which is made if there is none.
    ///
    /// # Errors
    /// When the name has other letters than a to z, digits and `_`, or the server does not answer.
    pub async fn database(&self, name: &str) -> Result<String, StartError> {
        let plain =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.chars().all(plain)
        {
            return Err(StartError::BadName(name.to_owned()));
        }
        let Place {
            binaries,
            password,
            port,
            ..
        } = &self.place;
        let server = format!("postgres://duplex@127.0.0.1:{port}/postgres");
        create_database(binaries, &server, password, name).await?;
        Ok(self.place.url(name))
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.place.port
    }

    /// Its major version.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.place.binaries.major
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

    /// Ends it as a crash of its process would.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn kill9(&mut self) -> std::io::Result<ExitStatus> {
        self.process.kill().await
    }

    /// Starts it again, ending it first if it runs: the same port, the same cluster.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn restart(&mut self) -> Result<(), StartError> {
        let stopped = self.process.stop(Signal::INT, STOP_WITHIN).await;
        stopped.map_err(StartError::io("wait for Postgres to stop"))?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            match launch(&self.place).await {
                Err(StartError::Stopped { last, .. })
                    if still_in_use(&last) && Instant::now() < deadline =>
                {
                    sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
            }
        }
    }

    /// Ends it in good order, cutting the connections that are open.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub async fn stop(mut self) -> std::io::Result<ExitStatus> {
        let status = self.process.stop(Signal::INT, STOP_WITHIN).await?;
        // A file that stays is harmless: the next start sees that its process is gone.
        let _gone = fs::remove_file(record(&self.place.data));
        Ok(status)
    }
}

impl Place {
    /// Finds the programs and the user, and makes the cluster if there is none.
    async fn prepare(options: PostgresOptions) -> Result<Self, StartError> {
        let doing = StartError::io(format!("find {}", options.data.display()));
        let data = options.data.canonicalize().map_err(doing)?;
        let account = Account::for_postgres()?;
        let place = Self {
            binaries: binaries_for(&data).await?,
            account,
            password: password(&data.join("password"))?,
            port: options.port.map_or_else(fresh_port, Ok)?,
            fast: options.fast,
            data,
        };
        place.make_cluster().await?;
        Ok(place)
    }

    async fn make_cluster(&self) -> Result<(), StartError> {
        if let Some(account) = &self.account {
            account.reaches(&self.cluster())?;
            account.give(&self.data)?;
            account.give(&self.data.join("password"))?;
        }
        if self.cluster().exists() {
            return Ok(());
        }
        // Made beside its place and moved there whole, so that a start cut short leaves no half of one.
        let half = self.data.join("cluster.new");
        if half.exists() {
            fs::remove_dir_all(&half).map_err(StartError::io("remove a half-made cluster"))?;
        }
        let password = self.data.join("password");
        init(
            &self.binaries,
            self.account.as_ref(),
            &half,
            &password,
            self.fast,
        )
        .await?;
        fs::rename(half, self.cluster()).map_err(StartError::io("put the new cluster in its place"))
    }

    fn cluster(&self) -> PathBuf {
        self.data.join("cluster")
    }

    fn log(&self) -> PathBuf {
        self.data.join("postgres.log")
    }

    fn url(&self, database: &str) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://duplex:{password}@127.0.0.1:{port}/{database}")
    }

    fn command(&self, log: File) -> std::io::Result<Command> {
        // SIGINT is Postgres' fast shutdown.
        let mut command = dying_with_us(&self.binaries.program("postgres"), "INT");
        command
            .arg("-D")
            .arg(self.cluster())
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1"])
            .args([
                "-c",
                "unix_socket_directories=",
                "-c",
                "shared_buffers=32MB",
                "-c",
                "max_connections=60",
            ])
            .args([
                "-c",
                "logging_collector=off",
                "-c",
                "log_destination=stderr",
            ])
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        if self.fast {
            command.args([
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ]);
        }
        if let Some(account) = &self.account {
            account.take_on(&mut command);
        }
        Ok(command)
    }
}

/// The programs that fit the cluster in `data`, or the newest if there is none yet.
async fn binaries_for(data: &Path) -> Result<PostgresBinaries, StartError> {
    let folder = data.join("cluster");
    let Ok(made_by) = fs::read_to_string(folder.join("PG_VERSION")) else {
        return find_postgres(None).await;
    };
    let found = made_by.trim().to_owned();
    match find_postgres(found.parse().ok()).await {
        Err(StartError::Missing { .. }) => Err(StartError::OtherPostgres { folder, found }),
        outcome => outcome,
    }
}

/// After a crash the last server's processes need a moment to see that it is gone.
fn still_in_use(words: &str) -> bool {
    words.contains("shared memory block")
}

fn fresh_port() -> Result<u16, StartError> {
    free_port().map_err(StartError::io("find a free port for Postgres"))
}

fn record(data: &Path) -> PathBuf {
    data.join("postgres.pid.json")
}

async fn end_left_over(data: &Path) {
    if let Some(left) = Identity::read(&record(data))
        && left.end(Signal::INT, STOP_WITHIN).await
    {
        tracing::info!(
            pid = left.pid,
            "ended a Postgres that an earlier process had left running"
        );
    }
}

async fn launch(place: &Place) -> Result<Process, StartError> {
    let command = File::create(place.log()).and_then(|log| place.command(log));
    let command = command.map_err(StartError::io("write Postgres' log"))?;
    // Dropped, it ends at once and in good order: SIGQUIT lets it take its processes and memory along.
    let mut process = Process::start(command, Signal::QUIT)
        .await
        .map_err(StartError::io("start Postgres"))?;
    let kept = process.identity().write(&record(&place.data));
    kept.map_err(StartError::io("note Postgres' process number"))?;
    until_ready(&mut process, place).await?;
    Ok(process)
}

async fn until_ready(process: &mut Process, place: &Place) -> Result<(), StartError> {
    let deadline = Instant::now() + READY_WITHIN;
    while !is_ready(&place.cluster(), process.pid()) {
        if let Ok(Some(status)) = process.try_exited() {
            return Err(StartError::Stopped {
                server: "Postgres",
                status: status.to_string(),
                last: last_words(&place.log()),
            });
        }
        if Instant::now() >= deadline {
            return Err(StartError::NotReady {
                server: "Postgres",
                seconds: READY_WITHIN.as_secs(),
                log: place.log(),
            });
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Whether this server says `ready` in the eighth line of its `postmaster.pid`, which is what `pg_ctl` reads as well.
fn is_ready(cluster: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    lines.next() == Some(pid.to_string().as_str()) && lines.nth(6).map(str::trim) == Some("ready")
}
