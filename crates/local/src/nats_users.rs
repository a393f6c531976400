//! Who signs in to a private nats-server, and with which passwords.

use crate::StartError;
use crate::files::password;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Who may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// One for each process, who may do what nats-users.conf lists.
    PerProcess,
    /// One who may do everything: only for tests and measurements of parts alone.
    One,
}

/// A user of nats-users.conf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatsUser {
    /// Makes streams and buckets, and checks them.
    Setup,
    /// The edge.
    Edge,
    /// The runner.
    Runner,
    /// The projector.
    Projector,
}

impl NatsUser {
    /// Everyone.
    pub const ALL: [Self; 4] = [Self::Setup, Self::Edge, Self::Runner, Self::Projector];

    /// The name it signs in with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Edge => "edge",
            Self::Runner => "runner",
            Self::Projector => "projector",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Setup => "DUPLEX_NATS_SETUP_PASSWORD",
            Self::Edge => "DUPLEX_NATS_EDGE_PASSWORD",
            Self::Runner => "DUPLEX_NATS_RUNNER_PASSWORD",
            Self::Projector => "DUPLEX_NATS_PROJECTOR_PASSWORD",
        }
    }
}

/// Everyone's password, in the order of [`NatsUser::ALL`].
#[derive(Clone)]
pub(crate) struct Passwords {
    users: Users,
    all: [String; 4],
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passwords({:?})", self.users)
    }
}

impl Passwords {
    /// The passwords kept in the folder `passwords`, made at the first start. The one password that earlier versions
    /// gave to every process is good for nothing any more, and removed.
    pub(crate) fn keep(data: &Path, users: Users) -> Result<Self, StartError> {
        let folder = data.join("passwords");
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(StartError::io(format!("make {}", folder.display())))?;
        let mut all = [const { String::new() }; 4];
        for (kept, user) in all.iter_mut().zip(NatsUser::ALL) {
            *kept = password(&folder.join(user.name()))?;
        }
        let shared = data.join("password");
        match fs::remove_file(&shared) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StartError::io(format!(
                "remove {}",
                shared.display()
            ))(error)),
            _ => Ok(Self { users, all }),
        }
    }

    /// The name and password of a user.
    pub(crate) fn of(&self, user: NatsUser) -> (&'static str, &str) {
        let [setup, edge, runner, projector] = &self.all;
        match (self.users, user) {
            (Users::One, _) => ("duplex", setup),
            (Users::PerProcess, NatsUser::Setup) => (user.name(), setup),
            (Users::PerProcess, NatsUser::Edge) => (user.name(), edge),
            (Users::PerProcess, NatsUser::Runner) => (user.name(), runner),
            (Users::PerProcess, NatsUser::Projector) => (user.name(), projector),
        }
    }

    /// What the configuration reads them from, quoted as it wants text.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let passwords = self.all.iter().map(|password| format!("\"{password}\""));
        NatsUser::ALL
            .map(NatsUser::variable)
            .into_iter()
            .zip(passwords)
    }
}
