//! Trying again, ever slower, while trying again may help.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// The pauses between attempts: each twice the one before, up to ten seconds.
pub(crate) struct Pauses {
    next: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { next: SHORTEST }
    }
}

impl Pauses {
    /// Waits before the next attempt.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(LONGEST);
    }

    /// An attempt got somewhere: the next pause is short again.
    pub fn reset(&mut self) {
        self.next = SHORTEST;
    }
}

/// Tries until it works, or until an error that does not pass.
pub(crate) async fn patiently<T, E, F>(
    mut attempt: impl FnMut() -> F,
    may_help: impl Fn(&E) -> bool,
) -> Result<T, E>
where
    E: std::error::Error,
    F: Future<Output = Result<T, E>>,
{
    let mut pauses = Pauses::default();
    loop {
        match attempt().await {
            Err(error) if may_help(&error) => tracing::warn!("{error}; trying again"),
            outcome => return outcome,
        }
        pauses.pause().await;
    }
}
