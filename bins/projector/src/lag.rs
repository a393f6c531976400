//! How far the views are behind the log, said now and then.

use duplex_domain::{Recorded, Shard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tracing::{info, warn};

/// How often it is said.
const EVERY: Duration = Duration::from_secs(30);
/// A lag that people notice.
const NOTICEABLE: u64 = 1000;

/// What was projected since it was last said.
pub(crate) struct Lag {
    shard: Shard,
    since: Instant,
    frames: usize,
    longest: u64,
}

impl Lag {
    pub fn new(shard: Shard) -> Self {
        Self {
            shard,
            since: Instant::now(),
            frames: 0,
            longest: 0,
        }
    }

    /// Frames are in the views now. Their age counts from the writers' clocks, which may differ from ours.
    pub fn projected(&mut self, frames: &[Recorded]) {
        let oldest = frames.first().and_then(|frame| frame.events.first());
        let age = oldest.map_or(0, |oldest| now().saturating_sub(oldest.at.0));
        self.longest = self.longest.max(u64::try_from(age).unwrap_or(0));
        self.frames += frames.len();
        if self.since.elapsed() >= EVERY {
            self.say();
            *self = Self::new(self.shard);
        }
    }

    fn say(&self) {
        let (shard, frames, lag_ms) = (self.shard, self.frames, self.longest);
        if lag_ms >= NOTICEABLE {
            warn!(%shard, frames, lag_ms, "the views of shard {shard} were up to {lag_ms} ms behind");
        } else {
            info!(%shard, frames, lag_ms, "the views of shard {shard} keep up, {lag_ms} ms behind");
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
