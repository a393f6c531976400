//! The task of one session: it alone owns what is shown of it.

use crate::live::Directory;
use crate::stage::Stage;
use crate::submit::{Decision, decision};
use crate::watch::News;
use crate::{Glimpse, SubmitError, Views, Watch, WatchError};
use duplex_domain::{Command, MessageId, Recorded, Role, Seq, SessionId, TeamId, UserId};
use duplex_eventlog::{Follow, Followed, Log, ReadError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tracing::{debug, warn};
use uuid::Uuid;

/// How long a task stays that nobody watches or asks.
const IDLE: Duration = Duration::from_secs(30);
/// How long catching up may take.
const CATCHING_UP: Duration = Duration::from_mins(1);
/// The wait before a session that could not be read is read again.
const PAUSE: Duration = Duration::from_millis(500);
/// How often reading may fail in a row.
const FAILURES: u32 = 5;

pub(crate) type Reply<T, E = WatchError> = oneshot::Sender<Result<T, E>>;

/// What a task is asked.
pub(crate) enum Ask {
    Watch {
        user: UserId,
        after: Option<Seq>,
        reply: Reply<Watch>,
    },
    Look {
        user: UserId,
        reply: Reply<Glimpse>,
    },
    Role {
        user: UserId,
        reply: Reply<Role>,
    },
    Payer {
        user: UserId,
        message: MessageId,
        reply: Reply<Option<TeamId>>,
    },
    Decide {
        user: UserId,
        id: Uuid,
        command: Command,
        reply: Reply<Decision, SubmitError>,
    },
}

impl Ask {
    /// Answers that it cannot be. Who asked may be gone; then nobody needs to know.
    fn fail(self, error: WatchError) {
        match self {
            Self::Watch { reply, .. } => drop(reply.send(Err(error))),
            Self::Look { reply, .. } => drop(reply.send(Err(error))),
            Self::Role { reply, .. } => drop(reply.send(Err(error))),
            Self::Payer { reply, .. } => drop(reply.send(Err(error))),
            Self::Decide { reply, .. } => drop(reply.send(Err(error.into()))),
        }
    }
}

/// How far the fold is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stands {
    /// The newest frame.
    pub seq: Seq,
    /// The newest frame of the fact lane.
    pub fact: Seq,
}

/// How a round of reading and serving ended.
enum Round {
    /// The session must be read anew.
    Again(ReadError),
    /// The task is over; this is what those still waiting are told.
    Over(WatchError),
}

pub(crate) struct Task {
    session: SessionId,
    log: Log,
    views: Arc<dyn Views>,
    directory: Arc<Directory>,
    asks: mpsc::Receiver<Ask>,
    stands: watch::Sender<Stands>,
    stage: Stage,
    failures: u32,
}

impl Task {
    pub fn new(
        session: SessionId,
        log: Log,
        views: Arc<dyn Views>,
        directory: Arc<Directory>,
        asks: mpsc::Receiver<Ask>,
        stands: watch::Sender<Stands>,
    ) -> Self {
        let stage = Stage::new(session);
        Self {
            session,
            log,
            views,
            directory,
            asks,
            stands,
            stage,
            failures: 0,
        }
    }

    pub async fn run(mut self) {
        let error = loop {
            match self.round().await {
                Round::Over(error) => break error,
                Round::Again(error) => {
                    debug!(session.id = %self.session, "a session is read anew: {error}");
                }
            }
            self.failures += 1;
            if self.failures > FAILURES {
                warn!(session.id = %self.session, "session {} cannot be read", self.session);
                self.directory.leave(self.session);
                break WatchError::Unavailable;
            }
            tokio::time::sleep(PAUSE * (self.failures - 1)).await;
        };
        self.asks.close();
        while let Ok(ask) = self.asks.try_recv() {
            ask.fail(error.clone());
        }
    }

    async fn round(&mut self) -> Round {
        let loaded = match self.views.load(self.session).await {
            Ok(loaded) => loaded,
            Err(error) => {
                warn!(session.id = %self.session, "{error}");
                return self.over(WatchError::Unavailable);
            }
        };
        let after = self.stage.restart(loaded);
        let mut follow = match self.log.follow(self.session, after).await {
            Ok(follow) => follow,
            Err(error) => return Round::Again(error),
        };
        match tokio::time::timeout(CATCHING_UP, self.catch_up(&mut follow)).await {
            Err(_) => return self.over(WatchError::Unavailable),
            Ok(Err(error)) => return Round::Again(error),
            Ok(Ok(())) if !self.stage.is_open() => return self.over(WatchError::NotFound),
            Ok(Ok(())) => self.failures = 0,
        }
        self.serve(&mut follow).await
    }

    fn over(&self, error: WatchError) -> Round {
        self.directory.leave(self.session);
        Round::Over(error)
    }

    /// Takes in what is there already, before anybody is answered.
    async fn catch_up(&mut self, follow: &mut Follow) -> Result<(), ReadError> {
        loop {
            match follow.next().await? {
                Followed::Frame(recorded) => self.take(&recorded),
                Followed::Synced(_) => return Ok(()),
            }
        }
    }

    async fn serve(&mut self, follow: &mut Follow) -> Round {
        let mut used = Instant::now();
        loop {
            tokio::select! {
                followed = follow.next() => match followed {
                    Ok(Followed::Frame(recorded)) => self.take(&recorded),
                    Ok(Followed::Synced(seq)) => self.stage.tell(News::Synced(seq)),
                    Err(error) => return Round::Again(error),
                },
                ask = self.asks.recv() => match ask {
                    Some(ask) => {
                        self.answer(ask);
                        used = Instant::now();
                    }
                    None => return self.over(WatchError::Unavailable),
                },
                () = tokio::time::sleep_until(used + IDLE) => {
                    let unwatched = !self.stage.is_watched();
                    if unwatched && self.directory.leave_if_unasked(self.session, &self.asks) {
                        return Round::Over(WatchError::Unavailable);
                    }
                    used = Instant::now();
                }
            }
        }
    }

    fn take(&mut self, recorded: &Recorded) {
        self.stage.apply(recorded);
        let session = &self.stage.picture.session;
        self.stands.send_replace(Stands {
            seq: session.seq,
            fact: session.fact,
        });
    }

    fn answer(&mut self, ask: Ask) {
        // Who asked may be gone by now; then nobody needs the answer.
        match ask {
            Ask::Watch { user, after, reply } => drop(reply.send(self.stage.watch(user, after))),
            Ask::Look { user, reply } => drop(reply.send(self.stage.glimpse(user))),
            Ask::Role { user, reply } => drop(reply.send(self.stage.role_of(user))),
            Ask::Payer {
                user,
                message,
                reply,
            } => drop(reply.send(self.stage.payer(user, message))),
            Ask::Decide {
                user,
                id,
                command,
                reply,
            } => {
                let session = &self.stage.picture.session;
                drop(reply.send(decision(session, user, id, command)));
            }
        }
    }
}
