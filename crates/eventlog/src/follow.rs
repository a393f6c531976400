//! Following one session: what is there, then what comes.
//!
//! The live copy may lose messages, never reorder them. Each carries the sequence of the message before it on its
//! subject, so a loss shows as soon as the next one comes; a lost last one shows to the probe.

use crate::read::{header, recorded};
use crate::{Log, ReadError, subject};
use async_nats::{Message, Subscriber};
use duplex_domain::{Lane, Recorded, Seq, SessionId, Shard};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// How long a session may be silent before its tail is looked at.
const PROBE: Duration = Duration::from_secs(5);
/// How many frames may wait for the follower's owner.
const WAITING: usize = 256;

/// What comes of following a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed {
    /// The next frame.
    Frame(Recorded),
    /// All that there was has been given; what comes now comes as it happens.
    Synced(Seq),
}

/// A session being followed, until dropped.
pub struct Follow {
    given: mpsc::Receiver<Result<Followed, ReadError>>,
    _task: AbortOnDropHandle<()>,
}

impl Follow {
    /// The next frame, or word that everything so far was given. Cancel-safe.
    ///
    /// # Errors
    /// [`ReadError::Lagged`] if frames were missed in a way that only a snapshot can mend; nothing comes after it.
    /// A server that is away is waited for.
    pub async fn next(&mut self) -> Result<Followed, ReadError> {
        let given = self.given.recv().await;
        given.unwrap_or(Err(ReadError::Lagged))
    }
}

impl Log {
    /// Follows a session from behind `after`.
    ///
    /// # Errors
    /// When the log cannot be reached at all.
    pub async fn follow(&self, session: SessionId, after: Seq) -> Result<Follow, ReadError> {
        let shard = Shard::of(session);
        let subjects = subject::of_session(session);
        let live = self.subscribe_live(&subjects).await?;
        let (give, given) = mpsc::channel(WAITING);
        let follower = Follower {
            log: self.clone(),
            shard,
            subjects,
            live,
            began: after,
            cursor: after,
            newest: BTreeMap::new(),
            give,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(follower.run()));
        Ok(Follow { given, _task: task })
    }

    /// The live copy of some subjects; interest has reached the server when this returns.
    pub(crate) async fn subscribe_live(&self, subjects: &str) -> Result<Subscriber, ReadError> {
        let subscribed = self.client.subscribe(subject::live(subjects)).await;
        let live = subscribed.map_err(ReadError::unavailable)?;
        self.client.flush().await.map_err(ReadError::unavailable)?;
        Ok(live)
    }
}

struct Follower {
    log: Log,
    shard: Shard,
    subjects: String,
    live: Subscriber,
    /// Where following began, or began again: what came before on a lane is not known.
    began: Seq,
    cursor: Seq,
    /// The newest frame given of each lane, since `began`.
    newest: BTreeMap<Lane, Seq>,
    give: mpsc::Sender<Result<Followed, ReadError>>,
}

/// How the follower's owner wants it.
enum Stop {
    /// The owner is gone.
    Dropped,
    /// The owner must begin again.
    Lagged(ReadError),
}

impl Follower {
    async fn run(mut self) {
        if let Err(Stop::Lagged(error)) = self.follow().await {
            // The owner may be gone by now; then nobody needs to know.
            let _ = self.give.send(Err(error)).await;
        }
    }

    async fn follow(&mut self) -> Result<(), Stop> {
        self.catch_up_patiently().await?;
        self.give(Followed::Synced(self.cursor)).await?;
        let mut connections = self.log.connections.clone();
        connections.mark_unchanged();
        loop {
            tokio::select! {
                message = self.live.next() => match message {
                    Some(message) => self.take(&message).await?,
                    None => return Err(Stop::Lagged(ReadError::Lagged)),
                },
                _ = connections.changed() => self.catch_up_patiently().await?,
                () = tokio::time::sleep(PROBE) => self.catch_up_patiently().await?,
                () = self.give.closed() => return Err(Stop::Dropped),
            }
        }
    }

    async fn take(&mut self, message: &Message) -> Result<(), Stop> {
        let headers = message.headers.as_ref();
        let before = Seq(header(headers, "Nats-Last-Sequence").unwrap_or(0));
        let frame = recorded(self.shard, message).map_err(Stop::Lagged)?;
        if frame.seq <= self.cursor {
            return Ok(());
        }
        let expected = self.newest.get(&frame.lane).copied();
        let follows = expected.map_or(before <= self.began, |newest| before == newest);
        if follows {
            return self.give_frame(frame).await;
        }
        if before > self.cursor {
            return self.catch_up_patiently().await;
        }
        // The frame that was missed lies before one of another lane that was given already.
        Err(Stop::Lagged(ReadError::Lagged))
    }

    /// Gives everything behind the cursor, waiting for a server that is away.
    async fn catch_up_patiently(&mut self) -> Result<(), Stop> {
        let mut pause = Duration::from_millis(50);
        loop {
            match self.catch_up().await {
                Err(Stop::Lagged(ReadError::Unavailable(_))) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                other => return other,
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), Stop> {
        let subjects = self.subjects.clone();
        let frames = self.log.read_subjects(self.shard, subjects, self.cursor);
        let mut frames = pin!(frames);
        while let Some(frame) = frames.try_next().await.map_err(Stop::Lagged)? {
            self.give_frame(frame).await?;
        }
        Ok(())
    }

    async fn give_frame(&mut self, frame: Recorded) -> Result<(), Stop> {
        self.cursor = frame.seq;
        self.newest.insert(frame.lane, frame.seq);
        self.give(Followed::Frame(frame)).await
    }

    async fn give(&mut self, followed: Followed) -> Result<(), Stop> {
        let given = self.give.send(Ok(followed)).await;
        given.map_err(|_| Stop::Dropped)
    }
}
