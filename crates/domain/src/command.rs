//! What people can ask of a session.

use crate::{
    Again, Blob, CallId, Delivery, MessageId, Mode, Role, Size, TerminalId, TurnId, UserId, Verdict,
};
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
    /// Have a queued message read at another time.
    ChooseDelivery {
        /// Which message.
        message: MessageId,
        /// When.
        delivery: Delivery,
    },
    /// Move a queued message of one's own.
    MoveMessage {
        /// Which message.
        message: MessageId,
        /// The message it shall come before; without it, the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<MessageId>,
    },
    /// Run one more turn without a new message.
    Again {
        /// What it shall do.
        again: Again,
    },
    /// Sum the conversation up, to make room in the model's window.
    Compact,
    /// Answer a tool call that waits for it.
    Decide {
        /// The call.
        call: CallId,
        /// The answer.
        #[serde(flatten)]
        verdict: Verdict,
    },
    /// Let the agent do more, or less, without asking.
    ChooseMode {
        /// How much.
        mode: Mode,
    },
    /// Let calls like these run without approval.
    AddRule {
        /// A rule such as `bash(git *)`.
        rule: String,
    },
    /// Have such calls ask again.
    RemoveRule {
        /// The rule.
        rule: String,
    },
    /// Limit what the session may cost.
    SetBudget {
        /// Picodollars; without it, no limit.
        #[serde(default)]
        pico: Option<u64>,
    },
    /// Put the files back to a checkpoint: first without `tree`, which shows what would change.
    Restore {
        /// Which checkpoint.
        checkpoint: u32,
        /// The files as they were when it was shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<String>,
    },
    /// Leave the files as they are after all.
    CancelRestore,
    /// Commit the files to the session's branch.
    Commit {
        /// The commit's message.
        message: String,
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
    /// Give the keyboard to somebody, or put it down for whoever types next.
    GiveControl {
        /// To whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<UserId>,
    },
    /// Ask who has the keyboard to give it away.
    AskControl,
    /// Keep the keyboard that somebody asked for; or, for who asked, need it no more.
    DeclineControl {
        /// Who asked.
        user: UserId,
    },
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
    /// Give a terminal a name, or take it away.
    RenameTerminal {
        /// Which one.
        terminal: TerminalId,
        /// At most 40 characters; empty for none.
        name: String,
    },
    /// Keep nothing of what is typed into a terminal, or keep it again.
    SetPrivateInput {
        /// Which one.
        terminal: TerminalId,
        /// Whether it shall be private.
        on: bool,
    },
    /// End a terminal's processes.
    CloseTerminal {
        /// Which terminal.
        terminal: TerminalId,
    },
    /// Make what was typed in this session unreadable for good, and keep nothing of it from here on.
    ForgetKeys,
    /// End the session.
    End,
    /// Open an ended session again.
    Reopen,
}
