//! One whole server, started as people start it, and gone with the test.

use crate::{Person, wait_for};
use anyhow::{Context as _, bail};
use duplex_provider_double as double;
use serde::Deserialize;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct StackOptions {
    /// The sandbox of tools and terminals.
    pub sandbox: &'static str,
    /// Whether the runner is given a key (the scripted provider's).
    pub key: bool,
    /// Whether the log syncs every append to disk.
    pub sync: bool,
    /// Use release binaries where they exist: for measurements.
    pub release: bool,
    /// More variables of its environment.
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            sandbox: "bubblewrap",
            key: true,
            sync: true,
            release: false,
            variables: Vec::new(),
        }
    }
}

/// A process of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// Serves people.
    Edge,
    /// Folds the log into Postgres.
    Projector,
    /// Runs agents and terminals.
    Runner,
    /// The log.
    Nats,
    /// The views and accounts.
    Postgres,
}

impl Process {
    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Projector => "projector",
            Self::Runner => "runner",
            Self::Nats => "nats",
            Self::Postgres => "postgres",
        }
    }
}

/// A running server with a workspace and a scripted provider.
pub struct Stack {
    /// Where people reach it.
    pub url: String,
    /// The scripted provider.
    pub provider: double::Handle,
    /// A git repository to open sessions on.
    pub workspace: PathBuf,
    /// Where the log is, for the user who makes its streams and may read it.
    pub nats_url: String,
    options: StackOptions,
    folder: TempDir,
    up: Child,
}

/// What `duplex up` writes about itself.
#[derive(Deserialize)]
struct Run {
    pids: std::collections::HashMap<String, u32>,
    urls: std::collections::HashMap<String, String>,
}

impl Stack {
    /// Starts a server.
    ///
    /// # Errors
    /// When it does not come up; the text holds the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(StackOptions::default()).await
    }

    /// Starts a server with options.
    ///
    /// # Errors
    /// When it does not come up; the text holds the end of its log.
    pub async fn start_with(options: StackOptions) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("duplex-test-")?;
        // Postgres runs as its own user and must be able to reach its folder.
        std::fs::set_permissions(folder.path(), world_readable())?;
        let provider = double::start(strict()).await?;
        let workspace = folder.path().join("app");
        make_repository(&workspace).await?;
        let port = free_port()?;
        let up = spawn_up(folder.path(), &options, &provider.base_url(), port)?;
        let mut stack = Self {
            url: format!("http://127.0.0.1:{port}"),
            provider,
            workspace,
            nats_url: String::new(),
            options,
            folder,
            up,
        };
        stack.wait_until_ready().await?;
        stack.nats_url = stack.run()?.urls.remove("nats").unwrap_or_default();
        Ok(stack)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let url = format!("{}/readyz", self.url);
        let ready = wait_for("the server to be ready", async || {
            if let Ok(Some(status)) = self.up.try_wait() {
                bail!("`duplex up` ended with {status}");
            }
            if self.run().is_err() {
                return Ok(None);
            }
            let answer = reqwest::get(&url).await.ok();
            Ok(answer.filter(|answer| answer.status().is_success()))
        });
        let ready = ready.await.map(drop);
        ready.with_context(|| self.log_tail())
    }

    /// The end of the server's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("up.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// The folder of everything that the server keeps: log, views, accounts, logs.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where the log is, for one of its users: `setup`, `edge`, `runner` or `projector`.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn nats_url_of(&self, user: &str) -> anyhow::Result<String> {
        let file = self.data().join("nats/passwords").join(user);
        let password = std::fs::read_to_string(file)?;
        let (_, address) = self.nats_url.split_once('@').context("no address")?;
        Ok(format!("nats://{user}:{}@{address}", password.trim()))
    }

    fn run(&self) -> anyhow::Result<Run> {
        let text = std::fs::read_to_string(self.data().join("run.json"))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// A process's id as it is now.
    ///
    /// # Errors
    /// When it is not running.
    pub fn pid(&self, process: Process) -> anyhow::Result<u32> {
        let pids = self.run()?.pids;
        let pid = pids.get(process.name()).copied();
        pid.with_context(|| format!("no {} is running", process.name()))
    }

    /// Kills a process with SIGKILL. `duplex up` starts it again.
    ///
    /// # Errors
    /// When it is not running.
    pub async fn kill(&self, process: Process) -> anyhow::Result<u32> {
        let pid = self.pid(process)?;
        let killed = Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .await?;
        anyhow::ensure!(killed.success(), "kill -9 {pid} failed");
        Ok(pid)
    }

    /// Waits until a killed process has a successor.
    ///
    /// # Errors
    /// When none comes.
    pub async fn wait_for_successor(&self, process: Process, of: u32) -> anyhow::Result<u32> {
        let what = format!("a new {}", process.name());
        wait_for(&what, async || {
            Ok(self.pid(process).ok().filter(|pid| *pid != of))
        })
        .await
    }

    /// The one-time setup secret.
    ///
    /// # Errors
    /// When the server is set up already.
    pub fn setup_secret(&self) -> anyhow::Result<String> {
        let file = self.data().join("edge").join("setup-link");
        let link = std::fs::read_to_string(&file)
            .with_context(|| format!("{} is not there", file.display()))?;
        let secret = link
            .trim()
            .rsplit_once('#')
            .map(|(_, secret)| secret.to_owned());
        secret.context("the setup link holds no secret")
    }

    /// Sets the server up and signs its first owner in.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ada(&self) -> anyhow::Result<Person> {
        let secret = self.setup_secret()?;
        Person::sets_up(&self.url, &secret, "Ada", "ada@example.org").await
    }

    /// Has `duplex verify` compare the views with the log, and gives what it says.
    ///
    /// # Errors
    /// With its words, when a view differs.
    pub async fn verify(&self) -> anyhow::Result<String> {
        self.verify_with(&[]).await
    }

    /// Has `duplex verify` empty the views; the projector builds them anew.
    ///
    /// # Errors
    /// With its words, when it cannot.
    pub async fn rebuild_views(&self) -> anyhow::Result<String> {
        self.verify_with(&["--rebuild"]).await
    }

    async fn verify_with(&self, options: &[&str]) -> anyhow::Result<String> {
        let mut verify = Command::new(binary("duplex", self.options.release)?);
        verify.arg("verify").args(options);
        let said = verify.arg("--data").arg(self.data()).output().await?;
        let words = String::from_utf8_lossy(&said.stdout).into_owned();
        let problem = String::from_utf8_lossy(&said.stderr);
        anyhow::ensure!(said.status.success(), "{words}{problem}");
        Ok(words)
    }

    /// Stops the server as Ctrl-C does, and starts it again on the same data.
    ///
    /// # Errors
    /// When it does not stop or come back.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        let port = self.url.rsplit_once(':').map(|(_, port)| port.parse());
        let port = port.context("the address has no port")??;
        let provider = self.provider.base_url();
        self.up = spawn_up(self.folder.path(), &self.options, &provider, port)?;
        self.wait_until_ready().await
    }

    /// Stops the server as Ctrl-C does.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let pid = self.up.id().context("the server has stopped already")?;
        Command::new("kill")
            .args(["-INT", &pid.to_string()])
            .status()
            .await?;
        let stopped = tokio::time::timeout(crate::DEADLINE, self.up.wait()).await;
        stopped.context("the server did not stop")??;
        Ok(())
    }
}

