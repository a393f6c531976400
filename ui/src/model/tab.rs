//! What the browser's tab says of a session.

use duplex_domain::{EndReason, Session, State};

/// What a person who looks elsewhere has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// Nothing.
    Calm,
    /// The agent works.
    Works,
    /// The agent waits for somebody's answer.
    Asks,
    /// The budget is used up.
    Spent,
    /// The last turn failed.
    Failed,
}

impl Tab {
    /// What the tab of a session has to say.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let failed = matches!(
            session.ended_with,
            Some(EndReason::Error | EndReason::RunnerLost | EndReason::Refused)
        );
        match session.state {
            State::Ended => Self::Calm,
            _ if !session.approvals.is_empty() => Self::Asks,
            _ if session.is_spent() => Self::Spent,
            _ if session.turn.is_some() => Self::Works,
            _ if failed && session.queue.is_empty() => Self::Failed,
            _ => Self::Calm,
        }
    }

    /// The tab's title; `short` tells sessions of the same name apart.
    #[must_use]
    pub fn title(self, title: &str, short: &str) -> String {
        let begins = match self {
            Self::Calm => "",
            Self::Works => "◌ Works – ",
            Self::Asks => "● Waits for you – ",
            Self::Spent => "● Budget used up – ",
            Self::Failed => "✕ Failed – ",
        };
        match title {
            "" => format!("{begins}{short} — Duplex"),
            title => format!("{begins}{title} · {short} — Duplex"),
        }
    }

    /// The word for the tab's picture.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Self::Calm => "",
            Self::Works => "works",
            Self::Asks | Self::Spent => "asks",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::Budget;

    fn session() -> Session {
        Session {
            state: State::Active,
            ..Session::default()
        }
    }

    #[test]
    fn a_tab_says_what_the_session_needs() {
        let mut session = session();
        assert_eq!(Tab::of(&session), Tab::Calm);
        session.ended_with = Some(EndReason::RunnerLost);
        assert_eq!(Tab::of(&session), Tab::Failed);
        session.budget = Some(Budget { pico: 0 });
        assert_eq!(Tab::of(&session), Tab::Spent);
        session.state = State::Ended;
        assert_eq!(Tab::of(&session), Tab::Calm);
    }

    #[test]
    fn the_title_begins_with_it() {
        assert_eq!(
            Tab::Asks.title("Mend it", "0000abcd"),
            "● Waits for you – Mend it · 0000abcd — Duplex"
        );
        assert_eq!(Tab::Calm.title("", "0000abcd"), "0000abcd — Duplex");
    }
}
