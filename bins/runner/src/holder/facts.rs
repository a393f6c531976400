//! What a holder notes in the log: one fact at a time, decided on a state that contains all of its own.

use super::Holder;
use crate::holder::HoldError;
use crate::shell::Over;
use crate::turn::Used;
use duplex_domain::{CallId, EndReason, Event, Lane, Problem, Seq, TurnId, work};
use duplex_eventlog::AppendError;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// A fact on its way.
pub(super) type Appending = AbortOnDropHandle<Result<Seq, AppendError>>;

/// Something to be noted in the log.
pub(super) enum Note {
    /// A model call was paid for, in this turn.
    Used(TurnId, Box<Used>),
    /// Somebody has to be asked about a call.
    Ask(CallId),
    /// A turn is between two model calls.
    Boundary,
    /// Anything else that the runner knows.
    Fact(Option<TurnId>, Box<Event>),
    TurnOver {
        reason: EndReason,
        problem: Option<Problem>,
    },
    ShellOver(Over),
}

impl Holder {
    /// Appends the next fact, one at a time.
    pub(super) fn append_next(&mut self) {
        if self.appending.is_some() || self.is_behind() {
            return;
        }
        while let Some(note) = self.notes.front() {
            if let Some((turn, event)) = self.fact_of(note) {
                self.remember_texts(&event);
                self.append(turn, event);
                self.appending_note = true;
                return;
            }
            if let Some(Note::Boundary) = self.notes.pop_front() {
                self.nothing_taken();
            }
        }
        if let Some(event) = self.settled() {
            let turn = self.session().turn.as_ref().map(|turn| turn.id);
            self.append(turn, event);
            return;
        }
        if self.stopping {
            if self.shells.is_empty() && self.session().turn.is_none() {
                self.append(None, Event::Released {});
            }
            return;
        }
        if self.turn_is_gone()
            && self.files_rest()
            && !self.runner.money.is_spent(self.session().team)
            && let Some(event) = work::start_turn(self.session())
        {
            self.append(Some(TurnId(Uuid::now_v7())), event);
        }
    }

    /// Whether a fact of one's own has not come back yet.
    pub(super) fn is_behind(&self) -> bool {
        self.session().fact < self.wait_for
    }

    /// What a note is as a fact; none if it no longer applies.
    pub(super) fn fact_of(&self, note: &Note) -> Option<(Option<TurnId>, Event)> {
        let session = self.session();
        match note {
            Note::Used(turn, used) => {
                let used = Event::UsageRecorded {
                    model: used.model.clone(),
                    usage: used.usage,
                    prices: used.prices.clone(),
                    pico: used.pico,
                    raw: used.raw.clone(),
                    finished: used.finished,
                };
                Some((Some(*turn), used))
            }
            Note::Ask(call) => {
                let turn = session.turn.as_ref().map(|turn| turn.id);
                Some((turn, self.asked(call)?))
            }
            Note::Boundary => {
                let turn = session.turn.as_ref().map(|turn| turn.id);
                Some((turn, self.taking()?))
            }
            Note::Fact(turn, event) => Some((*turn, (**event).clone())),
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

    pub(super) fn append(&mut self, turn: Option<TurnId>, event: Event) {
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
    pub(super) fn appended(&mut self, appended: Result<Seq, AppendError>) -> Result<(), HoldError> {
        match appended {
            Ok(seq) => {
                self.wait_for = seq;
                if self.appending_note
                    && let Some(Note::Boundary) = self.notes.pop_front()
                {
                    self.taken(seq);
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

    pub(super) fn release(&mut self) {
        if let Some(event) = work::release(self.session(), self.runner.id) {
            self.append(None, event);
        }
    }
}

/// The outcome of the fact on its way; never, if there is none.
pub(super) async fn appended(appending: &mut Option<Appending>) -> Result<Seq, AppendError> {
    let Some(task) = appending else {
        return std::future::pending().await;
    };
    let result = task.await;
    *appending = None;
    result.unwrap_or_else(|error| Err(AppendError::Rejected(error.to_string())))
}
