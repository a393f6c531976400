//! What people can ask of a session.

use crate::{Blob, Delivery, MessageId, Role, Size, TerminalId, TurnId, UserId};
use serde::{Deserialize, Serialize};

/// Please do this. The same shapes travel over HTTP and the page's socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Say something to the agent. The command's id becomes the message's.
    PostMessage {
        /// What to say; at most 256 KiB.
        text: String,
        /// When the agent shall read it.
        #[serde(default)]
        delivery: Delivery,
    },
    /// Change a message of one's own that is still queued.
    EditMessage {
        /// Which message.
        message: MessageId,
        /// What it shall say.
        text: String,
    },
    /// Take back a queued message.
    WithdrawMessage {
        /// Which message.
        message: MessageId,
    },
    /// Stop the agent.
    Interrupt {
        /// Only this turn; without it, whichever runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnId>,
    },
    /// Give the session another title.
    Rename {
        /// The new title.
        title: String,
    },
    /// Use another model from the next turn on.
    ChooseModel {
        /// The model's id.
        model: String,
    },
    /// Let a person in, or change their role.
    SetMember {
        /// Who.
        user: UserId,
        /// Their name.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// Shut a person out.
    RemoveMember {
        /// Who.
        user: UserId,
    },
    /// Take the keyboard.
    TakeControl,
    /// Open a terminal. The command's id becomes the terminal's.
    OpenTerminal {
        /// Its first size.
        #[serde(flatten)]
        size: Size,
    },
    /// Type into a terminal.
    Type {
        /// Which terminal.
        terminal: TerminalId,
        /// The keys' bytes.
        data: Blob,
    },
    /// Change a terminal's size, for everybody.
    Resize {
        /// Which terminal.
        terminal: TerminalId,
        /// The new size.
        #[serde(flatten)]
        size: Size,
    },
    /// End a terminal's processes.
    CloseTerminal {
        /// Which terminal.
        terminal: TerminalId,
    },
    /// End the session.
    End,
    /// Open an ended session again.
    Reopen,
}
