//! A session being read by the runner that is about to hold it.

use crate::history::History;
use crate::holder::HoldError;
use crate::runner::Runner;
use crate::scribe::Pen;
use duplex_domain::{Lane, Seq, Session, SessionId, work};
use duplex_eventlog::{Address, AppendError, Follow, Followed, ReadError};
use uuid::Uuid;

/// A session being read: the fold, and where it goes on.
pub struct Reader {
    /// The state.
    pub session: Session,
    /// The conversation.
    pub history: History,
    /// Where it goes on.
    pub follow: Follow,
}

impl Reader {
    /// Reads all there is.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn start(runner: &Runner, id: SessionId) -> Result<Self, HoldError> {
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

    /// Takes in what came; true once all that there was is in.
    pub fn take(&mut self, followed: Followed) -> bool {
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

    /// The session's place in the log.
    #[must_use]
    pub fn address(&self) -> Address {
        Address {
            team: self.session.team,
            session: self.session.id,
        }
    }

    /// Takes charge, unless nothing needs to be done or somebody else does it.
    ///
    /// # Errors
    /// When another runner was first, or the log cannot be used.
    pub async fn claim(&mut self, runner: &Runner) -> Result<Option<Pen>, HoldError> {
        loop {
            if !work::is_needed(&self.session) || runner.is_held_by_another(&self.session).await? {
                return Ok(None);
            }
            let sandbox = runner.sandbox.report().to_string();
            let Some(event) = work::claim(&self.session, runner.id, &sandbox) else {
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
