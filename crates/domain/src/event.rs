//! What can happen in a session.

use crate::{
    Blob, CallId, Epoch, MessageId, Place, Role, RunnerId, Seq, SessionId, TeamId, TerminalId,
    Time, TurnId, Usage, UserId, WorkspaceId,
};
use serde::{Deserialize, Serialize};

/// Which of a session's three subjects an event is appended to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// What changes what is allowed; appended by edges and runners, always guarded.
    Fact,
    /// Keys as they reached a terminal; appended by the lease holder.
    Input,
    /// What the agent, its tools and the terminals put out; appended by the lease holder.
    Output,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::Fact, Self::Input, Self::Output];

    /// The lane's token in a subject.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// Who wrote an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writer {
    /// A person, through an edge.
    User(UserId),
    /// The runner that held the session.
    Runner(RunnerId),
}

/// An event with what is true of every event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The version of the event's meaning.
    pub v: u32,
    /// When it happened, by the writer's clock.
    pub at: Time,
    /// Who wrote it.
    pub by: Writer,
    /// The runner's claim, on what a runner wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The turn it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// What happened.
    pub event: Event,
}

/// A frame read back from the log: 1 to n events of one session and lane, under one sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The session.
    pub session: SessionId,
    /// Its place in the session's stream.
    pub seq: Seq,
    /// The lane it was appended to.
    pub lane: Lane,
    /// What happened, oldest first.
    pub events: Vec<Envelope>,
}

impl Recorded {
    /// The events, each with its place.
    pub fn places(&self) -> impl Iterator<Item = (Place, &Envelope)> {
        (0..).zip(&self.events).map(|(index, event)| {
            let place = Place {
                seq: self.seq,
                index,
            };
            (place, event)
        })
    }
}

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    // ---- fact ----
    /// A person opened the session and owns it.
    Opened {
        /// The session's team.
        team: TeamId,
        /// The workspace it works on.
        workspace: WorkspaceId,
        /// The workspace's folder, to be shown.
        path: String,
        /// The opener's name.
        name: String,
        /// What the session is called; empty until the first message names it.
        title: String,
        /// Which kind of agent answers.
        agent: String,
        /// Which model it uses.
        model: String,
    },
    /// The session got another title.
    Renamed {
        /// The new title.
        title: String,
    },
    /// Later turns use another model.
    ModelChosen {
        /// The model's id.
        model: String,
    },
    /// A person joined, or their role changed.
    MemberSet {
        /// Who.
        user: UserId,
        /// Their name.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// A person may no longer see the session.
    MemberRemoved {
        /// Who.
        user: UserId,
    },
    /// A person took the keyboard.
    ControlTaken {},
    /// A runner took charge of the session, under the envelope's epoch.
    Claimed {
        /// Which runner.
        runner: RunnerId,
        /// How strongly its sandbox holds tools and terminals in.
        sandbox: String,
    },
    /// The runner gave the session back, in good order.
    Released {},
    /// A person sent a message to the agent.
    MessagePosted {
        /// The command's id.
        message: MessageId,
        /// What it says.
        text: String,
        /// When the agent shall read it.
        delivery: Delivery,
    },
    /// The author changed a message that was still queued.
    MessageEdited {
        /// Which message.
        message: MessageId,
        /// What it says now.
        text: String,
    },
    /// A queued message was taken back.
    MessageWithdrawn {
        /// Which message.
        message: MessageId,
    },
    /// The agent began to work on the messages named; the envelope names the turn.
    TurnStarted {
        /// The messages it answers, oldest first.
        messages: Vec<MessageId>,
        /// The model at work.
        model: String,
    },
    /// A person asked the agent to stop; the envelope names the turn.
    InterruptRequested {},
    /// The turn is over, exactly once.
    TurnEnded {
        /// Why.
        reason: EndReason,
        /// What went wrong, if something did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Problem>,
    },
    /// A model call was paid for.
    UsageRecorded {
        /// The model called.
        model: String,
        /// Tokens used.
        usage: Usage,
        /// The price table that was applied; none if the model has no price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<String>,
        /// Picodollars; none if the model has no price.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pico: Option<u64>,
    },
    /// Somebody opened a terminal.
    TerminalOpened {
        /// Which one.
        terminal: TerminalId,
        /// Its first size.
        size: Size,
    },
    /// A terminal's size changed, for everybody.
    TerminalResized {
        /// Which one.
        terminal: TerminalId,
        /// The new size.
        size: Size,
    },
    /// Somebody asked for a terminal's processes to be ended.
    TerminalClosed {
        /// Which one.
        terminal: TerminalId,
    },
    /// A terminal's program ended.
    TerminalExited {
        /// Which one.
        terminal: TerminalId,
        /// How.
        end: TerminalEnd,
    },
    /// The session was ended; nothing more can be asked of it.
    Ended {},
    /// An ended session was opened again.
    Reopened {},

    // ---- input ----
    /// Keys reached a terminal.
    Typed {
        /// Which terminal.
        terminal: TerminalId,
        /// Who typed.
        user: UserId,
        /// How many bytes, rounded up to eight where the terminal did not echo.
        count: u32,
        /// The bytes, sealed with the session's key; empty where they may not be kept.
        #[serde(default, skip_serializing_if = "Blob::is_empty")]
        bytes: Blob,
    },

    // ---- output ----
    /// The model began a part of its answer.
    BlockOpened {
        /// The part's number, counted through the session.
        block: u64,
        /// Which model call of the turn, from 0.
        step: u32,
        /// What kind of part.
        kind: BlockKind,
    },
    /// The model wrote.
    TextDelta {
        /// Which part.
        block: u64,
        /// What it wrote.
        text: String,
    },
    /// The model thought.
    ThinkingDelta {
        /// Which part.
        block: u64,
        /// What it thought.
        text: String,
    },
    /// The model wrote a piece of a tool call's input.
    ToolInputDelta {
        /// Which part.
        block: u64,
        /// A piece of JSON.
        json: String,
    },
    /// The model finished a part of its answer.
    BlockClosed {
        /// Which part.
        block: u64,
        /// The provider's signature over a thinking part; it must be given back unchanged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A tool began to run.
    ToolStarted {
        /// The call.
        call: CallId,
        /// The tool.
        name: String,
    },
    /// A running tool put something out.
    ToolOutput {
        /// The call.
        call: CallId,
        /// How many bytes came before.
        offset: u64,
        /// The bytes, as they came.
        #[serde(default, skip_serializing_if = "Blob::is_empty")]
        bytes: Blob,
    },
    /// A tool is done; every call has exactly one of these.
    ToolFinished {
        /// The call.
        call: CallId,
        /// What the model reads.
        content: String,
        /// Whether it failed.
        is_error: bool,
        /// How long it ran, in milliseconds.
        took: u64,
        /// What it changed, as a unified diff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diff: Option<String>,
    },
    /// A terminal put something out.
    Printed {
        /// Which terminal.
        terminal: TerminalId,
        /// How many bytes came before.
        offset: u64,
        /// The bytes, as they came.
        #[serde(default, skip_serializing_if = "Blob::is_empty")]
        bytes: Blob,
    },
    /// A terminal's screen as it stood: a place to start from instead of the first byte.
    ScreenSaved {
        /// Which terminal.
        terminal: TerminalId,
        /// How many bytes had come.
        offset: u64,
        /// Bytes that draw the screen into a fresh terminal of its size.
        #[serde(default, skip_serializing_if = "Blob::is_empty")]
        bytes: Blob,
    },
    /// Something the people in the session should know.
    Notice {
        /// How bad.
        level: Level,
        /// A word for programs.
        code: String,
        /// A sentence for people.
        text: String,
    },
    /// An event of a newer version than this program knows; kept as it is, shown raw.
    #[serde(untagged)]
    Unknown(serde_json::Value),
}

/// When the agent shall read a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// In a turn of its own, after those before it.
    #[default]
    Queue,
    /// At the next tool boundary of the running turn.
    Steer,
}

