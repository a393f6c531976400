//! One turn: the model is asked, its tools run, until it rests or is stopped.

mod call;
mod compact;
mod context;
mod ends;
mod limits;
mod report;
mod tools;

use crate::desk::Desk;
use crate::history::History;
use crate::pictures::Pictures;
use crate::scribe::Scribe;
use crate::servers::Servers;
use duplex_domain::{EndReason, Event, TurnId};
use duplex_provider::{Providers, StopReason};
use duplex_workspace::tools::Context;
use ends::{INTERRUPTED, Stop, refused, unknown_stop};
pub use limits::TurnLimits;
pub use report::{Answer, News, Question, Report, Used};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// A turn about to run.
pub struct Turn {
    /// Which turn.
    pub id: TurnId,
    /// The model.
    pub model: String,
    /// The conversation, the messages of this turn included.
    pub history: History,
    /// What the agent may do without asking, in words for the model.
    pub mode: duplex_domain::Mode,
    /// The number of the next part of an answer.
    pub next_block: u64,
    /// How many tokens the last model call read and wrote.
    pub context: u64,
    /// What it is to begin with.
    pub begin: Begin,
    /// How far it may go.
    pub limits: TurnLimits,
    /// Who answers.
    pub providers: Providers,
    /// What tools act on.
    pub tools: Context,
    /// Tools from elsewhere.
    pub servers: Arc<Servers>,
    /// The people's terminals.
    pub desk: Arc<Desk>,
    /// The machines outside that may be reached, as they are told to the model.
    pub hosts: Option<String>,
    /// Where pictures lie.
    pub pictures: Pictures,
    /// Where it writes.
    pub output: Scribe,
    /// Where it reports.
    pub reports: mpsc::Sender<Report>,
    /// Stops it.
    pub cancel: CancellationToken,
    /// What it has done so far.
    pub so_far: SoFar,
    /// What the model is to be told once the calls of its answer have their results: topics and texts.
    pub notes: Vec<(String, String)>,
}

/// What a turn begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Ask the model.
    Asking,
    /// Sum the conversation up; `answer`: then ask the model.
    Compacting {
        /// Whether there is something to answer.
        answer: bool,
    },
    /// Run the calls that another runner left waiting for somebody's answer.
    Waiting,
}

/// What a turn has done so far.
#[derive(Clone, Copy, Debug)]
pub struct SoFar {
    began: Instant,
    /// How long it waited for people.
    waited: Duration,
    /// Picodollars.
    pico: u64,
}

impl Default for SoFar {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            waited: Duration::ZERO,
            pico: 0,
        }
    }
}

impl Turn {
    /// Runs until the end and reports it. If the session was lost it ends without a word.
    pub async fn run(mut self) {
        let Err(Stop::Over(reason, problem)) = self.steps().await else {
            return;
        };
        if self.output.flush().await.is_err() {
            return;
        }
        let turn = self.id;
        let over = Report::Over {
            turn,
            reason,
            problem,
        };
        // Without a holder there is nobody to tell.
        let _ = self.reports.send(over).await;
    }

    async fn steps(&mut self) -> Result<(), Stop> {
        match self.begin {
            Begin::Asking => {}
            Begin::Compacting { answer } => {
                self.compact().await?;
                if !answer {
                    return Err(Stop::Over(EndReason::Complete, None));
                }
            }
            Begin::Waiting => {
                self.run_tools().await?;
                self.boundary().await?;
            }
        }
        self.begin_lineage().await?;
        for step in 0..self.limits.steps {
            if self.is_nearly_full() {
                self.compact().await?;
                self.begin_lineage().await?;
            }
            match self.ask(step).await? {
                StopReason::ToolUse => self.run_tools().await?,
                StopReason::PauseTurn => {}
                StopReason::EndTurn | StopReason::StopSequence => {
                    return Err(Stop::Over(EndReason::Complete, None));
                }
                StopReason::MaxTokens => return Err(Stop::Over(EndReason::Length, None)),
                StopReason::Refusal { explanation } => return Err(refused(explanation)),
                StopReason::ContextWindow => {
                    self.compact().await?;
                    self.begin_lineage().await?;
                }
                StopReason::Other(reason) => return Err(unknown_stop(&reason)),
            }
            self.boundary().await?;
        }
        Err(ends::too_many_steps(self.limits.steps))
    }

    /// Between two model calls: takes in what was slipped in, and looks whether it may go on.
    async fn boundary(&mut self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            return Err(INTERRUPTED);
        }
        for (topic, text) in std::mem::take(&mut self.notes) {
            self.write(Event::ContextNoted { topic, text }).await?;
        }
        // What was written stands before what is taken in.
        self.output.flush().await?;
        let (reply, news) = oneshot::channel();
        self.report(Report::Boundary(reply)).await?;
        let news = tokio::select! {
            () = self.cancel.cancelled() => return Err(INTERRUPTED),
            news = news => news.map_err(|_| Stop::Lost)?,
        };
        self.history.steer(news.texts);
        if news.spent {
            return Err(ends::spent());
        }
        if news.team_spent {
            return Err(ends::team_spent());
        }
        if self
            .limits
            .pico
            .is_some_and(|most| self.so_far.pico >= most)
        {
            return Err(ends::turn_spent());
        }
        let ran = self
            .so_far
            .began
            .elapsed()
            .saturating_sub(self.so_far.waited);
        if ran > self.limits.time {
            return Err(ends::too_long(self.limits.time));
        }
        Ok(())
    }

    async fn report(&self, report: Report) -> Result<(), Stop> {
        self.reports.send(report).await.map_err(|_| Stop::Lost)
    }

    async fn write(&mut self, event: Event) -> Result<(), Stop> {
        let envelope = self.output.write(Some(self.id), event).await?;
        self.history.write(&envelope);
        Ok(())
    }
}
