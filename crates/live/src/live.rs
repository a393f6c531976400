//! The handle on all sessions that are being watched or commanded.

use crate::task::{Ask, Reply, Stands, Task};
use crate::{Glimpse, Views, Watch, WatchError};
use duplex_domain::{MessageId, Role, Seq, SessionId, TeamId, UserId};
use duplex_eventlog::Log;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// How long a person waits for a session's task.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions may wait for a session's task.
const WAITING: usize = 64;
/// How often a question is asked again of a task that ended under it.
const ASKED: usize = 3;

/// All live sessions of this process. Cheap to clone; the tasks end with the last clone.
#[derive(Clone)]
pub struct Live {
    pub(crate) log: Log,
    views: Arc<dyn Views>,
    directory: Arc<Directory>,
    stop: CancellationToken,
    _stop_at_last: Arc<DropGuard>,
}

/// A session's task, from outside.
#[derive(Clone)]
pub(crate) struct Handle {
    asks: mpsc::Sender<Ask>,
    /// Held from deciding until the event came back: this process never races against itself.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// How far the fold is.
    pub stands: watch::Receiver<Stands>,
}

/// The tasks there are.
#[derive(Default)]
pub(crate) struct Directory(Mutex<HashMap<SessionId, Handle>>);

impl Directory {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Handle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a task that is about to end out, if nothing waits for it.
    pub fn leave_if_unasked(&self, session: SessionId, asks: &mpsc::Receiver<Ask>) -> bool {
        let mut tasks = self.lock();
        let leaves = asks.is_empty();
        if leaves {
            tasks.remove(&session);
        }
        leaves
    }

    /// Takes a task that is about to end out.
    pub fn leave(&self, session: SessionId) {
        self.lock().remove(&session);
    }
}

impl Live {
    /// No session is live yet; each becomes so when somebody asks for it.
    #[must_use]
    pub fn new(log: Log, views: Arc<dyn Views>) -> Self {
        let stop = CancellationToken::new();
        let guard = Arc::new(stop.clone().drop_guard());
        Self {
            log,
            views,
            directory: Arc::default(),
            stop,
            _stop_at_last: guard,
        }
    }

    /// Ends all tasks; every watch then says that it lagged.
    pub fn close(&self) {
        self.stop.cancel();
    }

    /// How many sessions are live.
    #[must_use]
    pub fn count(&self) -> usize {
        self.directory.lock().len()
    }

    /// Shows a person a session: first what is there, then each change. With `after`, the newest frame the person
    /// has, just what was missed comes first where it is still at hand.
    ///
    /// # Errors
    /// [`WatchError::NotFound`] to a stranger.
    pub async fn watch(
        &self,
        session: SessionId,
        user: UserId,
        after: Option<Seq>,
    ) -> Result<Watch, WatchError> {
        self.ask(session, |reply| Ask::Watch { user, after, reply })
            .await
    }

    /// A person's role in a session.
    ///
    /// # Errors
    /// [`WatchError::NotFound`] to a stranger.
    pub async fn role_of(&self, session: SessionId, user: UserId) -> Result<Role, WatchError> {
        self.ask(session, |reply| Ask::Role { user, reply }).await
    }

    /// The team that pays for what a person's command asks of the agent. None if the command is a message that was
    /// posted already: then it asks nothing new.
    ///
    /// # Errors
    /// [`WatchError::NotFound`] to a stranger.
    pub async fn payer(
        &self,
        session: SessionId,
        user: UserId,
        id: Uuid,
    ) -> Result<Option<TeamId>, WatchError> {
        let message = MessageId(id);
        let ask = |reply| Ask::Payer {
            user,
            message,
            reply,
        };
        self.ask(session, ask).await
    }

    /// A session as it stands.
    ///
    /// # Errors
    /// [`WatchError::NotFound`] to a stranger.
    pub async fn picture(&self, session: SessionId, user: UserId) -> Result<Glimpse, WatchError> {
        self.ask(session, |reply| Ask::Look { user, reply }).await
    }

    /// Asks a session's task; a task that ends under the question is replaced and asked again.
    pub(crate) async fn ask<T, E: From<WatchError>>(
        &self,
        session: SessionId,
        ask: impl Fn(Reply<T, E>) -> Ask,
    ) -> Result<T, E> {
        let asking = async {
            for _ in 0..ASKED {
                let (reply, answer) = oneshot::channel();
                let asked = self.handle(session).asks.send(ask(reply)).await;
                if asked.is_ok()
                    && let Ok(answer) = answer.await
                {
                    return answer;
                }
            }
            Err(WatchError::Unavailable.into())
        };
        let unavailable = |_| Err(WatchError::Unavailable.into());
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(unavailable)
    }

    /// The task of a session; started if there is none.
    pub(crate) fn handle(&self, session: SessionId) -> Handle {
        let mut tasks = self.directory.lock();
        if let Some(handle) = tasks
            .get(&session)
            .filter(|handle| !handle.asks.is_closed())
        {
            return handle.clone();
        }
        let handle = self.start(session);
        tasks.insert(session, handle.clone());
        handle
    }

    fn start(&self, session: SessionId) -> Handle {
        let (asks, asked) = mpsc::channel(WAITING);
        let (tell, stands) = watch::channel(Stands::default());
        let directory = self.directory.clone();
        let task = Task::new(
            session,
            self.log.clone(),
            self.views.clone(),
            directory,
            asked,
            tell,
        );
        let stop = self.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(task.run()).await });
        Handle {
            asks,
            turn: Arc::default(),
            stands,
        }
    }
}
