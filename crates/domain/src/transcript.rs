//! A session's transcript: what a reader of the chat sees, one item a row, in the log's order.

use crate::{
    Again, BlockKind, Body, CallId, ChangeSize, Cost, EndReason, Envelope, Event, Level, MessageId,
    Pending, Place, Problem, Session, Time, TurnId, Usage, UserId, Verdict, Writer,
};
use serde::{Deserialize, Serialize};

/// How many bytes of a tool's output an item shows from its beginning, and as many again from its end.
const OUTPUT_SHOWN: usize = 32 * 1024;

/// One row of the transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Where it began: its identity and its order.
    pub place: Place,
    /// When it began.
    pub at: Time,
    /// The turn it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// What it is.
    #[serde(flatten)]
    pub kind: ItemKind,
}

/// What a row of the transcript is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ItemKind {
    /// A person's message.
    Message {
        /// The message.
        id: MessageId,
        /// Its author.
        by: UserId,
        /// What it says.
        text: String,
    },
    /// The agent's words.
    Text {
        /// The part's number.
        block: u64,
        /// The words so far.
        text: String,
        /// Whether more may come.
        open: bool,
    },
    /// The agent's thinking.
    Thinking {
        /// The part's number.
        block: u64,
        /// The thoughts so far.
        text: String,
        /// Whether more may come.
        open: bool,
        /// How long it thought, in milliseconds, once it is done.
        took: u64,
    },
    /// A tool call.
    Tool {
        /// The part's number.
        block: u64,
        /// The call.
        call: CallId,
        /// The tool.
        name: String,
        /// The input's JSON, as the model wrote it.
        input: String,
        /// How far the call is.
        state: ToolState,
        /// What it put out while it ran.
        output: Output,
        /// What the model reads; empty until it is done.
        result: String,
        /// How long it ran, in milliseconds, once it is done.
        took: u64,
        /// What it changed, as a unified diff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        diff: Option<String>,
        /// Pictures that it gave the model.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Body>,
        /// Whether it has to be allowed, and what was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<Box<Approval>>,
    },
    /// A part of a kind this program does not know.
    Other {
        /// The part's number.
        block: u64,
        /// The provider's own JSON.
        raw: serde_json::Value,
    },
    /// Something the people should know.
    Notice {
        /// How bad.
        level: Level,
        /// A word for programs.
        code: String,
        /// A sentence for people.
        text: String,
    },
    /// A turn began without a new message.
    Again {
        /// Who asked for it.
        by: Option<UserId>,
        /// What it shall do.
        again: Again,
    },
    /// The conversation was summed up; the model reads this instead of all before it.
    Compacted {
        /// The summary.
        summary: String,
        /// How many tokens stood before.
        before: u64,
    },
    /// A model call failed in a way that may pass, and is made again.
    Retry {
        /// When.
        until: Time,
        /// Which attempt, from 2.
        attempt: u32,
        /// What went wrong.
        problem: Problem,
        /// Whether it still waits.
        open: bool,
    },
    /// The files are those of a checkpoint again.
    Restored {
        /// Which one.
        checkpoint: u32,
        /// Who asked for it.
        by: Option<UserId>,
        /// What changed.
        change: ChangeSize,
    },
    /// The files were committed.
    Committed {
        /// The commit.
        commit: String,
        /// Its message.
        message: String,
        /// The branch.
        branch: String,
        /// Who asked for it.
        by: Option<UserId>,
    },
    /// The end of a turn.
    TurnEnd {
        /// Why.
        reason: EndReason,
        /// What went wrong, if something did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<Problem>,
        /// Tokens the turn used.
        usage: Usage,
        /// Money the turn used.
        cost: Cost,
        /// How long it ran, in milliseconds.
        took: u64,
    },
    /// An event of a newer program, shown raw.
    Unknown {
        /// The event's JSON.
        raw: serde_json::Value,
    },
}

/// A tool call's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What is to be allowed.
    pub asked: Pending,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}

/// How far a tool call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolState {
    /// The model still writes its input.
    Writing,
    /// Its input is complete; it has not begun.
    Ready,
    /// It runs.
    Running,
    /// It did what it was asked.
    Done,
    /// It failed.
    Failed,
    /// It never ran, or was stopped, with its turn.
    Stopped,
}

