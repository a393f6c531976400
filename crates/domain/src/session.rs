//! A session's state, and how each event changes it.

use crate::{
    Again, CallId, Checkpoint, Committing, Cost, Delivery, Envelope, Epoch, Event, Lane, MessageId,
    Mode, Pending, PlanItem, Recorded, Restore, RestoreStage, RunnerId, Seq, SessionId, Size,
    TeamId, TerminalEnd, TerminalId, Time, TurnId, Usage, UserId, Verdict, WorkspaceId, Writer,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many message ids are remembered, so that a command sent twice is one message.
const REMEMBERED_MESSAGES: usize = 256;
/// How many checkpoints are remembered; older ones stay in the repository and in the log.
const REMEMBERED_CHECKPOINTS: usize = 500;

/// What a person may do in a session. Each may do all that those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also sends messages to be queued.
    Commenter,
    /// Also interrupts, steers and types.
    Driver,
    /// Also shares and ends.
    Owner,
}

/// Whether anything can be asked of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing opened it yet.
    #[default]
    Unopened,
    /// It works.
    Active,
    /// It is over; it can be read, and opened again.
    Ended,
}

/// A person in the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their name, as it was when they joined.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// A message that no turn has taken up yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The message.
    pub id: MessageId,
    /// Its author.
    pub by: UserId,
    /// When it was sent.
    pub at: Time,
    /// What it says.
    pub text: String,
    /// When the agent shall read it.
    pub delivery: Delivery,
}

/// The turn that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The turn.
    pub id: TurnId,
    /// When it began.
    pub at: Time,
    /// The model at work.
    pub model: String,
    /// The messages it answers.
    pub messages: Vec<MessageId>,
    /// Who asked it to stop, if somebody did.
    pub interrupted_by: Option<UserId>,
    /// Tokens used so far.
    pub usage: Usage,
    /// Money used so far.
    pub cost: Cost,
    /// Until when it waits to make a failed model call again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<Time>,
}

/// What a session may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Picodollars.
    pub pico: u64,
}

/// A terminal of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// What people call it; empty if it has no name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Who opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// The size it shall have.
    pub size: Size,
    /// The size its program was given last: its newest output is drawn for it.
    #[serde(default)]
    pub drawn: Size,
    /// What its program does.
    pub state: TerminalState,
    /// How many bytes it has put out.
    pub offset: u64,
    /// How many of them the newest saved screen contains.
    pub saved: u64,
    /// Whether somebody asked for its end.
    pub closing: bool,
    /// Whether nothing that is typed is kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether its program hides what is typed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// How many bytes of its output the log does not have.
    #[serde(default)]
    pub elided: u64,
}

impl Terminal {
    /// A terminal that was opened just now.
    #[must_use]
    pub fn opened(by: Option<UserId>, size: Size) -> Self {
        Self {
            name: String::new(),
            by,
            size,
            drawn: size,
            state: TerminalState::Running,
            offset: 0,
            saved: 0,
            closing: false,
            private: false,
            hidden: false,
            elided: 0,
        }
    }
}

/// What a terminal's program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalState {
    /// It runs, or is about to.
    Running,
    /// It ended.
    Exited(TerminalEnd),
}

