//! What can happen in a session.

use crate::{
    Blob, Body, CallId, ChangeSize, Epoch, MessageId, Mode, Place, PlanItem, Preview, Role,
    RunnerId, Seq, SessionId, TeamId, TerminalId, Time, ToolKind, TurnId, Usage, UserId, Verdict,
    WorkspaceId,
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
        /// How much the agent does without asking.
        #[serde(default)]
        mode: Mode,
        /// How strongly the workspace's runner holds tools and terminals in; empty if none serves it now.
        #[serde(default)]
        sandbox: String,
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
    /// The agent does more, or less, without asking.
    ModeChosen {
        /// How much.
        mode: Mode,
    },
    /// From now on calls like these need no approval in this session.
    RuleAdded {
        /// A rule such as `bash(git *)`.
        rule: String,
    },
    /// Such calls need approval again.
    RuleRemoved {
        /// The rule.
        rule: String,
    },
    /// The session may cost as much as this.
    BudgetSet {
        /// Picodollars; none for no limit.
        pico: Option<u64>,
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
    /// Who had the keyboard gave it to somebody, or put it down.
    ControlGiven {
        /// To whom; none: whoever types next.
        to: Option<UserId>,
    },
    /// A person asked who has the keyboard to give it to them.
    ControlAsked {},
    /// Who has the keyboard keeps it, or who asked for it needs it no more.
    ControlDeclined {
        /// Who had asked.
        user: UserId,
    },
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
    /// A queued message is to be read at another time.
    DeliveryChosen {
        /// Which message.
        message: MessageId,
        /// When.
        delivery: Delivery,
    },
    /// The author moved a queued message.
    MessageMoved {
        /// Which message.
        message: MessageId,
        /// The message it now comes before; none for the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<MessageId>,
    },
    /// The running turn took these messages in, between two model calls.
    MessagesTaken {
        /// The messages, oldest first.
        messages: Vec<MessageId>,
    },
    /// A person asked for one more turn without a new message.
    AgainRequested {
        /// What it shall do.
        again: Again,
    },
    /// A person asked for the conversation to be summed up, to make room in the model's window.
    CompactionRequested {},
    /// The agent began to work on the messages named; the envelope names the turn.
    TurnStarted {
        /// The messages it answers, oldest first.
        messages: Vec<MessageId>,
        /// The model at work.
        model: String,
        /// Why it runs, if not for a message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Again>,
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
    /// A tool call waits for somebody's answer.
    ApprovalRequested {
        /// The call.
        call: CallId,
        /// The tool.
        name: String,
        /// What the tool does to the world.
        tool: ToolKind,
        /// What would happen.
        preview: Preview,
        /// A rule that would allow this and its like; empty if there is none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        rule: String,
        /// How many people have to allow it.
        #[serde(
            default = "crate::approval::one",
            skip_serializing_if = "crate::approval::is_one"
        )]
        people: u8,
    },
    /// Somebody allowed a call that needs more people's word; it goes on waiting.
    ApprovalGiven {
        /// The call.
        call: CallId,
    },
    /// Somebody answered; the first answer counts, and of calls that need several people's word the first denial or the
    /// last word.
    ApprovalDecided {
        /// The call.
        call: CallId,
        /// The answer.
        #[serde(flatten)]
        verdict: Verdict,
    },
    /// The worktree's files were kept as they are; the envelope names the turn, if one made them so.
    CheckpointTaken {
        /// Its number, counted through the session from 0.
        number: u32,
        /// The git commit that holds them.
        commit: String,
        /// What changed since the checkpoint before.
        change: ChangeSize,
        /// What changed since the session began.
        since_start: ChangeSize,
    },
    /// A person asked for the files of a checkpoint.
    RestoreRequested {
        /// Which one.
        checkpoint: u32,
        /// The files as they were when it was previewed; none asks for the preview.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tree: Option<String>,
    },
    /// What a restore would change.
    RestorePrepared {
        /// To which checkpoint.
        checkpoint: u32,
        /// The files as they are.
        tree: String,
        /// What would change.
        change: ChangeSize,
        /// Files that others changed since the last checkpoint.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conflicts: Vec<String>,
    },
    /// A person wants the restore no more.
    RestoreCancelled {},
    /// The files are those of the checkpoint again.
    CheckpointRestored {
        /// Which one.
        checkpoint: u32,
        /// What changed.
        change: ChangeSize,
    },
    /// The files could not be restored; they are as they were.
    RestoreRefused {
        /// Why, for people.
        why: String,
    },
    /// A person asked for the files to be committed to the session's branch.
    CommitRequested {
        /// The commit's message.
        message: String,
    },
    /// They were.
    Committed {
        /// The commit.
        commit: String,
        /// Its message.
        message: String,
        /// The branch.
        branch: String,
    },
    /// They could not be.
    CommitRefused {
        /// Why, for people.
        why: String,
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
        /// What the provider said, as it said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        raw: Option<serde_json::Value>,
        /// Whether the call reached its end; one that did not is estimated.
        #[serde(default = "yes")]
        finished: bool,
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
    /// A terminal got a name.
    TerminalRenamed {
        /// Which one.
        terminal: TerminalId,
        /// The name; empty for none.
        name: String,
    },
    /// From here on nothing that is typed into a terminal is kept, or it is again.
    PrivateInputSet {
        /// Which one.
        terminal: TerminalId,
        /// Whether it is private.
        on: bool,
    },
    /// The key that sealed what was typed was destroyed; from here on only counts are kept.
    KeysForgotten {},
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
    /// The conversation with the model began, or began anew: what stands before it stays as it is from here on.
    LineageStarted {
        /// Standing instructions.
        system: String,
        /// The tools offered.
        tools: Vec<ToolText>,
    },
    /// The model was told something that nobody in the session said.
    ContextNoted {
        /// What it is about; a later note about it goes before an earlier one.
        topic: String,
        /// What.
        text: String,
    },
    /// The conversation was summed up: the model reads this instead of all before it.
    Compacted {
        /// The summary.
        summary: String,
        /// How many tokens stood before.
        before: u64,
    },
    /// A model call failed in a way that may pass; it is made again.
    RetryScheduled {
        /// When.
        until: Time,
        /// Which attempt comes next, from 2.
        attempt: u32,
        /// What went wrong.
        problem: Problem,
    },
    /// The agent changed its plan.
    PlanChanged {
        /// The whole plan.
        items: Vec<PlanItem>,
    },
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
        /// Pictures that the model sees besides.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Body>,
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
        /// Whether it stands for output that the log does not have.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        elided: bool,
    },
    /// A terminal's program was given another size: what it put out before was drawn for the one before.
    TerminalSized {
        /// Which one.
        terminal: TerminalId,
        /// How many bytes had come.
        offset: u64,
        /// The new size.
        size: Size,
    },
    /// A terminal's program began to hide what is typed, as at a password prompt, or shows it again.
    InputHidden {
        /// Which one.
        terminal: TerminalId,
        /// Whether it is hidden.
        on: bool,
    },
    /// A terminal put out more than the log keeps; a saved screen stands for it.
    OutputElided {
        /// Which one.
        terminal: TerminalId,
        /// How many bytes came before.
        from: u64,
        /// How many had come after.
        to: u64,
        /// The SHA-256 of the bytes, in hexadecimal.
        digest: String,
    },
    /// A program in the sandbox, or the fetch tool, asked for a machine outside.
    NetworkAsked {
        /// Its name, as the program gave it.
        host: String,
        /// Its port.
        port: u16,
        /// Whether the workspace's list let it through.
        allowed: bool,
        /// The address that was connected to, or why not.
        why: String,
        /// How often, since this was last told of the same host and port.
        times: u32,
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

/// What one more turn without a new message shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// What the last one was asked to do.
    Retry,
    /// Go on where the last one stopped.
    Continue,
}

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolText {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// The JSON schema of its input.
    pub input_schema: serde_json::Value,
}

fn yes() -> bool {
    true
}

/// Why a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent had nothing more to do.
    Complete,
    /// A person stopped it.
    Interrupted,
    /// The answer reached its limit.
    Length,
    /// The turn made as many model calls as it may.
    Steps,
    /// The turn ran as long as it may.
    Time,
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

/// What a terminal has when nobody says.
impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
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
    #[expect(clippy::too_many_lines, reason = "one line for each event")]
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Opened { .. }
            | Self::Renamed { .. }
            | Self::ModelChosen { .. }
            | Self::ModeChosen { .. }
            | Self::RuleAdded { .. }
            | Self::RuleRemoved { .. }
            | Self::BudgetSet { .. }
            | Self::MemberSet { .. }
            | Self::MemberRemoved { .. }
            | Self::ControlTaken {}
            | Self::ControlGiven { .. }
            | Self::ControlAsked {}
            | Self::ControlDeclined { .. }
            | Self::Claimed { .. }
            | Self::Released {}
            | Self::MessagePosted { .. }
            | Self::MessageEdited { .. }
            | Self::MessageWithdrawn { .. }
            | Self::DeliveryChosen { .. }
            | Self::MessageMoved { .. }
            | Self::MessagesTaken { .. }
            | Self::AgainRequested { .. }
            | Self::CompactionRequested {}
            | Self::ApprovalRequested { .. }
            | Self::ApprovalGiven { .. }
            | Self::ApprovalDecided { .. }
            | Self::CheckpointTaken { .. }
            | Self::RestoreRequested { .. }
            | Self::RestorePrepared { .. }
            | Self::RestoreCancelled {}
            | Self::CheckpointRestored { .. }
            | Self::RestoreRefused { .. }
            | Self::CommitRequested { .. }
            | Self::Committed { .. }
            | Self::CommitRefused { .. }
            | Self::TurnStarted { .. }
            | Self::InterruptRequested {}
            | Self::TurnEnded { .. }
            | Self::UsageRecorded { .. }
            | Self::TerminalOpened { .. }
            | Self::TerminalResized { .. }
            | Self::TerminalRenamed { .. }
            | Self::PrivateInputSet { .. }
            | Self::KeysForgotten {}
            | Self::TerminalClosed { .. }
            | Self::TerminalExited { .. }
            | Self::Ended {}
            | Self::Reopened {} => Lane::Fact,
            Self::Typed { .. } => Lane::Input,
            Self::LineageStarted { .. }
            | Self::ContextNoted { .. }
            | Self::Compacted { .. }
            | Self::RetryScheduled { .. }
            | Self::PlanChanged { .. }
            | Self::BlockOpened { .. }
            | Self::TextDelta { .. }
            | Self::ThinkingDelta { .. }
            | Self::ToolInputDelta { .. }
            | Self::BlockClosed { .. }
            | Self::ToolStarted { .. }
            | Self::ToolOutput { .. }
            | Self::ToolFinished { .. }
            | Self::Printed { .. }
            | Self::ScreenSaved { .. }
            | Self::TerminalSized { .. }
            | Self::InputHidden { .. }
            | Self::OutputElided { .. }
            | Self::NetworkAsked { .. }
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