/// A tool's output as an item shows it: the beginning and the end, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The beginning.
    pub head: String,
    /// The newest of what came after the beginning.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tail: String,
    /// How many bytes there are in all.
    pub total: u64,
    /// A character that is not complete yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    partial: Vec<u8>,
}

impl Output {
    /// Takes in the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        self.partial.extend_from_slice(bytes);
        let whole = whole_characters(&self.partial);
        let rest = self.partial.split_off(whole);
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial = rest;
        self.push_text(&text);
    }

    fn push_text(&mut self, text: &str) {
        let room = OUTPUT_SHOWN.saturating_sub(self.head.len());
        let room = if self.tail.is_empty() { room } else { 0 };
        let cut = text.floor_char_boundary(room);
        self.head.push_str(&text[..cut]);
        self.tail.push_str(&text[cut..]);
        if self.tail.len() > OUTPUT_SHOWN * 2 {
            let from = self.tail.ceil_char_boundary(self.tail.len() - OUTPUT_SHOWN);
            self.tail.drain(..from);
        }
    }

    /// How many bytes between head and tail are not shown.
    #[must_use]
    pub fn hidden(&self) -> u64 {
        let shown = self.head.len() + self.tail.len() + self.partial.len();
        self.total.saturating_sub(shown as u64)
    }
}

fn notice(level: Level, code: &str, text: &str) -> ItemKind {
    ItemKind::Notice {
        level,
        code: code.to_owned(),
        text: text.to_owned(),
    }
}

/// How many bytes from the start are not the beginning of a character still to be completed.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(error) => {
            let bad = error.valid_up_to() + error.error_len().unwrap_or(1);
            bad + whole_characters(&bytes[bad..])
        }
        Ok(_) => bytes.len(),
    }
}

/// The newest items of a session, oldest of them first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The items.
    pub items: Vec<Item>,
    /// Whether older items exist that are not among them.
    pub older: bool,
}

