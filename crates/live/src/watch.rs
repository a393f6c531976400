//! A watcher's end of a session.

use crate::{Shown, Snapshot};
use duplex_domain::{Seq, SessionId, UserId};
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// What a watcher gets first.
#[derive(Clone, Debug)]
pub enum Start {
    /// The session as it stands.
    Snapshot(Arc<Snapshot>),
    /// The frames missed, since the watcher has all before them.
    Missed(Vec<Arc<Shown>>),
}

/// What a watcher gets then.
#[derive(Clone, Debug)]
pub enum Update {
    /// The next frame.
    Frame(Arc<Shown>),
    /// Everything up to here has been seen; from now on it is live.
    Synced(Seq),
    /// The watcher may not see the session any more.
    Removed,
    /// The watcher fell behind, or the session is read anew: watch again.
    Lagged,
}

/// What the session's task tells all watchers.
#[derive(Clone, Debug)]
pub(crate) enum News {
    Frame(Arc<Shown>),
    Synced(Seq),
    Removed(UserId),
    Restarted,
}

/// A session being watched by one person. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watch {
    /// Which session.
    pub session: SessionId,
    /// What comes first.
    pub start: Start,
    /// The newest frame of the session when the watch began; `start` leads up to it.
    pub seq: Seq,
    pub(crate) user: UserId,
    pub(crate) news: broadcast::Receiver<News>,
}

impl Watch {
    /// The next update. Cancel-safe. After [`Update::Removed`] and [`Update::Lagged`] the watch is over.
    pub async fn next(&mut self) -> Update {
        loop {
            let update = match self.news.recv().await {
                Ok(news) => self.told(news),
                Err(RecvError::Lagged(_) | RecvError::Closed) => Some(Update::Lagged),
            };
            if let Some(update) = update {
                return update;
            }
        }
    }

    /// An update that is there already.
    pub fn ready(&mut self) -> Option<Update> {
        loop {
            let update = match self.news.try_recv() {
                Ok(news) => self.told(news),
                Err(TryRecvError::Empty) => return None,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => Some(Update::Lagged),
            };
            if update.is_some() {
                return update;
            }
        }
    }

    fn told(&self, news: News) -> Option<Update> {
        match news {
            News::Frame(shown) => Some(Update::Frame(shown)),
            News::Synced(seq) => Some(Update::Synced(seq)),
            News::Removed(user) => (user == self.user).then_some(Update::Removed),
            News::Restarted => Some(Update::Lagged),
        }
    }
}