/// What is true of a session now: everything that decides what may happen next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// The newest frame in this state.
    pub seq: Seq,
    /// The newest frame on the fact lane: what a guarded append expects.
    pub fact: Seq,
    /// The newest frame on the output lane.
    pub output: Seq,
    /// The newest frame on the input lane.
    pub input: Seq,
    /// Its team.
    pub team: TeamId,
    /// The workspace it works on.
    pub workspace: WorkspaceId,
    /// The workspace's folder.
    pub path: String,
    /// What it is called.
    pub title: String,
    /// Which kind of agent answers.
    pub agent: String,
    /// The model of the next turn.
    pub model: String,
    /// Whether anything can be asked of it.
    pub state: State,
    /// When it was opened.
    pub opened_at: Time,
    /// When it was ended, the first time since it was last opened.
    pub ended_at: Option<Time>,
    /// When something last happened.
    pub active_at: Time,
    /// The people in it.
    pub members: BTreeMap<UserId, Member>,
    /// Who has the keyboard.
    pub driver: Option<UserId>,
    /// Who asked for it, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wants_to_drive: Vec<UserId>,
    /// The newest claim.
    pub epoch: Epoch,
    /// Who holds that claim; nobody after a release.
    pub runner: Option<RunnerId>,
    /// How strongly the holder's sandbox holds.
    pub sandbox: String,
    /// Messages that wait for a turn.
    pub queue: Vec<Queued>,
    /// Ids of the newest messages ever posted.
    pub posted: VecDeque<MessageId>,
    /// The turn that runs.
    pub turn: Option<Turn>,
    /// How many turns were started.
    pub turns: u64,
    /// How many parts of answers were begun; the number of the next.
    pub blocks: u64,
    /// Tokens used.
    pub usage: Usage,
    /// Money used.
    pub cost: Cost,
    /// Its terminals.
    pub terminals: BTreeMap<TerminalId, Terminal>,
    /// Whether what was typed cannot be read any more, and is not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keys_forgotten: bool,
    /// How much the agent does without asking.
    #[serde(default)]
    pub mode: Mode,
    /// Calls that need no approval.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Calls that wait for somebody's answer.
    #[serde(default)]
    pub approvals: BTreeMap<CallId, Pending>,
    /// What it may cost.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// One more turn that somebody asked for.
    #[serde(default)]
    pub again: Option<Again>,
    /// Who asked for it.
    #[serde(default)]
    pub again_by: Option<UserId>,
    /// Whether somebody asked for the conversation to be summed up.
    #[serde(default)]
    pub compacting: bool,
    /// How many tokens the last model call read and wrote: how full its window is.
    #[serde(default)]
    pub context: u64,
    /// How the last turn ended.
    #[serde(default)]
    pub ended_with: Option<crate::EndReason>,
    /// The agent's plan.
    #[serde(default)]
    pub plan: Vec<PlanItem>,
    /// States of the worktree that can be restored, oldest first.
    #[serde(default)]
    pub checkpoints: Vec<Checkpoint>,
    /// A restore that somebody asked for.
    #[serde(default)]
    pub restore: Option<Restore>,
    /// A commit that somebody asked for.
    #[serde(default)]
    pub committing: Option<Committing>,
}

impl Session {
    /// A session of which nothing is known yet.
    #[must_use]
    pub fn new(id: SessionId) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// A terminal's number among all that the session ever had, from 1; how nameless ones are told apart.
    #[must_use]
    pub fn terminal_number(&self, terminal: TerminalId) -> usize {
        let before = self.terminals.keys().filter(|known| **known < terminal);
        before.count() + 1
    }

    /// What people call a terminal: its name, or its number.
    #[must_use]
    pub fn terminal_name(&self, terminal: TerminalId) -> String {
        let named = self.terminals.get(&terminal).map(|known| &known.name);
        match named.filter(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => format!("Terminal {}", self.terminal_number(terminal)),
        }
    }

    /// A person's role.
    #[must_use]
    pub fn role_of(&self, user: UserId) -> Option<Role> {
        self.members.get(&user).map(|member| member.role)
    }

    /// Whether an event counts: what a runner wrote under an older claim does not.
    #[must_use]
    pub fn heeds(&self, envelope: &Envelope) -> bool {
        match (&envelope.event, envelope.epoch) {
            (Event::Claimed { .. }, Some(epoch)) => epoch > self.epoch,
            (_, Some(epoch)) => epoch == self.epoch,
            (_, None) => true,
        }
    }