impl Transcript {
    /// Takes in an event. `session` is the state before it.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each event, most of them a line"
    )]
    pub fn apply(&mut self, session: &Session, place: Place, envelope: &Envelope) {
        if !session.heeds(envelope) {
            return;
        }
        match &envelope.event {
            Event::TurnStarted {
                messages, again, ..
            } => {
                self.add_messages(session, place, envelope, messages);
                if let Some(again) = *again {
                    let by = session.again_by;
                    self.push(place, envelope, ItemKind::Again { by, again });
                }
            }
            Event::MessagesTaken { messages } => {
                self.add_messages(session, place, envelope, messages);
            }
            Event::ApprovalRequested { .. } => self.ask(envelope),
            Event::ApprovalGiven { call } => {
                if session.approvals.contains_key(call) {
                    self.allow(call, envelope);
                }
            }
            Event::ApprovalDecided { call, verdict } => {
                if session.approvals.contains_key(call) {
                    self.answer(call, verdict, envelope);
                }
            }
            Event::Compacted { summary, before } => {
                let (summary, before) = (summary.clone(), *before);
                self.push(place, envelope, ItemKind::Compacted { summary, before });
            }
            Event::RetryScheduled {
                until,
                attempt,
                problem,
            } => {
                let kind = ItemKind::Retry {
                    until: *until,
                    attempt: *attempt,
                    problem: problem.clone(),
                    open: true,
                };
                self.push(place, envelope, kind);
            }
            Event::CheckpointRestored { checkpoint, change } => {
                let by = session.restore.as_ref().and_then(|restore| restore.by);
                let (checkpoint, change) = (*checkpoint, change.clone());
                let kind = ItemKind::Restored {
                    checkpoint,
                    by,
                    change,
                };
                self.push(place, envelope, kind);
            }
            Event::Committed {
                commit,
                message,
                branch,
            } => {
                let kind = ItemKind::Committed {
                    commit: commit.clone(),
                    message: message.clone(),
                    branch: branch.clone(),
                    by: session.committing.as_ref().and_then(|asked| asked.by),
                };
                self.push(place, envelope, kind);
            }
            Event::RestoreRefused { why } => {
                self.push(
                    place,
                    envelope,
                    notice(Level::Warning, "restore_refused", why),
                );
            }
            Event::CommitRefused { why } => {
                self.push(
                    place,
                    envelope,
                    notice(Level::Warning, "commit_refused", why),
                );
            }
            Event::BlockOpened { block, kind, .. } => {
                self.open_block(place, envelope, *block, kind);
            }
            Event::TextDelta { block, text } | Event::ThinkingDelta { block, text } => {
                self.write(*block, text);
            }
            Event::ToolInputDelta { block, json } => self.write(*block, json),
            Event::BlockClosed { block, .. } => self.close_block(*block, envelope.at),
            Event::ToolStarted { call, .. } => self.tool(call, ItemKind::start),
            Event::ToolOutput { call, bytes, .. } => {
                self.tool(call, |tool| tool.put_out(&bytes.0));
            }
            Event::ToolFinished {
                call,
                content,
                is_error,
                took,
                diff,
                images,
            } => self.tool(call, |tool| {
                tool.finish(content, *is_error, *took, diff.as_deref(), images);
            }),
            Event::TurnEnded { reason, problem } => {
                self.end_turn(session, place, envelope, *reason, problem.as_ref());
            }
            Event::Notice { level, code, text } => {
                self.push(place, envelope, notice(*level, code, text));
            }
            Event::NetworkAsked {
                host,
                allowed: false,
                why,
                ..
            } => {
                let text = format!("The network refused {host}: {why}");
                self.push(
                    place,
                    envelope,
                    notice(Level::Warning, "network_refused", &text),
                );
            }
            Event::Unknown(raw) => {
                self.push(place, envelope, ItemKind::Unknown { raw: raw.clone() });
            }
            Event::NetworkAsked { allowed: true, .. }
            | Event::Opened { .. }
            | Event::Renamed { .. }
            | Event::ModelChosen { .. }
            | Event::ModeChosen { .. }
            | Event::RuleAdded { .. }
            | Event::RuleRemoved { .. }
            | Event::BudgetSet { .. }
            | Event::DeliveryChosen { .. }
            | Event::MessageMoved { .. }
            | Event::AgainRequested { .. }
            | Event::CompactionRequested {}
            | Event::CheckpointTaken { .. }
            | Event::RestoreRequested { .. }
            | Event::RestorePrepared { .. }
            | Event::RestoreCancelled {}
            | Event::CommitRequested { .. }
            | Event::LineageStarted { .. }
            | Event::ContextNoted { .. }
            | Event::PlanChanged { .. }
            | Event::MemberSet { .. }
            | Event::MemberRemoved { .. }
            | Event::ControlTaken {}
            | Event::Claimed { .. }
            | Event::Released {}
            | Event::MessagePosted { .. }
            | Event::MessageEdited { .. }
            | Event::MessageWithdrawn { .. }
            | Event::InterruptRequested {}
            | Event::UsageRecorded { .. }
            | Event::ControlGiven { .. }
            | Event::ControlAsked {}
            | Event::ControlDeclined { .. }
            | Event::TerminalRenamed { .. }
            | Event::PrivateInputSet { .. }
            | Event::KeysForgotten {}
            | Event::InputHidden { .. }
            | Event::TerminalSized { .. }
            | Event::OutputElided { .. }
            | Event::TerminalOpened { .. }
            | Event::TerminalResized { .. }
            | Event::TerminalClosed { .. }
            | Event::TerminalExited { .. }
            | Event::Ended {}
            | Event::Reopened {}
            | Event::Typed { .. }
            | Event::Printed { .. }
            | Event::ScreenSaved { .. } => {}
        }
    }

    /// Lets go of all but the newest `keep` items; an item that may still change stays, and all after it.
    pub fn keep_newest(&mut self, keep: usize) {
        let open = self.items.iter().position(Item::is_open);
        let cut = self.items.len().saturating_sub(keep);
        let cut = open.map_or(cut, |open| cut.min(open));
        if cut > 0 {
            self.items.drain(..cut);
            self.older = true;
        }
    }

    fn push(&mut self, place: Place, envelope: &Envelope, kind: ItemKind) {
        self.items.push(Item {
            place,
            at: envelope.at,
            turn: envelope.turn,
            kind,
        });
    }

    fn add_messages(
        &mut self,
        session: &Session,
        place: Place,
        envelope: &Envelope,
        messages: &[MessageId],
    ) {
        let queued = |id: &&MessageId| session.queue.iter().find(|queued| queued.id == **id);
        for queued in messages.iter().filter_map(|id| queued(&id)) {
            let (id, by, text) = (queued.id, queued.by, queued.text.clone());
            self.push(place, envelope, ItemKind::Message { id, by, text });
        }
    }

    fn ask(&mut self, envelope: &Envelope) {
        let Some((call, asked)) = Pending::asked(&envelope.event, envelope.at) else {
            return;
        };
        self.tool(call, |item| {
            if let ItemKind::Tool { approval, .. } = item {
                *approval = Some(Box::new(Approval {
                    asked,
                    verdict: None,
                    by: None,
                }));
            }
        });
    }

    /// Who allowed it stays in the transcript, whatever becomes of their role.
    fn allow(&mut self, call: &CallId, envelope: &Envelope) {
        let Writer::User(by) = envelope.by else {
            return;
        };
        self.tool(call, |item| {
            if let ItemKind::Tool {
                approval: Some(approval),
                ..
            } = item
            {
                approval.asked.allow(by);
            }
        });
    }

    fn answer(&mut self, call: &CallId, given: &Verdict, envelope: &Envelope) {
        let who = match envelope.by {
            Writer::User(user) => Some(user),
            Writer::Runner(_) => None,
        };
        self.tool(call, |item| {
            if let ItemKind::Tool {
                approval: Some(approval),
                ..
            } = item
            {
                approval.verdict = Some(given.clone());
                approval.by = who;
            }
        });
    }

    /// What waited for another attempt waits no more.
    fn close_retries(&mut self) {
        for item in self.items.iter_mut().rev().take(8) {
            if let ItemKind::Retry { open, .. } = &mut item.kind {
                *open = false;
            }
        }
    }

    fn open_block(&mut self, place: Place, envelope: &Envelope, block: u64, kind: &BlockKind) {
        self.close_retries();
        let text = String::new();
        let kind = match kind {
            BlockKind::Text => ItemKind::Text {
                block,
                text,
                open: true,
            },
            BlockKind::Thinking | BlockKind::Redacted { .. } => ItemKind::Thinking {
                block,
                text,
                open: true,
                took: 0,
            },
            BlockKind::Tool { call, name } => ItemKind::Tool {
                block,
                call: call.clone(),
                name: name.clone(),
                input: text,
                state: ToolState::Writing,
                output: Output::default(),
                result: String::new(),
                took: 0,
                diff: None,
                images: Vec::new(),
                approval: None,
            },
            BlockKind::Other { raw } => ItemKind::Other {
                block,
                raw: raw.clone(),
            },
        };
        self.push(place, envelope, kind);
    }

    /// The item of a part of an answer; open ones are among the newest.
    fn block(&mut self, block: u64) -> Option<&mut Item> {
        let mut newest = self.items.iter_mut().rev();
        newest.find(|item| item.kind.block() == Some(block))
    }

    fn write(&mut self, block: u64, more: &str) {
        match self.block(block).map(|item| &mut item.kind) {
            Some(ItemKind::Text { text, .. } | ItemKind::Thinking { text, .. }) => {
                text.push_str(more);
            }
            Some(ItemKind::Tool { input, .. }) => input.push_str(more),
            _ => {}
        }
    }

    fn close_block(&mut self, block: u64, now: Time) {
        let Some(item) = self.block(block) else {
            return;
        };
        let began = item.at;
        match &mut item.kind {
            ItemKind::Text { open, .. } => *open = false,
            ItemKind::Thinking { open, took, .. } => {
                *open = false;
                *took = now.since(began);
            }
            ItemKind::Tool { state, .. } => *state = ToolState::Ready,
            ItemKind::Retry { .. }
            | ItemKind::Message { .. }
            | ItemKind::Other { .. }
            | ItemKind::Notice { .. }
            | ItemKind::Again { .. }
            | ItemKind::Compacted { .. }
            | ItemKind::Restored { .. }
            | ItemKind::Committed { .. }
            | ItemKind::TurnEnd { .. }
            | ItemKind::Unknown { .. } => {}
        }
    }

    fn tool(&mut self, call: &CallId, change: impl FnOnce(&mut ItemKind)) {
        let mut newest = self.items.iter_mut().rev();
        let found = newest
            .find(|item| matches!(&item.kind, ItemKind::Tool { call: this, .. } if this == call));
        if let Some(item) = found {
            change(&mut item.kind);
        }
    }

    fn end_turn(
        &mut self,
        session: &Session,
        place: Place,
        envelope: &Envelope,
        reason: EndReason,
        problem: Option<&Problem>,
    ) {
        let Some(turn) = session
            .turn
            .as_ref()
            .filter(|t| Some(t.id) == envelope.turn)
        else {
            return;
        };
        for item in self
            .items
            .iter_mut()
            .filter(|item| item.turn == Some(turn.id))
        {
            item.stop(envelope.at);
        }
        let kind = ItemKind::TurnEnd {
            reason,
            problem: problem.cloned(),
            usage: turn.usage,
            cost: turn.cost,
            took: envelope.at.since(turn.at),
        };
        self.push(place, envelope, kind);
    }
}

