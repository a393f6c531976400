//! A session's state, and how each event changes it.

use crate::{
    Cost, Delivery, Envelope, Epoch, Event, Lane, MessageId, Recorded, RunnerId, Seq, SessionId,
    Size, TeamId, TerminalEnd, TerminalId, Time, TurnId, Usage, UserId, WorkspaceId, Writer,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many message ids are remembered, so that a command sent twice is one message.
const REMEMBERED_MESSAGES: usize = 256;

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
}

/// A terminal of the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Its size.
    pub size: Size,
    /// What its program does.
    pub state: TerminalState,
    /// How many bytes it has put out.
    pub offset: u64,
    /// How many of them the newest saved screen contains.
    pub saved: u64,
    /// Whether somebody asked for its end.
    pub closing: bool,
}

impl Terminal {
    fn opened(size: Size) -> Self {
        Self {
            size,
            state: TerminalState::Running,
            offset: 0,
            saved: 0,
            closing: false,
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
            } => {
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
            Event::MemberSet { user, name, role } => {
                let name = name.clone();
                self.members.insert(*user, Member { name, role: *role });
                self.release_keyboard_unless_driver();
            }
            Event::MemberRemoved { user } => {
                self.members.remove(user);
                self.release_keyboard_unless_driver();
            }
            Event::ControlTaken {} => self.driver = by,
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
            Event::TurnStarted { messages, model } => {
                self.start_turn(at, envelope.turn, messages, model);
            }
            Event::InterruptRequested {} => {
                if let Some(turn) = self.turn.as_mut().filter(|t| Some(t.id) == envelope.turn) {
                    turn.interrupted_by = by;
                }
            }
            Event::TurnEnded { .. } => {
                if self.turn.as_ref().map(|turn| turn.id) == envelope.turn {
                    self.turn = None;
                }
            }
            Event::UsageRecorded { usage, pico, .. } => {
                self.usage.add(usage);
                self.cost.add(*pico);
                if let Some(turn) = &mut self.turn {
                    turn.usage.add(usage);
                    turn.cost.add(*pico);
                }
            }
            Event::TerminalOpened { terminal, size } => {
                self.terminals.insert(*terminal, Terminal::opened(*size));
            }
            Event::TerminalResized { terminal, size } => {
                self.terminal(*terminal, |terminal| terminal.size = *size);
            }
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
            }
            Event::Reopened {} => {
                self.state = State::Active;
                self.ended_at = None;
            }
            Event::BlockOpened { block, .. } => self.blocks = self.blocks.max(block + 1),
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
            Event::Typed { .. }
            | Event::TextDelta { .. }
            | Event::ThinkingDelta { .. }
            | Event::ToolInputDelta { .. }
            | Event::BlockClosed { .. }
            | Event::ToolStarted { .. }
            | Event::ToolOutput { .. }
            | Event::ToolFinished { .. }
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
        self.turns += 1;
        self.turn = id.map(|id| Turn {
            id,
            at,
            model: model.to_owned(),
            messages: messages.to_vec(),
            interrupted_by: None,
            usage: Usage::default(),
            cost: Cost::default(),
        });
    }

    fn terminal(&mut self, terminal: TerminalId, change: impl FnOnce(&mut Terminal)) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            change(terminal);
        }
    }

    /// The keyboard is nobody's once its holder may not type.
    fn release_keyboard_unless_driver(&mut self) {
        let may_type = |user| self.role_of(user) >= Some(Role::Driver);
        if !self.driver.is_some_and(may_type) {
            self.driver = None;
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
