//! What can stand between a person and a session.

use duplex_domain::Refusal;
use duplex_eventlog::{AppendError, KeysError};

/// A session cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// It does not exist, or not for this person.
    #[error("there is no such session")]
    NotFound,
    /// The log or the views cannot be reached now.
    #[error("the session cannot be read now; try again in a moment")]
    Unavailable,
}

/// A command did not become an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The session does not exist, or not for this person.
    #[error("there is no such session")]
    NotFound,
    /// The domain says no.
    #[error(transparent)]
    Refused(Refusal),
    /// Others' events came first, again and again.
    #[error("too much happens in this session at once; try again")]
    Contended,
    /// The event is larger than the log takes.
    #[error("this is too large for the log; make it smaller")]
    TooLarge,
    /// The log has no room.
    #[error("the log is full; ask the operator to make room")]
    Full,
    /// No runner holds the session, so nobody takes its keys.
    #[error("no runner serves this session now; wait until one does")]
    NoRunner,
    /// The runner did not take the keys.
    #[error("{message}")]
    KeysRefused {
        /// A word for programs.
        code: String,
        /// A sentence for people.
        message: String,
    },
    /// The runner did not answer; the keys are not sent again.
    #[error("the runner did not answer; the keys may not have been typed")]
    Unanswered,
    /// The log or the views cannot be reached now; whether the command got through is not known. The same id again
    /// is safe.
    #[error("the server cannot reach the log now; try again in a moment")]
    Unavailable,
}

impl From<WatchError> for SubmitError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::NotFound => Self::NotFound,
            WatchError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Refusal> for SubmitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotAMember => Self::NotFound,
            refusal => Self::Refused(refusal),
        }
    }
}

impl From<AppendError> for SubmitError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict { .. } => Self::Contended,
            AppendError::TooLarge => Self::TooLarge,
            AppendError::Full(_) => {
                tracing::error!("{error}");
                Self::Full
            }
            AppendError::Rejected(_) => {
                tracing::error!("{error}");
                Self::Unavailable
            }
        }
    }
}

impl From<KeysError> for SubmitError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Refused { code, message } => Self::KeysRefused { code, message },
            KeysError::NoRunner => Self::NoRunner,
            KeysError::Unanswered => Self::Unanswered,
        }
    }
}
