//! What keeps a session's processes to their worktree, and how a command is started in it.

mod args;
mod bubblewrap;
mod groups;
mod probe;
mod report;
mod users;

use std::ffi::OsString;
use std::fmt;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Worktree;

pub use bubblewrap::Bubblewrap;
pub use probe::SandboxError;
pub use report::{Layer, Report, State};
pub use users::Users;

pub(crate) use users::assigned;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Programs differ on how the names are written. The address is that of the forwarder inside.
const PROXIED: [(&str, &str); 5] = [
    ("HTTP_PROXY", "http://127.0.0.1:3128"),
    ("HTTPS_PROXY", "http://127.0.0.1:3128"),
    ("http_proxy", "http://127.0.0.1:3128"),
    ("https_proxy", "http://127.0.0.1:3128"),
    ("no_proxy", "localhost,127.0.0.1,::1"),
];

/// What the operator asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
    /// Namespaces through bubblewrap; it is an error if they cannot be had.
    #[default]
    Bubblewrap,
    /// Nothing but a clean environment.
    Off,
}

impl SandboxMode {
    /// As written in configuration and shown on pages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bubblewrap => "bubblewrap",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for SandboxMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SandboxMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "bubblewrap" => Ok(Self::Bubblewrap),
            "off" => Ok(Self::Off),
            other => Err(format!("{other:?} is not a sandbox: use bubblewrap or off")),
        }
    }
}

/// A sandbox that was seen to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sandbox {
    /// Own user, process, network, mount, ipc and host name spaces.
    Bubblewrap(Box<Bubblewrap>),
    /// The command runs as the server's user, with a clean environment and its own HOME.
    Off,
}

/// How to start a command: plain data, for pipes and terminals alike.
///
/// Whoever starts it must clear the environment first, and must start it from a thread that lives as long as the
/// command: bubblewrap ends the command when the *thread* that started it ends (`PR_SET_PDEATHSIG`, prctl(2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program to execute.
    pub program: PathBuf,
    /// Its arguments, without the program's own name.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// The folder to start it in.
    pub cwd: PathBuf,
}

impl Sandbox {
    /// Finds out whether the sandbox works here by running a command in it. Never falls back to a weaker one.
    pub async fn probe(mode: SandboxMode) -> Result<Self, SandboxError> {
        Self::probe_as(mode, Users::default()).await
    }

    /// The same, with the users that sessions are given where this server may become them; the report says whether.
    pub async fn probe_as(mode: SandboxMode, users: Users) -> Result<Self, SandboxError> {
        match mode {
            SandboxMode::Bubblewrap => Ok(Self::Bubblewrap(Box::new(
                Bubblewrap::probe(&on_path("bwrap"), users).await?,
            ))),
            SandboxMode::Off => Ok(Self::Off),
        }
    }

    /// The sandbox's name as it is recorded and shown.
    #[must_use]
    pub fn tier(&self) -> &'static str {
        match self {
            Self::Bubblewrap(_) => SandboxMode::Bubblewrap.name(),
            Self::Off => SandboxMode::Off.name(),
        }
    }

    /// The same sandbox with a way out: an HTTP proxy that listens on a socket at this path. Inside it is reached at
    /// the address that programs expect in `HTTPS_PROXY`. Without a sandbox nothing changes. The socket becomes one
    /// that every user may connect to, sessions' own users too: the folder it lies in decides who reaches it.
    #[must_use]
    pub fn with_proxy(&self, socket: &Path) -> Self {
        let mut sandbox = self.clone();
        if let Self::Bubblewrap(bubblewrap) = &mut sandbox {
            if bubblewrap.users.is_some() {
                // Where this fails nothing inside reaches the proxy, and its commands say so.
                let _ = std::fs::set_permissions(socket, Permissions::from_mode(0o666));
            }
            bubblewrap.proxy = Some(socket.to_owned());
        }
        sandbox
    }

    /// The same sandbox with more of the host to be read, such as a toolchain. Without a sandbox nothing changes.
    #[must_use]
    pub fn with_readable(&self, folders: &[PathBuf]) -> Self {
        let mut sandbox = self.clone();
        if let Self::Bubblewrap(bubblewrap) = &mut sandbox {
            bubblewrap.readable.extend_from_slice(folders);
        }
        sandbox
    }

    /// The users that sessions are given, if they are given any.
    pub(crate) fn users(&self) -> Option<&Users> {
        match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.users.as_ref(),
            Self::Off => None,
        }
    }

    /// What protects here, layer by layer, as the probe found it.
    #[must_use]
    pub fn report(&self) -> Report {
        match self {
            Self::Bubblewrap(bubblewrap) => bubblewrap.report.clone(),
            Self::Off => Report::off(),
        }
    }

    /// How to start `argv` in `cwd`, with `env` on top of a small clean environment. `terminal`: the command gets a
    /// PTY of its own as controlling terminal; without it, it gets a session without any.
    #[must_use]
    pub fn launch(
        &self,
        worktree: &Worktree,
        argv: &[String],
        env: &[(String, String)],
        cwd: &Path,
        terminal: bool,
    ) -> Launch {
        let env = environment(worktree, env, terminal);
        match self {
            Self::Bubblewrap(bubblewrap) => {
                let mut env = env;
                if bubblewrap.proxy.is_some() {
                    env.extend(PROXIED.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                bubblewrap.launch(worktree, argv, env, cwd, terminal)
            }
            Self::Off => Launch {
                program: argv.first().map(PathBuf::from).unwrap_or_default(),
                args: argv.iter().skip(1).map(OsString::from).collect(),
                env,
                cwd: cwd.to_owned(),
            },
        }
    }
}

/// The full path of a program, since a terminal takes no other; its bare name if it is nowhere.
fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = places.find(|place| place.is_absolute() && place.is_file());
    found.unwrap_or_else(|| name.into())
}

/// One of Duplex's own programs: beside the running one, or in the folder above, as cargo lays out tests.
fn beside(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let mut places = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name));
    let found = places.find(|place| place.is_file());
    found.unwrap_or_else(|| own.with_file_name(name))
}

/// Built from nothing, never from the server's own: that one holds keys.
fn environment(
    worktree: &Worktree,
    given: &[(String, String)],
    terminal: bool,
) -> Vec<(String, String)> {
    let home = worktree.home.to_string_lossy();
    let base = [
        ("TERM", if terminal { "xterm-256color" } else { "dumb" }),
        ("LANG", "C.UTF-8"),
        ("HOME", &home),
        ("PATH", PATH),
        ("USER", "duplex"),
        ("LOGNAME", "duplex"),
        ("SHELL", "/bin/bash"),
    ];
    let given_name = |name: &str| given.iter().any(|(other, _)| other == name);
    let mut env: Vec<_> = base
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    env.retain(|(name, _)| !given_name(name));
    env.extend_from_slice(given);
    env
}
