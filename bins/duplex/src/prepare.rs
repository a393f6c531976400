//! `duplex prepare`: the streams and buckets that no process may make.

use crate::config::Prepare;
use crate::say;
use duplex_eventlog::{ConnectError, Log, Options};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a server may take to answer: it may be starting at the same moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes what is missing.
///
/// # Errors
/// When the server does not answer, or forbids it.
pub async fn prepare(options: Prepare) -> anyhow::Result<()> {
    let options = Options {
        url: options.nats,
        monitor: None,
        name: "setup",
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Log::prepare(&options).await {
            Err(ConnectError::Unreachable { .. }) if Instant::now() < deadline => {
                sleep(Duration::from_millis(500)).await;
            }
            outcome => {
                outcome?;
                say("the log is ready: its streams and buckets are there");
                return Ok(());
            }
        }
    }
}
