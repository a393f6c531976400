//! Holds one session: what its log asks for is made true, and what comes of it goes back into the log.
//!
//! The holder follows the session like everybody else. Whenever its picture changes it looks what is missing: a turn
//! to be started or stopped, a shell to be opened, resized or ended, a fact to be noted. It appends one fact at a
//! time and believes it only when it comes back.

mod asks;
mod facts;
mod files;
mod shells;
mod turns;

use crate::desk::Desk;
use crate::policies::Allowed;
use crate::reader::Reader;
use crate::runner::Runner;
use crate::scribe::{Pen, Scribe};
use crate::servers::Servers;
use crate::shell::{Over, Shell};
use crate::turn::Report;
use crate::way_out::WayOut;
use asks::{AtBoundary, Waiting};
use duplex_domain::{
    CallId, EndReason, Event, Lane, Problem, Seq, Session, SessionId, State, TeamId, TerminalEnd,
    TerminalId, TerminalState, TurnId, work,
};
use duplex_eventlog::{AppendError, Followed, Keys, PressedKey, ReadError, RegistryError};
use duplex_mcp::ServerConfig;
use duplex_terminal::SealKey;
use duplex_workspace::tools::Shared;
use duplex_workspace::{Repository, Sandbox, WorkspaceError, Worktree};
use facts::{Appending, Note, appended};
use files::Files;
use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use turns::RunningTurn;

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
    /// The way out of its sandbox cannot be made.
    #[error("the socket of the session's way out cannot be made: {0}")]
    WayOut(#[source] io::Error),
    /// The register cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
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
    /// Keys that were allowed by facts which have not come yet.
    early: VecDeque<PressedKey>,
    /// Seals what was typed; none where nothing of it is kept.
    key: Option<SealKey>,
    /// What no terminal may show.
    secrets: Arc<Vec<String>>,
    /// Tells when teams run out of money or have some again.
    purses: watch::Receiver<HashSet<TeamId>>,
    /// What the operator allows here.
    allowed: Allowed,
    /// What tools and terminals of this session run in.
    sandbox: Sandbox,
    way_out: WayOut,
    worktree: Option<Worktree>,
    turn: Option<RunningTurn>,
    /// What the tool calls of the session have in common.
    shared: Option<Arc<Shared>>,
    /// Tools from elsewhere.
    servers: Option<Arc<Servers>>,
    /// Calls that wait for somebody's answer.
    waiting: HashMap<CallId, Waiting>,
    /// A turn between two model calls.
    boundary: Option<AtBoundary>,
    /// What is done with the worktree's files between turns.
    files: Files,
    shells: HashMap<TerminalId, Shell>,
    /// The shells, as the agent may use them.
    desk: Arc<Desk>,
    notes: VecDeque<Note>,
    /// What people are to be told besides.
    says: VecDeque<(Option<TurnId>, Event)>,
    /// The fact on its way.
    appending: Option<Appending>,
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
        let allowed = runner.policies.of(&repository.root);
        let socket = runner.data.join("ways").join(session.id.to_string());
        let opened = WayOut::open(allowed.network.clone(), &socket, &runner.sandbox);
        let (way_out, sandbox) = opened.map_err(HoldError::WayOut)?;
        let sandbox = sandbox.with_readable(&allowed.readable);
        let key = seal_key(&runner, session, &allowed).await?;
        let servers = allowed.servers.iter().flat_map(ServerConfig::secrets);
        let secrets = servers.chain(runner.secrets.iter().cloned());
        Ok(Self {
            secrets: Arc::new(secrets.collect()),
            early: VecDeque::new(),
            keys: runner.log.keys(session.id).await?,
            key,
            purses: runner.money.changes(),
            allowed,
            sandbox,
            way_out,
            runner,
            repository,
            reader,
            pen,
            output,
            input,
            lanes: [output_lane, input_lane],
            worktree: None,
            turn: None,
            shared: None,
            servers: None,
            waiting: HashMap::new(),
            boundary: None,
            files: Files::default(),
            shells: HashMap::new(),
            desk: Arc::default(),
            notes: VecDeque::new(),
            says: VecDeque::new(),
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
            let [output_lane, input_lane] = &mut self.lanes;
            tokio::select! {
                followed = self.reader.follow.next() => {
                    let followed = followed?;
                    if let Followed::Frame(frame) = &followed {
                        self.hear_verdicts(frame);
                    }
                    self.reader.take(followed);
                }
                done = self.files.done() => self.files_done(done),
                appended = appended(&mut self.appending) => self.appended(appended)?,
                Some(report) = self.reports.1.recv() => self.report(report),
                event = self.way_out.asked() => self.say_now(event),
                Some(over) = self.over.1.recv() => self.notes.push_back(Note::ShellOver(over)),
                Some(keys) = self.keys.next() => self.early.push_back(keys),
                _ = self.purses.changed() => {}
                () = stop.cancelled(), if !self.stopping => self.stop().await,
                () = tokio::time::sleep(PATIENCE) => self.release_if_idle(),
                _ = output_lane => return Err(HoldError::Taken(self.reader.session.id)),
                _ = input_lane => return Err(HoldError::Taken(self.reader.session.id)),
            }
        }
    }

    /// A turn or a shell that ran under an older claim died with its runner.
    async fn mend_what_the_last_holder_left(&mut self) -> Result<(), HoldError> {
        let turn = self.session().turn.as_ref().map(|turn| turn.id);
        // A turn that only waited for somebody's answer goes on with it.
        if turn.is_some() && !self.reader.history.only_waits() {
            for call in self.reader.history.open_calls() {
                let finished = Event::ToolFinished {
                    call: call.id,
                    content: "The runner died while this call ran. It may have had effects."
                        .to_owned(),
                    is_error: true,
                    took: 0,
                    diff: None,
                    images: Vec::new(),
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
            self.end_jobs_if_over().await;
            return Ok(());
        }
        self.stop_turn_if_asked();
        self.end_jobs_if_over().await;
        while let Some((turn, event)) = self.says.pop_front() {
            let said = self.output.write(turn, event).await;
            said.map_err(|_| HoldError::Taken(self.session().id))?;
        }
        self.answer_boundary();
        self.start_turn_if_begun().await;
        self.tend_files().await;
        self.tend_shells().await;
        self.pass_keys().await;
        self.append_next();
        Ok(())
    }

    async fn worktree(&mut self) -> Result<Worktree, WorkspaceError> {
        if let Some(worktree) = &self.worktree
            && worktree.tree.is_dir()
        {
            return Ok(worktree.clone());
        }
        let session = self.session().id.to_string();
        let folder = self.runner.data.join("sessions");
        let sandbox = &self.runner.sandbox;
        let worktree = self.repository.worktree(&folder, &session, sandbox).await?;
        self.worktree = Some(worktree.clone());
        Ok(worktree)
    }

    /// Tells the people something, soon.
    fn say(&mut self, turn: Option<TurnId>, event: Event) {
        self.says.push_back((turn, event));
    }

    /// Tells the people something that the turn at work, if there is one, may have brought about.
    fn say_now(&mut self, event: Event) {
        let turn = self.turn.as_ref().map(|turn| turn.id);
        self.say(turn, event);
    }

    fn release_if_idle(&mut self) {
        let jobs = self.shared.as_ref().is_some_and(|shared| shared.is_busy());
        let idle = !work::is_needed(self.session()) && self.turn.is_none() && self.files_rest();
        if idle && !jobs && self.appending.is_none() {
            self.release();
        }
    }

    /// Nothing that a session's tools left running outlives it.
    async fn end_jobs_if_over(&mut self) {
        let over = self.session().state == State::Ended || self.released;
        if let Some(shared) = self.shared.take_if(|_| over) {
            shared.end().await;
        }
        if let Some(servers) = self.servers.take_if(|_| over) {
            servers.end().await;
        }
    }

    /// The runner stops: the turn and the shells end with a word in the log.
    async fn stop(&mut self) {
        self.stopping = true;
        if let Some(running) = self.turn.take() {
            running.cancel.cancel();
        }
        if self.session().turn.is_some() && !self.reader.history.only_waits() {
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

/// What seals the keys of a session, if they are kept at all.
async fn seal_key(
    runner: &Runner,
    session: &Session,
    allowed: &Allowed,
) -> Result<Option<SealKey>, RegistryError> {
    if session.keys_forgotten || allowed.keep_keys == Some(false) {
        return Ok(None);
    }
    let fresh = *SealKey::generate().as_bytes();
    let key = runner.registry.session_key(session.id, fresh).await?;
    Ok(Some(SealKey::from_bytes(key)))
}

fn runner_lost() -> Problem {
    Problem {
        code: "runner_lost".to_owned(),
        message: "the runner stopped in the middle of this turn; send the message again to go on"
            .to_owned(),
        retryable: true,
    }
}