    /// Takes in a frame. A frame that is already in changes nothing.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.seq {
            return;
        }
        for envelope in &recorded.events {
            self.apply_event(envelope);
        }
        self.passed(recorded);
    }

    /// Notes that a frame was taken in.
    pub(crate) fn passed(&mut self, recorded: &Recorded) {
        self.seq = recorded.seq;
        match recorded.lane {
            Lane::Fact => self.fact = recorded.seq,
            Lane::Input => self.input = recorded.seq,
            Lane::Output => self.output = recorded.seq,
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each event, most of them a line"
    )]
    pub(crate) fn apply_event(&mut self, envelope: &Envelope) {
        if !self.heeds(envelope) {
            return;
        }
        let at = envelope.at;
        let by = match envelope.by {
            Writer::User(user) => Some(user),
            Writer::Runner(_) => None,
        };
        self.active_at = self.active_at.max(at);
        match &envelope.event {
            Event::Opened {
                team,
                workspace,
                path,
                name,
                title,
                agent,
                model,
                mode,
                sandbox,
            } => {
                self.mode = *mode;
                self.sandbox.clone_from(sandbox);
                self.team = *team;
                self.workspace = *workspace;
                self.path.clone_from(path);
                self.title.clone_from(title);
                self.agent.clone_from(agent);
                self.model.clone_from(model);
                self.open(at, by, name);
            }
            Event::Renamed { title } => self.title.clone_from(title),
            Event::ModelChosen { model } => self.model.clone_from(model),
            Event::ModeChosen { mode } => self.mode = *mode,
            Event::RuleAdded { rule } => self.add_rule(rule),
            Event::RuleRemoved { rule } => self.rules.retain(|known| known != rule),
            Event::BudgetSet { pico } => self.budget = pico.map(|pico| Budget { pico }),
            Event::MemberSet { user, name, role } => {
                let name = name.clone();
                self.members.insert(*user, Member { name, role: *role });
                self.heed_roles();
            }
            Event::MemberRemoved { user } => {
                self.members.remove(user);
                self.heed_roles();
            }
            Event::ControlTaken {} => self.drives(by),
            Event::ControlGiven { to } => self.drives(*to),
            Event::ControlAsked {} => self.wants_to_drive.extend(by),
            Event::ControlDeclined { user } => self.wants_to_drive.retain(|known| known != user),
            Event::Claimed { runner, sandbox } => {
                self.epoch = envelope.epoch.unwrap_or_default();
                self.runner = Some(*runner);
                self.sandbox.clone_from(sandbox);
            }
            Event::Released {} => self.runner = None,
            Event::MessagePosted {
                message,
                text,
                delivery,
            } => self.post(at, by, *message, text, *delivery),
            Event::MessageEdited { message, text } => {
                for queued in self.queue.iter_mut().filter(|queued| queued.id == *message) {
                    queued.text.clone_from(text);
                }
            }
            Event::MessageWithdrawn { message } => {
                self.queue.retain(|queued| queued.id != *message);
            }
            Event::DeliveryChosen { message, delivery } => {
                for queued in self.queue.iter_mut().filter(|queued| queued.id == *message) {
                    queued.delivery = *delivery;
                }
            }
            Event::MessageMoved { message, before } => self.move_message(*message, *before),
            Event::MessagesTaken { messages } => self.take_messages(envelope.turn, messages),
            Event::AgainRequested { again } => {
                self.again = Some(*again);
                self.again_by = by;
            }
            Event::CompactionRequested {} => self.compacting = true,
            Event::ApprovalRequested { .. } => {
                if let Some((call, pending)) = Pending::asked(&envelope.event, at) {
                    self.approvals.insert(call.clone(), pending);
                }
            }
            Event::ApprovalGiven { call } => {
                if let (Some(by), Some(pending)) = (by, self.approvals.get_mut(call)) {
                    pending.allow(by);
                }
            }
            Event::ApprovalDecided { call, verdict } => self.answered(call, verdict),
            Event::CheckpointTaken {
                number,
                commit,
                change,
                since_start,
            } => self.keep_checkpoint(Checkpoint {
                number: *number,
                turn: envelope.turn,
                at,
                commit: commit.clone(),
                change: change.clone(),
                since_start: since_start.clone(),
            }),
            Event::RestoreRequested { checkpoint, tree } => {
                let stage = match tree.clone() {
                    Some(tree) => RestoreStage::Confirmed { tree },
                    None => RestoreStage::Preparing,
                };
                let checkpoint = *checkpoint;
                self.restore = Some(Restore {
                    checkpoint,
                    by,
                    stage,
                });
            }
            Event::RestorePrepared {
                tree,
                change,
                conflicts,
                ..
            } => {
                if let Some(restore) = &mut self.restore {
                    let (tree, change, conflicts) =
                        (tree.clone(), change.clone(), conflicts.clone());
                    restore.stage = RestoreStage::Prepared {
                        tree,
                        change,
                        conflicts,
                    };
                }
            }
            Event::RestoreCancelled {}
            | Event::CheckpointRestored { .. }
            | Event::RestoreRefused { .. } => self.restore = None,
            Event::CommitRequested { message } => {
                let message = message.clone();
                self.committing = Some(Committing { by, message });
            }
            Event::Committed { .. } | Event::CommitRefused { .. } => self.committing = None,
            Event::TurnStarted {
                messages,
                model,
                again: _,
            } => {
                self.start_turn(at, envelope.turn, messages, model);
            }
            Event::InterruptRequested {} => {
                if let Some(turn) = self.turn.as_mut().filter(|t| Some(t.id) == envelope.turn) {
                    turn.interrupted_by = by;
                }
            }
            Event::TurnEnded { reason, .. } => {
                if self.turn.as_ref().map(|turn| turn.id) == envelope.turn {
                    self.turn = None;
                    self.ended_with = Some(*reason);
                    self.approvals.clear();
                }
            }
            Event::UsageRecorded { usage, pico, .. } => {
                self.context = usage.total();
                self.usage.add(usage);
                self.cost.add(*pico);
                if let Some(turn) = &mut self.turn {
                    turn.usage.add(usage);
                    turn.cost.add(*pico);
                }
            }
            Event::TerminalOpened { terminal, size } => {
                self.terminals
                    .insert(*terminal, Terminal::opened(by, *size));
            }
            Event::TerminalResized { terminal, size } => {
                self.terminal(*terminal, |terminal| terminal.size = *size);
            }
            Event::TerminalRenamed { terminal, name } => {
                self.terminal(*terminal, |terminal| terminal.name.clone_from(name));
            }
            Event::PrivateInputSet { terminal, on } => {
                self.terminal(*terminal, |terminal| terminal.private = *on);
            }
            Event::InputHidden { terminal, on } => {
                self.terminal(*terminal, |terminal| terminal.hidden = *on);
            }
            Event::KeysForgotten {} => self.keys_forgotten = true,
            Event::TerminalClosed { terminal } => {
                self.terminal(*terminal, |terminal| terminal.closing = true);
            }
            Event::TerminalExited { terminal, end } => {
                let exited = TerminalState::Exited(*end);
                self.terminal(*terminal, |terminal| terminal.state = exited);
            }
            Event::Ended {} => {
                self.state = State::Ended;
                self.ended_at = self.ended_at.or(Some(at));
                self.queue.clear();
                self.again = None;
                self.compacting = false;
                self.restore = None;
                self.committing = None;
            }
            Event::Reopened {} => {
                self.state = State::Active;
                self.ended_at = None;
            }
            Event::BlockOpened { block, .. } => {
                self.blocks = self.blocks.max(block + 1);
                if let Some(turn) = &mut self.turn {
                    turn.waits_until = None;
                }
            }
            Event::RetryScheduled { until, .. } => {
                if let Some(turn) = &mut self.turn {
                    turn.waits_until = Some(*until);
                }
            }
            Event::Compacted { .. } => {
                self.compacting = false;
                self.context = 0;
            }
            Event::PlanChanged { items } => self.plan.clone_from(items),
            Event::Printed {
                terminal,
                offset,
                bytes,
            } => {
                let end = offset + bytes.0.len() as u64;
                self.terminal(*terminal, |terminal| terminal.offset = end);
            }
            Event::ScreenSaved {
                terminal, offset, ..
            } => self.terminal(*terminal, |terminal| terminal.saved = *offset),
            Event::TerminalSized { terminal, size, .. } => {
                self.terminal(*terminal, |terminal| terminal.drawn = *size);
            }
            Event::OutputElided {
                terminal, from, to, ..
            } => self.terminal(*terminal, |terminal| {
                terminal.offset = *to;
                terminal.elided += to.saturating_sub(*from);
            }),
            Event::LineageStarted { .. }
            | Event::ContextNoted { .. }
            | Event::Typed { .. }
            | Event::TextDelta { .. }
            | Event::ThinkingDelta { .. }
            | Event::ToolInputDelta { .. }
            | Event::BlockClosed { .. }
            | Event::ToolStarted { .. }
            | Event::ToolOutput { .. }
            | Event::ToolFinished { .. }
            | Event::NetworkAsked { .. }
            | Event::Notice { .. }
            | Event::Unknown(_) => {}
        }
    }

    fn open(&mut self, at: Time, by: Option<UserId>, name: &str) {
        self.state = State::Active;
        self.opened_at = at;
        self.driver = by;
        if let Some(owner) = by {
            let (name, role) = (name.to_owned(), Role::Owner);
            self.members.insert(owner, Member { name, role });
        }
    }

    fn post(
        &mut self,
        at: Time,
        by: Option<UserId>,
        id: MessageId,
        text: &str,
        delivery: Delivery,
    ) {
        if self.title.is_empty() {
            self.title = title_from(text);
        }
        self.posted.push_back(id);
        if self.posted.len() > REMEMBERED_MESSAGES {
            self.posted.pop_front();
        }
        let Some(by) = by else { return };
        let text = text.to_owned();
        self.queue.push(Queued {
            id,
            by,
            at,
            text,
            delivery,
        });
    }

    fn start_turn(&mut self, at: Time, id: Option<TurnId>, messages: &[MessageId], model: &str) {
        self.queue.retain(|queued| !messages.contains(&queued.id));
        self.again = None;
        self.turns += 1;
        self.turn = id.map(|id| Turn {
            id,
            at,
            model: model.to_owned(),
            messages: messages.to_vec(),
            interrupted_by: None,
            usage: Usage::default(),
            cost: Cost::default(),
            waits_until: None,
        });
    }

    fn add_rule(&mut self, rule: &str) {
        if !self.rules.iter().any(|known| known == rule) {
            self.rules.push(rule.to_owned());
        }
    }

    /// Whether it has cost as much as it may.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.budget
            .is_some_and(|budget| self.cost.pico >= budget.pico)
    }

    fn move_message(&mut self, message: MessageId, before: Option<MessageId>) {
        let Some(from) = self.queue.iter().position(|queued| queued.id == message) else {
            return;
        };
        let queued = self.queue.remove(from);
        let to = before.and_then(|before| self.queue.iter().position(|q| q.id == before));
        self.queue.insert(to.unwrap_or(self.queue.len()), queued);
    }

    fn take_messages(&mut self, turn: Option<TurnId>, messages: &[MessageId]) {
        self.queue.retain(|queued| !messages.contains(&queued.id));
        if let Some(running) = self.turn.as_mut().filter(|t| Some(t.id) == turn) {
            running.messages.extend(messages);
        }
    }

    fn answered(&mut self, call: &CallId, verdict: &Verdict) {
        let Some(pending) = self.approvals.remove(call) else {
            return;
        };
        if let Verdict::AllowAlways { rule } = verdict {
            self.add_rule(rule);
        }
        let allowed = !matches!(verdict, Verdict::Deny { .. });
        if allowed && pending.tool == crate::ToolKind::Plan && self.mode == Mode::Plan {
            self.mode = Mode::AcceptEdits;
        }
    }

    fn keep_checkpoint(&mut self, checkpoint: Checkpoint) {
        self.checkpoints.push(checkpoint);
        if self.checkpoints.len() > REMEMBERED_CHECKPOINTS {
            self.checkpoints.remove(0);
        }
    }

    fn terminal(&mut self, terminal: TerminalId, change: impl FnOnce(&mut Terminal)) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            change(terminal);
        }
    }

    fn drives(&mut self, driver: Option<UserId>) {
        self.driver = driver;
        self.wants_to_drive.retain(|user| Some(*user) != driver);
    }

    /// What takes a driver counts only as long as whoever did it is one: the keyboard, asking for it, a word for a call.
    fn heed_roles(&mut self) {
        let members = &self.members;
        let drives = |user: &UserId| {
            let member = members.get(user);
            member.is_some_and(|member| member.role >= Role::Driver)
        };
        self.driver = self.driver.filter(drives);
        self.wants_to_drive.retain(drives);
        for pending in self.approvals.values_mut() {
            pending.allowed_by.retain(drives);
        }
    }
}

/// A title made of a message: its first line, cut at a word.
fn title_from(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    let head: String = line.chars().take(LONGEST).collect();
    let words = head
        .rsplit_once(' ')
        .map_or(head.as_str(), |(words, _)| words);
    format!("{words}…")
}