impl Item {
    /// Whether later events may still change it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.kind {
            ItemKind::Text { open, .. }
            | ItemKind::Thinking { open, .. }
            | ItemKind::Retry { open, .. } => *open,
            ItemKind::Tool { state, .. } => match state {
                ToolState::Writing | ToolState::Ready | ToolState::Running => true,
                ToolState::Done | ToolState::Failed | ToolState::Stopped => false,
            },
            ItemKind::Message { .. }
            | ItemKind::Other { .. }
            | ItemKind::Notice { .. }
            | ItemKind::Again { .. }
            | ItemKind::Compacted { .. }
            | ItemKind::Restored { .. }
            | ItemKind::Committed { .. }
            | ItemKind::TurnEnd { .. }
            | ItemKind::Unknown { .. } => false,
        }
    }

    /// Its turn is over: nothing more will come.
    fn stop(&mut self, now: Time) {
        if !self.is_open() {
            return;
        }
        match &mut self.kind {
            ItemKind::Text { open, .. } | ItemKind::Retry { open, .. } => *open = false,
            ItemKind::Thinking { open, took, .. } => {
                *open = false;
                *took = now.since(self.at);
            }
            ItemKind::Tool { state, .. } => *state = ToolState::Stopped,
            ItemKind::Message { .. }
            | ItemKind::Other { .. }
            | ItemKind::Notice { .. }
            | ItemKind::Again { .. }
            | ItemKind::Compacted { .. }
            | ItemKind::Restored { .. }
            | ItemKind::Committed { .. }
            | ItemKind::TurnEnd { .. }
            | ItemKind::Unknown { .. } => {}
        }
    }
}

