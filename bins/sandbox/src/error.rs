//! Why a command was not started.

use std::ffi::OsString;
use std::io;

/// Each of these means that the command did not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments are not understood; the runner and this program are of different versions.
    #[error("{0:?} is not understood: build and install all of Duplex's programs together")]
    Usage(OsString),
    /// Nothing stands behind `--`.
    #[error("there is no command to run: give it behind --")]
    NoCommand,
    /// A step failed.
    #[error("could not {doing}: {source}")]
    Step {
        /// What was tried, as a verb phrase.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The filter for system calls could not be installed.
    #[error("could not install the filter for system calls: {0}")]
    Filter(String),
    /// The command itself could not be executed.
    #[error("{}: {source}", program.display())]
    Exec {
        /// Which program.
        program: OsString,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// As shells have it: 127 for a command that is not there, 126 for everything else that kept it from running.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            _ => 126,
        }
    }

    pub(crate) fn doing<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Step {
            doing,
            source: source.into(),
        }
    }
}
