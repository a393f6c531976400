//! Who is here and what they look at: never in the log, and gone with their pages.

use duplex_domain::{Place, TerminalId, UserId};
use serde::{Deserialize, Serialize};

/// Which part of a session's page somebody is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "pane", rename_all = "snake_case")]
pub enum Pane {
    /// The chat.
    #[default]
    Chat,
    /// A terminal.
    Terminal {
        /// Which one.
        terminal: TerminalId,
    },
    /// None: the page is not on the screen.
    Away,
}

/// What a page says of the person at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Here {
    /// Where they are.
    #[serde(flatten)]
    pub pane: Pane,
    /// Whether they type there; to be said again while it lasts, since it is forgotten after some seconds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub typing: bool,
    /// The topmost item of the chat they see; none while they follow its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<Place>,
}

/// Somebody who has the session on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Who.
    pub user: UserId,
    /// Where they were last seen; the page they used last speaks for their other ones.
    #[serde(flatten)]
    pub here: Here,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use serde_json::json;

    #[test]
    fn presence_is_flat_and_leaves_out_what_it_need_not_say() {
        let user = UserId::default();
        let here = Here::default();
        let told = serde_json::to_value(Present { user, here }).unwrap();
        assert_eq!(told, json!({"user": user, "pane": "chat"}));

        let terminal = TerminalId::default();
        let said = json!({"pane": "terminal", "terminal": terminal, "typing": true});
        let read: Here = serde_json::from_value(said).unwrap();
        let pane = Pane::Terminal { terminal };
        let typing = true;
        let top = None;
        assert_eq!(read, Here { pane, typing, top });
    }
}
