//! Holds one session: what its log asks for is made true, and what comes of it goes back into the log.
//!
//! The holder follows the session like everybody else. Whenever its picture changes it looks what is missing: a turn
//! to be started or stopped, a shell to be opened, resized or ended, a fact to be noted. It appends one fact at a
//! time and believes it only when it comes back.

use crate::history::History;
use crate::runner::Runner;
use crate::scribe::{Pen, Scribe};
use crate::shell::{Order, Outlets, Over, Shell};
use crate::turn::{self, Report, Turn};
use duplex_domain::{
    EndReason, Event, Lane, Level, Problem, Seq, Session, SessionId, State, TerminalEnd,
    TerminalId, TerminalState, TurnId, work,
};
use duplex_eventlog::{Address, AppendError, Follow, Followed, Keys, PressedKey, ReadError};
use duplex_terminal::{Launch, SealKey};
use duplex_workspace::tools::{Context, Limits};
use duplex_workspace::{Repository, WorkspaceError, Worktree};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use uuid::Uuid;

/// How long a session without work is still held.
const PATIENCE: Duration = Duration::from_mins(1);

/// Holding a session ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Another runner holds it.
    #[error("another runner took session {0}")]
    Taken(SessionId),
    /// The log cannot be read or written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A fact was refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The register cannot be used.
    #[error(transparent)]
    Registry(#[from] duplex_eventlog::RegistryError),
}

/// Something to be noted in the log.
enum Note {
    Used {
        turn: TurnId,
        model: String,
        usage: duplex_domain::Usage,
    },
    TurnOver {
        reason: EndReason,
        problem: Option<Problem>,
    },
    ShellOver(Over),
}

/// Claims a session and holds it until nothing of it is left to do, it is lost, or `stop` is cancelled.
///
/// # Errors
/// See [`HoldError`].
pub async fn hold(
    runner: Arc<Runner>,
    id: SessionId,
    repository: Repository,
    stop: CancellationToken,
) -> Result<(), HoldError> {
    let mut reader = Reader::start(&runner, id).await?;
    let Some(pen) = reader.claim(&runner).await? else {
        return Ok(());
    };
    info!(session.id = %id, "holding session {id} under epoch {}", pen.epoch.0);
    let holder = Holder::new(runner, repository, reader, pen).await?;
    holder.run(stop).await
}

/// A session being read: the fold, and where it goes on.
struct Reader {
    session: Session,
    history: History,
    follow: Follow,
}

impl Reader {
    async fn start(runner: &Runner, id: SessionId) -> Result<Self, HoldError> {
        let mut reader = Self {
            session: Session::new(id),
            history: History::default(),
            follow: runner.log.follow(id, Seq(0)).await?,
        };
        while !reader.next().await? {}
        Ok(reader)
    }

    /// Takes in what comes next; true once all that there was is in.
    async fn next(&mut self) -> Result<bool, ReadError> {
        let followed = self.follow.next().await?;
        Ok(self.take(followed))
    }

    fn take(&mut self, followed: Followed) -> bool {
        let Followed::Frame(frame) = followed else {
            return true;
        };
        for envelope in &frame.events {
            self.history.apply(&self.session, envelope);
        }
        // The history needs the state before the frame's events; none of them depends on an earlier one's.
        self.session.apply(&frame);
        false
    }

    fn address(&self) -> Address {
        Address {
            team: self.session.team,
            session: self.session.id,
        }
    }

