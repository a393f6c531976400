//! Finds the sessions that need this runner and has them held.
//!
//! Every runner reads all facts, from the first at its start and then as they come. So it learns of work whatever was
//! restarted in which order, and a lost wake-up costs at most the follower's probe.

use crate::holder::{self, HoldError};
use crate::money;
use crate::runner::Runner;
use crate::workspaces::{self, Change};
use duplex_domain::{Recorded, RunnerId, Seq, Session, SessionId, Shard, WorkspaceId, work};
use duplex_eventlog::{ReadError, ShardFollow};
use duplex_workspace::Repository;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How often a session whose holder was alive is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long sessions may take to be given back in good order.
const LEAVE: Duration = Duration::from_secs(8);

/// Holds sessions until `stop` is cancelled; then gives them back.
pub async fn run(runner: Arc<Runner>, stop: CancellationToken) {
    let mut readers = JoinSet::new();
    let (facts, mut coming) = mpsc::channel(64);
    for shard in Shard::all() {
        readers.spawn(read_facts(runner.clone(), shard, facts.clone()));
    }
    let (changes, mut workspaces) = mpsc::channel(64);
    readers.spawn(workspaces::serve(runner.clone(), changes));
    readers.spawn(money::learn_budgets(runner.clone()));
    let mut desk = Desk {
        runner,
        stop: stop.clone(),
        sessions: HashMap::new(),
        served: HashMap::new(),
        held: JoinSet::new(),
        holding: HashMap::new(),
    };
    loop {
        tokio::select! {
            Some(frames) = coming.recv() => desk.take(frames),
            Some(change) = workspaces.recv() => desk.change(change),
            Some(ended) = desk.held.join_next_with_id() => desk.ended(ended),
            () = tokio::time::sleep(LOOK_AGAIN) => desk.look_at_all(),
            () = stop.cancelled() => break,
        }
    }
    desk.leave().await;
}

/// Reads a shard's facts for ever, waiting for a server that is away.
async fn read_facts(runner: Arc<Runner>, shard: Shard, facts: mpsc::Sender<Vec<Recorded>>) {
    let mut cursor = Seq(0);
    loop {
        match follow_facts(&runner, shard, &mut cursor, &facts).await {
            Err(ReadError::Damaged { seq, .. }) => {
                error!("fact {seq} of shard {shard} is not readable and is passed over");
                cursor = seq;
            }
            Err(error) => warn!("reading the facts of shard {shard}: {error}; trying again"),
            Ok(()) => return,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn follow_facts(
    runner: &Runner,
    shard: Shard,
    cursor: &mut Seq,
    facts: &mpsc::Sender<Vec<Recorded>>,
) -> Result<(), ReadError> {
    let mut follow: ShardFollow = runner.log.follow_facts(shard, *cursor).await?;
    loop {
        let frames = follow.next().await?;
        *cursor = follow.cursor();
        if facts.send(frames).await.is_err() {
            return Ok(());
        }
    }
}

type Ended = Result<(tokio::task::Id, Result<(), HoldError>), tokio::task::JoinError>;

struct Desk {
    runner: Arc<Runner>,
    stop: CancellationToken,
    /// Every session, folded from its facts alone.
    sessions: HashMap<SessionId, Session>,
    served: HashMap<WorkspaceId, Repository>,
    held: JoinSet<Result<(), HoldError>>,
    holding: HashMap<SessionId, tokio::task::Id>,
}

impl Desk {
    fn take(&mut self, frames: Vec<Recorded>) {
        let mut touched = Vec::new();
        for frame in frames {
            let id = frame.session;
            let session = self.sessions.entry(id);
            let session = session.or_insert_with(|| Session::new(id));
            self.runner.money.count(session, &frame);
            session.apply(&frame);
            touched.push(id);
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            self.look(id);
        }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Served(id, repository) => {
                if self.served.insert(id, repository).is_none() {
                    self.look_at_all();
                }
            }
            Change::Gone(id) => {
                self.served.remove(&id);
            }
        }
    }

    fn look_at_all(&mut self) {
        let all: Vec<_> = self.sessions.keys().copied().collect();
        for id in all {
            self.look(id);
        }
    }

    /// Has a session held if it needs to be, lies in a workspace of ours, and nobody else is known to hold it.
    fn look(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        if self.holding.contains_key(&id) || !work::is_needed(session) {
            return;
        }
        let Some(repository) = self.served.get(&session.workspace) else {
            return;
        };
        let (runner, stop) = (self.runner.clone(), self.stop.child_token());
        let hold = holder::hold(runner, id, repository.clone(), stop);
        let task = self.held.spawn(hold);
        self.holding.insert(id, task.id());
    }

    fn ended(&mut self, ended: Ended) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let id = self.holding.iter().find(|(_, held)| **held == task);
        let Some(id) = id.map(|(id, _)| *id) else {
            return;
        };
        self.holding.remove(&id);
        match ended {
            Ok((_, Ok(()))) => {
                info!(session.id = %id, "session {id} is given back");
                self.look(id);
            }
            // It is looked at again with the next tick, so a failure is never retried in a tight loop.
            Ok((_, Err(error))) => warn!(session.id = %id, "holding session {id} ended: {error}"),
            Err(error) => error!(session.id = %id, "holding session {id} failed: {error}"),
        }
    }

    /// Gives every session back in good order.
    async fn leave(mut self) {
        let all = async { while self.held.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE, all).await.is_err() {
            warn!("some sessions could not be given back in time; the next start mends them");
        }
        let id: RunnerId = self.runner.id;
        if let Err(error) = self.runner.registry.remove_runner(id).await {
            warn!("leaving the register: {error}");
        }
    }
}
