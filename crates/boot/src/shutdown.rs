//! Knowing when to end: on Ctrl-C, on SIGTERM, or when the process that started us is gone.

use anyhow::Context as _;
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The variable in which a parent that minds its children names itself by process number.
pub const PARENT: &str = "DUPLEX_PARENT";

/// The exit code after a second Ctrl-C, as shells know it.
const INTERRUPTED: i32 = 130;

/// A token that is cancelled by the first SIGINT or SIGTERM, or by the end of the process that `DUPLEX_PARENT` names.
/// A second signal ends this process at once.
///
/// # Errors
/// When signals cannot be listened to.
pub fn listen() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if !first {
                std::process::exit(INTERRUPTED);
            }
            token.cancel();
        }
    });
    if parent_is_gone() {
        shutdown.cancel();
    }
    Ok(shutdown)
}

/// Asks for SIGTERM when the parent ends, and tells whether it has ended before it could be asked for.
fn parent_is_gone() -> bool {
    let named = std::env::var(PARENT).ok();
    let Some(parent) = named.and_then(|pid| Pid::from_raw(pid.parse().ok()?)) else {
        return false;
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::TERM)) {
        tracing::warn!("cannot ask to end with process {parent}: {error}");
    }
    getppid() != Some(parent)
}