    /// Takes charge, unless nothing needs to be done or somebody else does it.
    async fn claim(&mut self, runner: &Runner) -> Result<Option<Pen>, HoldError> {
        loop {
            if !work::is_needed(&self.session) || runner.is_held_by_another(&self.session).await? {
                return Ok(None);
            }
            let Some(event) = work::claim(&self.session, runner.id, runner.sandbox.tier()) else {
                return Ok(None);
            };
            let pen = Pen {
                runner: runner.id,
                epoch: self.session.epoch.next(),
            };
            let (address, guard) = (self.address(), self.session.fact);
            let id = Uuid::now_v7().simple().to_string();
            let events = [pen.envelope(None, event)];
            let claimed = runner.log.append(&address, Lane::Fact, guard, &id, &events);
            match claimed.await {
                Ok(seq) => self.read_to(seq).await?,
                Err(AppendError::Conflict { .. }) => {
                    self.next().await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if self.session.epoch == pen.epoch {
                return Ok(Some(pen));
            }
            return Err(HoldError::Taken(self.session.id));
        }
    }

    async fn read_to(&mut self, seq: Seq) -> Result<(), ReadError> {
        while self.session.seq < seq {
            self.next().await?;
        }
        Ok(())
    }
}

struct RunningTurn {
    id: TurnId,
    cancel: CancellationToken,
    _task: AbortOnDropHandle<()>,
}

struct Holder {
    runner: Arc<Runner>,
    repository: Repository,
    reader: Reader,
    pen: Pen,
    output: Scribe,
    input: Scribe,
    /// Ends with either lane's writing: the session is lost then.
    lanes: [AbortOnDropHandle<()>; 2],
    keys: Keys,
    key: SealKey,
    worktree: Option<Worktree>,
    turn: Option<RunningTurn>,
    shells: HashMap<TerminalId, Shell>,
    notes: VecDeque<Note>,
    /// The fact on its way.
    appending: Option<AbortOnDropHandle<Result<Seq, AppendError>>>,
    /// Whether that fact is the first of the notes.
    appending_note: bool,
    /// The fact that must have come back before the next is decided.
    wait_for: Seq,
    /// What the fact on its way expected to come behind.
    guard: Seq,
    facts: u64,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    over: (mpsc::Sender<Over>, mpsc::Receiver<Over>),
    stopping: bool,
    released: bool,
}

impl Holder {
    async fn new(
        runner: Arc<Runner>,
        repository: Repository,
        reader: Reader,
        pen: Pen,
    ) -> Result<Self, HoldError> {
        let (log, address) = (runner.log.clone(), reader.address());
        let session = &reader.session;
        let start = |lane, guard| Scribe::start(log.clone(), address, lane, guard, pen);
        let (output, output_lane) = start(Lane::Output, session.output);
        let (input, input_lane) = start(Lane::Input, session.input);
        let fresh = *SealKey::generate().as_bytes();
        let key = runner.registry.session_key(session.id, fresh).await?;
        Ok(Self {
            keys: runner.log.keys(session.id).await?,
            key: SealKey::from_bytes(key),
            runner,
            repository,
            reader,
            pen,
            output,
            input,
            lanes: [output_lane, input_lane],
            worktree: None,
            turn: None,
            shells: HashMap::new(),
            notes: VecDeque::new(),
            appending: None,
            appending_note: false,
            wait_for: Seq(0),
            guard: Seq(0),
            facts: 0,
            reports: mpsc::channel(64),
            over: mpsc::channel(16),
            stopping: false,
            released: false,
        })
    }

    fn session(&self) -> &Session {
        &self.reader.session
    }

    async fn run(mut self, stop: CancellationToken) -> Result<(), HoldError> {
        self.mend_what_the_last_holder_left().await?;
        loop {
            self.look().await?;
            if self.released {
                return Ok(());
            }
            let idle = self.is_idle() && self.appending.is_none();
            let [output_lane, input_lane] = &mut self.lanes;
            tokio::select! {
                followed = self.reader.follow.next() => {
                    self.reader.take(followed?);
                }
                appended = appended(&mut self.appending) => self.appended(appended)?,
                Some(report) = self.reports.1.recv() => self.report(report),
                Some(over) = self.over.1.recv() => self.notes.push_back(Note::ShellOver(over)),
                Some(keys) = self.keys.next() => self.pass(keys).await,
                () = stop.cancelled(), if !self.stopping => self.stop().await,
                () = tokio::time::sleep(PATIENCE), if idle => self.release(),
                _ = output_lane => return Err(HoldError::Taken(self.reader.session.id)),
                _ = input_lane => return Err(HoldError::Taken(self.reader.session.id)),
            }
        }
    }

    /// A turn or a shell that ran under an older claim died with its runner.
    async fn mend_what_the_last_holder_left(&mut self) -> Result<(), HoldError> {
        let turn = self.session().turn.as_ref().map(|turn| turn.id);
        if turn.is_some() {
            for call in self.reader.history.open_calls() {
                let finished = Event::ToolFinished {
                    call,
                    content: "The runner died while this call ran. It may have had effects."
                        .to_owned(),
                    is_error: true,
                    took: 0,
                    diff: None,
                };
                let written = self.output.write(turn, finished).await;
                written.map_err(|_| HoldError::Taken(self.session().id))?;
            }
            let flushed = self.output.flush().await;
            flushed.map_err(|_| HoldError::Taken(self.session().id))?;
            self.notes.push_back(Note::TurnOver {
                reason: EndReason::RunnerLost,
                problem: Some(runner_lost()),
            });
        }
        let terminals = self.session().terminals.iter();
        let lost = terminals.filter(|(_, terminal)| {
            // One without output was never started: it will be now.
            terminal.state == TerminalState::Running && terminal.offset > 0
        });
        let lost: Vec<_> = lost.map(|(terminal, _)| *terminal).collect();
        for terminal in lost {
            let end = TerminalEnd::Lost;
            self.notes
                .push_back(Note::ShellOver(Over { terminal, end }));
        }
        Ok(())
    }

    /// Makes true what the session's state asks for.
    async fn look(&mut self) -> Result<(), HoldError> {
        if self.session().epoch != self.pen.epoch {
            return Err(HoldError::Taken(self.session().id));
        }
        if self.session().runner.is_none() {
            self.released = true;
            return Ok(());
        }
        self.stop_turn_if_asked();
        self.start_turn_if_begun().await;
        self.tend_shells().await;
        self.append_next();
        Ok(())
    }

    fn stop_turn_if_asked(&self) {
        let Some(running) = &self.turn else { return };
        let session = self.session();
        let meant = session.turn.as_ref().filter(|turn| turn.id == running.id);
        let interrupted = meant.is_none_or(|turn| turn.interrupted_by.is_some());
        if interrupted || session.state == State::Ended {
            running.cancel.cancel();
        }
    }

    /// The log says that a turn began: it begins.
    async fn start_turn_if_begun(&mut self) {
        let begun = self.session().turn.as_ref();
        let Some((id, model)) = begun.map(|turn| (turn.id, turn.model.clone())) else {
            return;
        };
        let over = |note: &Note| matches!(note, Note::TurnOver { .. });
        let ending = self.stopping || self.is_behind() || self.notes.iter().any(over);
        if self.turn.is_some() || ending {
            return;
        }
        match self.worktree().await {
            Ok(worktree) => self.start_turn(id, model, worktree),
            Err(error) => self.notes.push_back(Note::TurnOver {
                reason: EndReason::Error,
                problem: Some(no_workspace(&error)),
            }),
        }
    }

    fn start_turn(&mut self, id: TurnId, model: String, worktree: Worktree) {
        let cancel = CancellationToken::new();
        let turn = Turn {
            id,
            model,
            system: crate::prompt::system(&worktree),
            history: self.reader.history.clone(),
            next_block: self.session().blocks,
            providers: self.runner.providers.clone(),
            tools: Context {
                worktree,
                sandbox: self.runner.sandbox.clone(),
                limits: Limits::default(),
            },
            output: self.output.clone(),
            reports: self.reports.0.clone(),
            cancel: cancel.clone(),
        };
        let task = AbortOnDropHandle::new(tokio::spawn(turn.run()));
        self.turn = Some(RunningTurn {
            id,
            cancel,
            _task: task,
        });
    }

    async fn worktree(&mut self) -> Result<Worktree, WorkspaceError> {
        if let Some(worktree) = &self.worktree
            && worktree.tree.is_dir()
        {
            return Ok(worktree.clone());
        }
        let session = self.session().id.to_string();
        let folder = self.runner.data.join("sessions");
        let worktree = self.repository.worktree(&folder, &session).await?;
        self.worktree = Some(worktree.clone());
        Ok(worktree)
    }

    async fn tend_shells(&mut self) {
        let terminals = self.session().terminals.clone();
        let ended = self.session().state == State::Ended;
        for (id, terminal) in terminals {
            if terminal.state != TerminalState::Running {
                self.shells.remove(&id);
                continue;
            }
            let over = |note: &Note| matches!(note, Note::ShellOver(over) if over.terminal == id);
            let Some(shell) = self.shells.get_mut(&id) else {
                let ending = self.stopping || self.is_behind() || self.notes.iter().any(over);
                if !ending && !ended {
                    self.open_shell(id, terminal.size).await;
                }
                continue;
            };
            if shell.size != terminal.size {
                shell.size = terminal.size;
                order(shell, Order::Resize(terminal.size)).await;
            }
            if terminal.closing || ended {
                order(shell, Order::Close).await;
            }
        }
    }

    async fn open_shell(&mut self, id: TerminalId, size: duplex_domain::Size) {
        let opened = match self.worktree().await {
            Ok(worktree) => self.spawn_shell(id, size, &worktree),
            Err(error) => Err(error.to_string()),
        };
        match opened {
            Ok(shell) => {
                self.shells.insert(id, shell);
            }
            Err(problem) => self.no_shell(id, problem).await,
        }
    }

    fn spawn_shell(
        &self,
        id: TerminalId,
        size: duplex_domain::Size,
        worktree: &Worktree,
    ) -> Result<Shell, String> {
        let shell = ["/bin/bash".to_owned(), "--login".to_owned()];
        let env = [
            ("COLORTERM".to_owned(), "truecolor".to_owned()),
            ("PS1".to_owned(), prompt(worktree)),
        ];
        let sandbox = &self.runner.sandbox;
        let launch = sandbox.launch(worktree, &shell, &env, &worktree.tree, true);
        let args = launch.args.into_iter();
        let args = args.map(std::ffi::OsString::into_string).collect();
        let launch = Launch {
            program: launch.program,
            args: Result::map_err(args, |_| "a path is not UTF-8".to_owned())?,
            env: launch.env,
            cwd: launch.cwd,
        };
        let outlets = Outlets {
            output: self.output.clone(),
            input: self.input.clone(),
            key: self.key.clone(),
            over: self.over.0.clone(),
        };
        Shell::start(id, &launch, size, outlets).map_err(|error| error.to_string())
    }

    async fn no_shell(&mut self, terminal: TerminalId, problem: String) {
        let notice = Event::Notice {
            level: Level::Error,
            code: "no_terminal".to_owned(),
            text: format!("the terminal could not be opened: {problem}"),
        };
        // A lost lane ends the holder by itself.
        let _ = self.output.write(None, notice).await;
        let end = TerminalEnd::Lost;
        self.notes
            .push_back(Note::ShellOver(Over { terminal, end }));
    }

    /// Keys go on to their shell if their author may type there.
    async fn pass(&mut self, keys: PressedKey) {
        let (user, terminal) = (keys.press.user, keys.press.terminal);
        if let Err(refusal) = work::may_type(self.session(), user, terminal) {
            return keys.refused(refusal).await;
        }
        match self.shells.get(&terminal) {
            // The shell answers. A full queue means that it does not read: the edge's patience ends then.
            Some(shell) => drop(shell.orders.try_send(Order::Keys(Box::new(keys)))),
            None => keys.refused(duplex_domain::Refusal::NoTerminal).await,
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Used { model, usage } => {
                let Some(turn) = self.turn.as_ref().map(|turn| turn.id) else {
                    return;
                };
                self.notes.push_back(Note::Used { turn, model, usage });
            }
            Report::Over {
                turn,
                reason,
                problem,
            } => {
                if self.session().turn.as_ref().map(|turn| turn.id) == Some(turn) {
                    self.notes.push_back(Note::TurnOver { reason, problem });
                }
            }
        }
    }

    /// Appends the next fact, one at a time.
    fn append_next(&mut self) {
        if self.appending.is_some() || self.is_behind() {
            return;
        }
        while let Some(note) = self.notes.front() {
            if let Some((turn, event)) = self.fact_of(note) {
                self.append(turn, event);
                self.appending_note = true;
                return;
            }
            self.notes.pop_front();
        }
        if self.stopping {
            if self.shells.is_empty() && self.session().turn.is_none() {
                self.append(None, Event::Released {});
            }
            return;
        }
        if self.turn_is_gone()
            && let Some(event) = work::start_turn(self.session())
        {
            self.append(Some(TurnId(Uuid::now_v7())), event);
        }
    }

    /// Whether a fact of one's own has not come back yet.
    fn is_behind(&self) -> bool {
        self.session().fact < self.wait_for
    }

    /// A new turn waits until the one before has let go of the worktree.
    fn turn_is_gone(&mut self) -> bool {
        let running = self.session().turn.as_ref().map(|turn| turn.id);
        if self
            .turn
            .as_ref()
            .is_some_and(|turn| Some(turn.id) != running)
        {
            self.turn = None;
        }
        self.turn.is_none()
    }

    /// What a note is as a fact; none if it no longer applies.
    fn fact_of(&self, note: &Note) -> Option<(Option<TurnId>, Event)> {
        let session = self.session();
        match note {
            Note::Used { turn, model, usage } => {
                let (pico, prices) = turn::cost(model, *usage);
                let (model, usage) = (model.clone(), *usage);
                let used = Event::UsageRecorded {
                    model,
                    usage,
                    prices,
                    pico,
                };
                Some((Some(*turn), used))
            }
            Note::TurnOver { reason, problem } => {
                let turn = session.turn.as_ref().map(|turn| turn.id);
                Some((turn, work::end_turn(session, *reason, problem.clone())?))
            }
            Note::ShellOver(over) => {
                let exited = work::terminal_exited(session, over.terminal, over.end)?;
                Some((None, exited))
            }
        }
    }

    fn append(&mut self, turn: Option<TurnId>, event: Event) {
        self.facts += 1;
        let id = format!("{}.fact.{}", self.pen.epoch.0, self.facts);
        let (log, address) = (self.runner.log.clone(), self.reader.address());
        let guard = self.session().fact;
        self.guard = guard;
        self.appending_note = false;
        let envelope = self.pen.envelope(turn, event);
        let task: JoinHandle<_> = tokio::spawn(async move {
            log.append(&address, Lane::Fact, guard, &id, &[envelope])
                .await
        });
        self.appending = Some(AbortOnDropHandle::new(task));
    }

    /// A conflict means that more is to be read first; then it is decided again.
    fn appended(&mut self, appended: Result<Seq, AppendError>) -> Result<(), HoldError> {
        match appended {
            Ok(seq) => {
                self.wait_for = seq;
                if self.appending_note {
                    self.notes.pop_front();
                }
                Ok(())
            }
            Err(AppendError::Conflict { .. }) => {
                self.wait_for = self.wait_for.max(Seq(self.guard.0 + 1));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_idle(&self) -> bool {
        !work::is_needed(self.session()) && self.turn.is_none()
    }

    fn release(&mut self) {
        if let Some(event) = work::release(self.session(), self.runner.id) {
            self.append(None, event);
        }
    }

    /// The runner stops: the turn and the shells end with a word in the log.
    async fn stop(&mut self) {
        self.stopping = true;
        if let Some(running) = self.turn.take() {
            running.cancel.cancel();
        }
        if self.session().turn.is_some() {
            self.notes.push_back(Note::TurnOver {
                reason: EndReason::RunnerLost,
                problem: Some(runner_lost()),
            });
        }
        let shells: Vec<_> = self.shells.drain().collect();
        for (terminal, _) in shells {
            let end = TerminalEnd::Lost;
            self.notes
                .push_back(Note::ShellOver(Over { terminal, end }));
        }
        if let Err(error) = self.output.flush().await {
            warn!("what was written last may be missing: {error}");
        }
    }
}

async fn appended(
    appending: &mut Option<AbortOnDropHandle<Result<Seq, AppendError>>>,
) -> Result<Seq, AppendError> {
    let Some(task) = appending else {
        return std::future::pending().await;
    };
    let result = task.await;
    *appending = None;
    result.unwrap_or_else(|error| Err(AppendError::Rejected(error.to_string())))
}

async fn order(shell: &Shell, order: Order) {
    // A shell that is over takes no orders; its end is on its way.
    let _ = shell.orders.send(order).await;
}

/// The project's name and the folder: the whole path of a worktree says little and fills the line.
fn prompt(worktree: &Worktree) -> String {
    let project = worktree.repository.file_name().unwrap_or_default();
    format!(r"\[\e[1;34m\]{}:\W\[\e[0m\]\$ ", project.display())
}

fn runner_lost() -> Problem {
    Problem {
        code: "runner_lost".to_owned(),
        message: "the runner stopped in the middle of this turn; send the message again to go on"
            .to_owned(),
        retryable: true,
    }
}

fn no_workspace(error: &WorkspaceError) -> Problem {
    Problem {
        code: error.code().to_owned(),
        message: format!("the session's folder cannot be used: {error}"),
        retryable: true,
    }
}
