//! The model's standing instructions, and the notes that tell it what changed since.

use duplex_domain::{Mode, Time};
use duplex_workspace::{Instructions, Worktree};

/// Who the model is and where it works. Nothing in it may change between the calls of a session: models sign their
/// thinking over it.
#[must_use]
pub fn system(worktree: &Worktree) -> String {
    format!(
        "You are the coding agent of Duplex, a server where a team works with you in one session: they read what you \
write as you write it, share a terminal in the same folder, and may stop you at any time.\n\
\n\
You work in the git worktree {tree}, on the branch {branch}. Your tools read, write and edit files in it and run \
commands in a sandbox, without network unless you are told otherwise. Look before you change; keep changes small and in the style of the code \
around them; run the project's own checks when there are any. Say briefly what you do and why, in the language of \
the person who asks. When you are done, say what changed and what you could not check.",
        tree = worktree.tree.display(),
        branch = worktree.branch,
    )
}

/// Which day it is, by UTC.
#[must_use]
pub fn date(now: Time) -> String {
    let (year, month, day) = crate::clock::date(now);
    format!("[Today is {year:04}-{month:02}-{day:02}.]")
}

/// What the agent may do without asking.
#[must_use]
pub fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Ask => {
            "[From now on a person is asked before you change or run anything. Some calls may be denied, with a reason.]"
        }
        Mode::AcceptEdits => {
            "[From now on you may change files without asking; before you run anything a person is asked.]"
        }
        Mode::Plan => {
            "[From now on only read. Work out a plan, and hand it in with the tool exit_plan; once a person has approved \
it you may carry it out.]"
        }
        Mode::Auto => {
            "[From now on you may change and run what the sandbox allows without asking.]"
        }
    }
}

/// Which machines may be reached.
#[must_use]
pub fn network(hosts: Option<&str>) -> String {
    match hosts {
        Some(hosts) => format!(
            "[From now on these machines can be reached, through the proxy that HTTPS_PROXY names, and no others: {hosts}.]"
        ),
        None => "[From now on there is no network.]".to_owned(),
    }
}

/// What the project tells agents.
#[must_use]
pub fn instructions(found: &Instructions) -> String {
    format!(
        "[The project's instructions for you, from {}:]\n{}",
        found.path, found.text
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_calendar_s() {
        for (millis, day) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_795_391_999_999, "2026-11-22"),
            (1_795_392_000_000, "2026-11-23"),
        ] {
            assert_eq!(date(Time(millis)), format!("[Today is {day}.]"));
        }
    }
}