impl ItemKind {
    /// The number of the answer's part, where it is one.
    #[must_use]
    pub fn block(&self) -> Option<u64> {
        match self {
            Self::Text { block, .. }
            | Self::Thinking { block, .. }
            | Self::Tool { block, .. }
            | Self::Other { block, .. } => Some(*block),
            Self::Message { .. }
            | Self::Notice { .. }
            | Self::Again { .. }
            | Self::Compacted { .. }
            | Self::Retry { .. }
            | Self::Restored { .. }
            | Self::Committed { .. }
            | Self::TurnEnd { .. }
            | Self::Unknown { .. } => None,
        }
    }

    fn start(&mut self) {
        if let Self::Tool { state, .. } = self {
            *state = ToolState::Running;
        }
    }

    fn put_out(&mut self, bytes: &[u8]) {
        if let Self::Tool { output, .. } = self {
            output.push(bytes);
        }
    }

    fn finish(
        &mut self,
        content: &str,
        is_error: bool,
        ran: u64,
        change: Option<&str>,
        seen: &[Body],
    ) {
        if let Self::Tool {
            state,
            result,
            took,
            diff,
            images,
            ..
        } = self
        {
            *state = if is_error {
                ToolState::Failed
            } else {
                ToolState::Done
            };
            content.clone_into(result);
            *took = ran;
            *diff = change.map(str::to_owned);
            *images = seen.to_vec();
        }
    }
}
