//! How a holder starts and stops turns.

use super::{Holder, Note};
use crate::pictures::Pictures;
use crate::servers::Servers;
use crate::turn::{Begin, Report, SoFar, Turn};
use duplex_domain::{EndReason, Event, Level, Problem, State, TurnId};
use duplex_workspace::tools::{Context, Shared};
use duplex_workspace::{WorkspaceError, Worktree};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// The turn at work.
pub(super) struct RunningTurn {
    pub(super) id: TurnId,
    pub(super) cancel: CancellationToken,
    _task: AbortOnDropHandle<()>,
}

impl Holder {
    pub(super) fn stop_turn_if_asked(&self) {
        let Some(running) = &self.turn else { return };
        let session = self.session();
        let meant = session.turn.as_ref().filter(|turn| turn.id == running.id);
        let interrupted = meant.is_none_or(|turn| turn.interrupted_by.is_some());
        if interrupted || session.state == State::Ended {
            running.cancel.cancel();
        }
    }

    /// The log says that a turn began: it begins.
    pub(super) async fn start_turn_if_begun(&mut self) {
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

    pub(super) fn start_turn(&mut self, id: TurnId, model: String, worktree: Worktree) {
        let cancel = CancellationToken::new();
        let servers = self.servers(&worktree);
        let shared = self
            .shared
            .get_or_insert_with(|| Arc::new(Shared::new(&worktree)));
        let mut tools = Context::new(worktree, self.sandbox.clone(), shared.clone());
        tools.network = self.way_out.network();
        let session = &self.reader.session;
        let turn = Turn {
            id,
            model,
            mode: session.mode,
            history: self.reader.history.clone(),
            next_block: session.blocks,
            context: session.context,
            begin: self.begin(),
            limits: self.runner.turn_limits,
            providers: self.runner.providers.clone(),
            tools,
            servers,
            desk: self.desk.clone(),
            hosts: self.way_out.note(),
            pictures: Pictures::of(self.runner.log.clone(), session.id),
            output: self.output.clone(),
            reports: self.reports.0.clone(),
            cancel: cancel.clone(),
            so_far: SoFar::default(),
            notes: Vec::new(),
        };
        let task = AbortOnDropHandle::new(tokio::spawn(turn.run()));
        self.turn = Some(RunningTurn {
            id,
            cancel,
            _task: task,
        });
    }

    fn servers(&mut self, worktree: &Worktree) -> Arc<Servers> {
        let (configs, sandbox) = (&self.allowed.servers, &self.sandbox);
        let servers = self.servers.get_or_insert_with(|| {
            let (configs, sandbox) = (configs.clone(), sandbox.clone());
            Arc::new(Servers::new(configs, sandbox, worktree.clone()))
        });
        servers.clone()
    }

    /// What the turn begins with.
    fn begin(&self) -> Begin {
        let session = &self.reader.session;
        let asked = session
            .turn
            .as_ref()
            .is_some_and(|turn| !turn.messages.is_empty());
        if self.reader.history.only_waits() {
            return Begin::Waiting;
        }
        if session.compacting {
            let answer = asked || self.reader.history.wants_answer();
            return Begin::Compacting { answer };
        }
        Begin::Asking
    }

    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Used(used) => {
                let Some(turn) = self.turn.as_ref().map(|turn| turn.id) else {
                    return;
                };
                self.warn_of_budget(turn, used.pico);
                self.notes.push_back(Note::Used(turn, used));
            }
            Report::Ask(question, reply) => self.ask(*question, reply),
            Report::Boundary(reply) => self.at_boundary(reply),
            Report::Over {
                turn,
                reason,
                problem,
            } => {
                if self.session().turn.as_ref().map(|turn| turn.id) == Some(turn) {
                    self.notes.push_back(Note::TurnOver { reason, problem });
                    self.forget_questions();
                    self.files_changed(turn);
                }
            }
        }
    }

    /// Said once, when the cost passes four fifths of what it may be.
    fn warn_of_budget(&mut self, turn: TurnId, pico: Option<u64>) {
        let session = &self.reader.session;
        let (Some(budget), Some(more)) = (session.budget, pico) else {
            return;
        };
        let line = budget.pico / 5 * 4;
        let cost = session.cost.pico;
        if cost < line && cost.saturating_add(more) >= line {
            let notice = Event::Notice {
                level: Level::Warning,
                code: "budget_soon".to_owned(),
                text: "four fifths of the session's budget are used; at its end the agent stops and asks"
                    .to_owned(),
            };
            self.say(Some(turn), notice);
        }
    }

    /// A new turn waits until the one before has let go of the worktree.
    pub(super) fn turn_is_gone(&mut self) -> bool {
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
}

fn no_workspace(error: &WorkspaceError) -> Problem {
    Problem {
        code: error.code().to_owned(),
        message: format!("the session's folder cannot be used: {error}"),
        retryable: true,
    }
}