impl Drop for Stack {
    /// Ends what a failed test left: every process that was started for it.
    fn drop(&mut self) {
        let pids = self.run().map(|run| run.pids).unwrap_or_default();
        let up = self.up.id().into_iter();
        for pid in up.chain(pids.into_values()) {
            let _ = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// A provider that holds the runner to a history that only grows.
fn strict() -> double::Options {
    double::Options {
        own_history: true,
        ..double::Options::default()
    }
}

fn world_readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

async fn make_repository(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::write(path.join("README.md"), "# app\n")?;
    for args in [
        &["init", "-q", "-b", "main"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.org",
            "commit",
            "-qm",
            "Begin",
        ],
    ] {
        let done = Command::new("git")
            .args(args)
            .current_dir(path)
            .status()
            .await?;
        anyhow::ensure!(done.success(), "git {args:?} failed");
    }
    Ok(())
}

fn spawn_up(
    folder: &Path,
    options: &StackOptions,
    provider: &str,
    port: u16,
) -> anyhow::Result<Child> {
    let program = binary("duplex", options.release)?;
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.join("up.log"))?;
    let mut command = Command::new(program);
    command
        .arg("up")
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .args(["--sandbox", options.sandbox])
        .arg("--root")
        .arg(folder)
        .arg("--workspace")
        .arg(folder.join("app"))
        .args(["--anthropic-base-url", provider])
        .env_remove("ANTHROPIC_API_KEY")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command.envs(options.variables.iter().copied());
    if options.key {
        command.env("DUPLEX_ANTHROPIC_API_KEY", "scripted-key");
    }
    if !options.sync {
        command.env("DUPLEX_NATS_SYNC", "2m");
    }
    Ok(command.spawn()?)
}

/// A program of this workspace, built beside the running test.
fn binary(name: &str, release: bool) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let mut folders = own.ancestors().skip(1);
    let profile = folders.find(|folder| folder.join(name).is_file());
    let target = own
        .ancestors()
        .find(|folder| folder.join("release").join(name).is_file());
    let found = match (release, target) {
        (true, Some(target)) => Some(target.join("release").join(name)),
        _ => profile.map(|folder| folder.join(name)),
    };
    found.with_context(|| format!("{name} is not built; run `cargo build --workspace` first"))
}
