//! How many requests a person, and all from one network, may make.

use crate::app::App;
use crate::client::Client;
use crate::failure::Failure;
use crate::network::Network;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use duplex_domain::UserId;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// For how many seconds' worth of requests a bucket has room.
const BURST: u32 = 10;
/// How many buckets are kept; those beyond share one.
const MOST: usize = 20_000;

/// The buckets of everybody.
#[derive(Debug)]
pub(crate) struct Limits {
    people: Buckets<UserId>,
    networks: Buckets<Network>,
}

impl Limits {
    /// So many requests a second.
    pub fn new(per_person: u32, per_network: u32) -> Self {
        Self {
            people: Buckets::new(per_person),
            networks: Buckets::new(per_network),
        }
    }

    /// Counts a request of a person.
    pub fn person(&self, user: UserId) -> Result<(), Failure> {
        let taken = self.people.take(user, Instant::now());
        taken.map_err(|seconds| Failure::too_many_requests("you", seconds))
    }

    fn network(&self, network: Network) -> Result<(), Failure> {
        let taken = self.networks.take(network, Instant::now());
        taken.map_err(|seconds| Failure::too_many_requests("your network", seconds))
    }
}

/// Counts a request of the interface for the network it comes from. Files of the page are cheap and not counted.
pub(crate) async fn check(
    State(app): State<App>,
    client: Client,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if request.uri().path().starts_with("/api") {
        app.limits.network(client.network())?;
    }
    Ok(next.run(request).await)
}

/// Token buckets by their owners. A full bucket is as good as none, so those are thrown away where there are many.
#[derive(Debug)]
struct Buckets<K> {
    each_second: f64,
    kept: Mutex<Kept<K>>,
}

#[derive(Debug)]
struct Kept<K> {
    own: HashMap<K, Bucket>,
    shared: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    filled: Instant,
}

impl<K: Copy + Eq + Hash> Buckets<K> {
    fn new(each_second: u32) -> Self {
        let each_second = f64::from(each_second);
        let shared = Bucket {
            left: each_second * f64::from(BURST),
            filled: Instant::now(),
        };
        let own = HashMap::new();
        Self {
            each_second,
            kept: Mutex::new(Kept { own, shared }),
        }
    }

    fn most(&self) -> f64 {
        self.each_second * f64::from(BURST)
    }

    /// Takes from an owner's bucket, or tells in how many seconds there is something in it.
    fn take(&self, who: K, now: Instant) -> Result<(), u32> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { own, shared } = &mut *kept;
        if own.len() >= MOST && !own.contains_key(&who) {
            own.retain(|_, bucket| self.filled(*bucket, now).left < self.most());
        }
        let full = Bucket {
            left: self.most(),
            filled: now,
        };
        let bucket = if own.len() < MOST || own.contains_key(&who) {
            own.entry(who).or_insert(full)
        } else {
            shared
        };
        *bucket = self.filled(*bucket, now);
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        Err(self.seconds_until_one(*bucket))
    }

    fn filled(&self, bucket: Bucket, now: Instant) -> Bucket {
        let since = now.saturating_duration_since(bucket.filled);
        let left = bucket.left + since.as_secs_f64() * self.each_second;
        Bucket {
            left: left.min(self.most()),
            filled: now.max(bucket.filled),
        }
    }

    fn seconds_until_one(&self, bucket: Bucket) -> u32 {
        let seconds = ((1.0 - bucket.left) / self.each_second).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a bucket fills in ten seconds"
        )]
        let seconds = seconds.clamp(1.0, 60.0) as u32;
        seconds
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::time::Duration;

    fn taken(buckets: &Buckets<usize>, who: usize, now: Instant) -> usize {
        (0..1000)
            .take_while(|_| buckets.take(who, now).is_ok())
            .count()
    }

    #[test]
    fn a_burst_passes_then_so_many_a_second_and_others_are_not_hindered() {
        let (buckets, start) = (Buckets::new(5), Instant::now());
        assert_eq!(taken(&buckets, 1, start), 50);
        assert_eq!(buckets.take(1, start), Err(1));
        assert_eq!(taken(&buckets, 2, start), 50);
        assert_eq!(taken(&buckets, 1, start + Duration::from_secs(2)), 10);
    }

    #[test]
    fn the_memory_of_all_buckets_is_bounded() {
        let (buckets, start) = (Buckets::new(5), Instant::now());
        for who in 0..MOST + 100 {
            // Those beyond share a bucket, which runs empty.
            let _ = buckets.take(who, start);
        }
        assert_eq!(buckets.kept.lock().unwrap().own.len(), MOST);
        assert!(buckets.take(MOST + 1, start).is_err());
        let later = start + Duration::from_secs(11);
        assert!(buckets.take(MOST + 1, later).is_ok());
        assert_eq!(buckets.kept.lock().unwrap().own.len(), 1);
    }
}