/// Why a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent had nothing more to do.
    Complete,
    /// A person stopped it.
    Interrupted,
    /// The answer or the turn reached its limit.
    Length,
    /// The model declined.
    Refused,
    /// Something failed; the problem says what.
    Error,
    /// The money was used up.
    Budget,
    /// The session was ended.
    Ended,
    /// The runner died in the middle.
    RunnerLost,
}

/// What went wrong, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A word for programs.
    pub code: String,
    /// A sentence for people that says what to do.
    pub message: String,
    /// Whether the same thing may work later.
    pub retryable: bool,
}

/// What kind of part of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BlockKind {
    /// Words for the reader.
    Text,
    /// The model's thinking.
    Thinking,
    /// Thinking that only the provider can read; given back unchanged.
    Redacted {
        /// The provider's bytes, as it wrote them.
        data: String,
    },
    /// A tool call.
    Tool {
        /// The call.
        call: CallId,
        /// The tool.
        name: String,
    },
    /// A kind this program does not know; given back unchanged.
    Other {
        /// The provider's own JSON.
        raw: serde_json::Value,
    },
}

/// How a terminal's program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalEnd {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// With its runner.
    Lost,
}

/// How bad a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know.
    Info,
    /// Something is slower or less than it should be.
    Warning,
    /// Something failed.
    Error,
}

/// A terminal's size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// The nearest size that every program and browser can bear: 20×5 to 500×200.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            cols: self.cols.clamp(20, 500),
            rows: self.rows.clamp(5, 200),
        }
    }
}

impl Event {
    /// The lane this event is appended to.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Opened { .. }
            | Self::Renamed { .. }
            | Self::ModelChosen { .. }
            | Self::MemberSet { .. }
            | Self::MemberRemoved { .. }
            | Self::ControlTaken {}
            | Self::Claimed { .. }
            | Self::Released {}
            | Self::MessagePosted { .. }
            | Self::MessageEdited { .. }
            | Self::MessageWithdrawn { .. }
            | Self::TurnStarted { .. }
            | Self::InterruptRequested {}
            | Self::TurnEnded { .. }
            | Self::UsageRecorded { .. }
            | Self::TerminalOpened { .. }
            | Self::TerminalResized { .. }
            | Self::TerminalClosed { .. }
            | Self::TerminalExited { .. }
            | Self::Ended {}
            | Self::Reopened {} => Lane::Fact,
            Self::Typed { .. } => Lane::Input,
            Self::BlockOpened { .. }
            | Self::TextDelta { .. }
            | Self::ThinkingDelta { .. }
            | Self::ToolInputDelta { .. }
            | Self::BlockClosed { .. }
            | Self::ToolStarted { .. }
            | Self::ToolOutput { .. }
            | Self::ToolFinished { .. }
            | Self::Printed { .. }
            | Self::ScreenSaved { .. }
            | Self::Notice { .. }
            | Self::Unknown(_) => Lane::Output,
        }
    }

    /// The bytes the event carries, if its kind carries bytes.
    pub(crate) fn blob_mut(&mut self) -> Option<&mut Blob> {
        match self {
            Self::Typed { bytes, .. }
            | Self::ToolOutput { bytes, .. }
            | Self::Printed { bytes, .. }
            | Self::ScreenSaved { bytes, .. } => Some(bytes),
            // A kind missing above is still kept whole, as base64 within its JSON.
            _ => None,
        }
    }
}
