//! Ending what an earlier `duplex up` left when it was killed.

use crate::run_file::Run;
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;
use tracing::info;

const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Ends the three processes of an earlier run, edge first. They end by themselves when `duplex up` does; this waits for
/// that too, and takes the old `run.json` away. The servers see to theirs when they start.
pub(crate) async fn end(run_file: &Path) {
    let Some(left) = Run::left(run_file) else {
        return;
    };
    for name in ["edge", "runner", "projector"] {
        if let Some(process) = left.processes.get(name)
            && process.end(Signal::TERM, STOP_WITHIN).await
        {
            info!("ended the {name} that an earlier `duplex up` had left running");
        }
    }
    // What it says is true no more; if it stays, the next `run.json` replaces it.
    let _gone = std::fs::remove_file(run_file);
}
