//! One of the three processes: how it is started, and how it tells that it is ready.

use crate::config;
use anyhow::{Context as _, bail};
use duplex_local::{Identity, Process, http_ok};
use rustix::process::Signal;
use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// How long a process may take until it is ready for the first time: migrations and a long log included.
const READY_WITHIN: Duration = Duration::from_mins(2);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How to start a process.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    /// All that it is told, besides what every process inherits.
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Variables of ours that the operator's files name for it.
    pub(crate) named: Vec<(String, OsString)>,
    pub(crate) ready: Ready,
    pub(crate) log: PathBuf,
}

/// How a process tells that it is ready.
#[derive(Clone, Debug)]
pub(crate) enum Ready {
    /// It answers `GET /readyz` there with 200.
    Answers(SocketAddr),
    /// It makes this file.
    Makes(PathBuf),
}

/// A started process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) program: Program,
    process: Process,
}

impl Program {
    pub(crate) async fn start(self) -> anyhow::Result<Running> {
        let process = self.launch().await?;
        Ok(Running {
            program: self,
            process,
        })
    }

    async fn launch(&self) -> anyhow::Result<Process> {
        if let Ready::Makes(file) = &self.ready {
            // The last start's file would be taken for this one's; there may be none.
            let _none = std::fs::remove_file(file);
        }
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = Command::new(&self.path);
        command
            .env_clear()
            .envs(config::inherited())
            .env(
                duplex_boot::shutdown::PARENT,
                std::process::id().to_string(),
            )
            .envs(self.named.iter().cloned())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share a log")?)
            .stderr(log);
        Process::start(command, Signal::TERM)
            .await
            .with_context(|| format!("cannot start {}", self.path.display()))
    }

    async fn is_ready(&self) -> bool {
        match &self.ready {
            Ready::Answers(address) => http_ok(*address, "/readyz").await,
            Ready::Makes(file) => file.exists(),
        }
    }

    /// The last thing the process said.
    fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let last = log.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("it said nothing").trim().to_owned()
    }
}

impl Running {
    pub(crate) fn identity(&self) -> &Identity {
        self.process.identity()
    }

    /// Waits until the process is ready for the first time.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let Program { name, log, .. } = &self.program;
        let deadline = Instant::now() + READY_WITHIN;
        while !self.program.is_ready().await {
            if self.process.try_exited()?.is_some() {
                bail!(
                    "the {name} stopped before it was ready: {}",
                    self.program.last_words()
                );
            }
            if Instant::now() >= deadline {
                let seconds = READY_WITHIN.as_secs();
                bail!(
                    "the {name} did not get ready within {seconds} seconds; its log is {}",
                    log.display()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    pub(crate) async fn exited(&mut self) -> String {
        match self.process.exited().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.process = self.program.launch().await?;
        Ok(())
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process.stop(Signal::TERM, STOP_WITHIN).await?;
        Ok(())
    }
}
