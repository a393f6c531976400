//! One shard: from its stream to its rows, for as long as the projector lives.

use crate::lag::Lag;
use crate::patience::Pauses;
use duplex_domain::{Recorded, Shard};
use duplex_eventlog::{Log, ReadError, ShardFollow};
use duplex_readmodel::{Database, DatabaseError, ProjectError, Projection, can_wait};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long growing text may wait to be written, for others to come with it.
const GATHER: Duration = Duration::from_millis(250);
/// How long nothing may come before the views are looked at: somebody may have wiped them.
const LOOK: Duration = Duration::from_secs(5);
/// How many frames are written at once at most.
const MOST: usize = 2000;
/// How often a shard that cannot go on says so.
const REMIND: Duration = Duration::from_mins(1);

/// Why following ended; it has no other end.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Views(#[from] ProjectError),
}

impl Broken {
    /// Whether only a person can help.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Log(ReadError::Damaged { .. })
            | Self::Views(
                ProjectError::OtherStream { .. }
                | ProjectError::Database(DatabaseError::Unreadable(_)),
            ) => true,
            Self::Log(_) | Self::Views(_) => false,
        }
    }
}

/// Projects one shard until told to stop.
pub(crate) async fn run(log: Log, database: Database, shard: Shard, stop: CancellationToken) {
    let mut follower = Follower {
        log,
        database,
        shard,
        lag: Lag::new(shard),
        pauses: Pauses::default(),
    };
    stop.run_until_cancelled(Box::pin(follower.run())).await;
}

struct Follower {
    log: Log,
    database: Database,
    shard: Shard,
    lag: Lag,
    pauses: Pauses,
}

impl Follower {
    async fn run(&mut self) {
        loop {
            let Err(broken) = self.follow().await;
            if broken.is_lasting() {
                return self.park(&broken).await;
            }
            self.warn(&broken);
            self.pauses.pause().await;
        }
    }

    /// Goes on from the checkpoint, until something breaks.
    async fn follow(&mut self) -> Result<std::convert::Infallible, Broken> {
        let shard = self.shard;
        let created = self.log.shard_identity(shard).await?.created;
        let mut projection = Projection::open(self.database.clone(), shard, created).await?;
        let at = projection.checkpoint().seq;
        if projection.checkpoint().message_id.is_some() {
            let id = self.log.message_id(shard, at).await?;
            projection.recognise(id.as_deref())?;
        }
        let mut frames = self.log.follow_shard(shard, at).await?;
        info!(%shard, seq = at.0, "the views of shard {shard} go on behind frame {at}");
        loop {
            let batch = gather(&mut frames).await?;
            let Some(last) = batch.last() else {
                projection.confirm().await?;
                continue;
            };
            let id = self.log.message_id(shard, last.seq).await?;
            projection.project(&batch, id).await?;
            self.lag.projected(&batch);
            self.pauses.reset();
        }
    }

    fn warn(&self, broken: &Broken) {
        let shard = self.shard;
        let why = with_causes(broken);
        match broken {
            Broken::Views(ProjectError::Overtaken(_)) => warn!(
                %shard,
                "another projector works on shard {shard}, or its views were wiped; looking again soon"
            ),
            Broken::Log(_) | Broken::Views(_) => {
                warn!(%shard, "the views of shard {shard} wait: {why}");
            }
        }
    }

    /// Stands still, and says so again and again; the other shards go on.
    async fn park(&self, broken: &Broken) {
        let shard = self.shard;
        let why = with_causes(broken);
        loop {
            error!(
                %shard,
                "the views of shard {shard} stand still, its sessions are shown as they were: {why}; \
                 restart the projector when it is mended"
            );
            tokio::time::sleep(REMIND).await;
        }
    }
}

/// The next frames to write at once; none if none came for a while. Growing text waits for more of it; anything else
/// is written as soon as it is there.
async fn gather(follow: &mut ShardFollow) -> Result<Vec<Recorded>, ReadError> {
    let Ok(frames) = timeout(LOOK, follow.next()).await else {
        return Ok(Vec::new());
    };
    let mut frames = frames?;
    let write = Instant::now() + GATHER;
    let mut patient = frames.iter().all(can_wait);
    while patient && frames.len() < MOST {
        // What breaks now breaks again at the next call, when these frames are written.
        let Ok(Ok(more)) = timeout_at(write, follow.next()).await else {
            break;
        };
        patient = more.iter().all(can_wait);
        frames.extend(more);
    }
    Ok(frames)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
