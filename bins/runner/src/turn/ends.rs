//! Why a turn goes no further.

use crate::scribe::Lost;
use duplex_domain::{EndReason, Problem};
use duplex_provider::Error;

/// Why a turn goes no further.
pub(super) enum Stop {
    /// It is over.
    Over(EndReason, Option<Problem>),
    /// The session is somebody else's.
    Lost,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

pub(super) const INTERRUPTED: Stop = Stop::Over(EndReason::Interrupted, None);

pub(super) fn over(reason: EndReason, code: &str, message: String, retryable: bool) -> Stop {
    Stop::Over(reason, Some(problem(code, message, retryable)))
}

pub(super) fn problem(code: &str, message: String, retryable: bool) -> Problem {
    let code = code.to_owned();
    Problem {
        code,
        message,
        retryable,
    }
}

pub(super) fn of_error(error: &Error) -> Problem {
    problem(error.code(), error.to_string(), error.retryable())
}

pub(super) fn refused(explanation: Option<String>) -> Stop {
    let message = explanation.unwrap_or_else(|| "the model declined to answer".to_owned());
    over(EndReason::Refused, "refused", message, false)
}

pub(super) fn unknown_stop(reason: &str) -> Stop {
    let message = format!("the provider stopped for a reason unknown here: {reason}");
    over(EndReason::Error, "unknown_stop", message, true)
}

pub(super) fn bad_call() -> Stop {
    let message = "the model asked for a tool in a way that cannot be read; retry";
    over(EndReason::Error, "bad_tool_call", message.to_owned(), true)
}

pub(super) fn too_many_steps(most: u32) -> Stop {
    let message = format!("the turn made {most} model calls; press Continue to go on");
    over(EndReason::Steps, "too_many_steps", message, true)
}

pub(super) fn too_long(most: std::time::Duration) -> Stop {
    let minutes = most.as_secs() / 60;
    let message = format!("the turn ran for {minutes} minutes; press Continue to go on");
    over(EndReason::Time, "too_long", message, true)
}

pub(super) fn spent() -> Stop {
    let message = "the session has cost what it may; raise its budget to go on";
    over(EndReason::Budget, "budget", message.to_owned(), true)
}

pub(super) fn team_spent() -> Stop {
    let message =
        "the team has spent this month's money; an owner of the team can raise its budget";
    over(EndReason::Budget, "team_budget", message.to_owned(), true)
}

pub(super) fn turn_spent() -> Stop {
    let message = "the turn has cost as much as one turn may; press Continue to go on";
    over(EndReason::Budget, "turn_budget", message.to_owned(), true)
}

pub(super) fn no_room() -> Stop {
    let message = "the conversation does not fit the model's window even when summed up; \
start a new session, or choose a model with a larger window";
    over(
        EndReason::Length,
        "context_window",
        message.to_owned(),
        false,
    )
}
