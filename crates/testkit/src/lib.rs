//! Whole servers for tests and measurements: real processes, real nats-server, real Postgres, a scripted provider.

mod feed;
mod person;
mod stack;

pub use feed::Feed;
pub use person::Person;
pub use stack::{Process, Stack, StackOptions};

use std::time::{Duration, Instant};

/// How long a test waits for what it expects.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `look` finds something, looking often.
///
/// # Errors
/// Says what was waited for, when the deadline has passed.
pub async fn wait_for<T>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if begun.elapsed() > DEADLINE {
            anyhow::bail!("waited {} s in vain for {what}", DEADLINE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
