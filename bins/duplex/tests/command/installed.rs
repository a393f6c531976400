//! An installed `duplex` in a folder of its own, with stand-ins for the three processes.

use duplex_local::{Identity, scratch_dir};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const DEADLINE: Duration = Duration::from_mins(1);

/// What `duplex up` writes about itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    pub pids: BTreeMap<String, u32>,
    pub ports: BTreeMap<String, u16>,
    pub processes: BTreeMap<String, Identity>,
}

/// A folder with programs and one for data.
pub struct Installed(TempDir);

impl Installed {
    pub fn new() -> Self {
        let installed = Self(scratch_dir().unwrap());
        std::fs::create_dir(installed.programs()).unwrap();
        let stand_in = built("examples/stand_in");
        link(
            Path::new(env!("CARGO_BIN_EXE_duplex")),
            &installed.program("duplex"),
        );
        for name in ["duplex-edge", "duplex-projector", "duplex-runner"] {
            link(&stand_in, &installed.program(name));
        }
        link(
            &built("duplex-sandbox"),
            &installed.program("duplex-sandbox"),
        );
        installed
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    fn programs(&self) -> PathBuf {
        self.path().join("bin")
    }

    /// `duplex` with arguments, quiet and without a key.
    pub fn duplex(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program("duplex"));
        command
            .args(args)
            .env_remove("DUPLEX_LOG")
            .env_remove("ANTHROPIC_API_KEY")
            .stdin(Stdio::null());
        command
    }

    /// `duplex up` on the data folder and a free port.
    pub fn up(&self) -> Command {
        let mut command = self.duplex(&["up", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(self.data()).arg("--root").arg(self.path());
        command
    }

    /// `duplex up` in the background, once all of it runs. Its words go to `up.log`.
    pub async fn started(&self) -> (Child, Run) {
        self.started_by(self.up()).await
    }

    /// The same with a command that was changed.
    pub async fn started_by(&self, mut command: Command) -> (Child, Run) {
        let log = std::fs::File::create(self.path().join("up.log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut up = command.kill_on_drop(true).spawn().unwrap();
        let welcome = until("the welcome", || {
            assert_eq!(up.try_wait().unwrap(), None, "{}", self.said());
            self.said().contains("Ctrl-C").then_some(())
        });
        welcome.await;
        let run = self.run().unwrap();
        (up, run)
    }

    pub fn run(&self) -> Option<Run> {
        let text = std::fs::read(self.data().join("run.json")).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path().join("up.log")).unwrap()
    }

    /// What a stand-in was told.
    pub fn told(&self, process: &str) -> BTreeMap<String, String> {
        let text = std::fs::read(self.data().join(process).join("environment.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// Waits until `look` finds something.
pub async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn signal(signal: &str, pid: u32) {
    let pid = pid.to_string();
    let sent = Command::new("kill")
        .args(["-s", signal, &pid])
        .status()
        .await;
    assert!(sent.unwrap().success());
}

/// That a command ended with exit code 1, and its only sentence.
pub fn refusal(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}

/// What cargo builds beside the tests.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join(name)
}

fn link(from: &Path, to: &Path) {
    if std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to).unwrap();
    }
}
