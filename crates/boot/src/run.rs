//! Runs a process from its first log line to its exit code.

use crate::{shutdown, telemetry};
use anyhow::Context as _;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long blocking work may go on after the process' own work has ended.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts logging, runs `work` on a runtime of its own with a token that is cancelled when the process shall end, and
/// tells an error as one sentence on standard error. The exit code is 0, or 1 after an error.
pub fn run<F, W>(name: &str, work: F) -> ExitCode
where
    F: FnOnce(CancellationToken) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    match try_run(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {}", last_words(&error));
            ExitCode::FAILURE
        }
    }
}

fn try_run<F, W>(work: F) -> anyhow::Result<()>
where
    F: FnOnce(CancellationToken) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    telemetry::init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let outcome = runtime.block_on(async { work(shutdown::listen()?).await });
    runtime.shutdown_timeout(PATIENCE);
    outcome
}

/// An error and its causes as one sentence. A cause that its error has told already is not told twice.
#[must_use]
pub fn last_words(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain() {
        let words = cause.to_string().replace('\n', " ");
        if sentence.contains(&words) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push_str(": ");
        }
        sentence.push_str(&words);
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn an_error_and_its_causes_are_one_sentence() {
        let error = anyhow!("nobody\nanswers").context("cannot reach the log");
        assert_eq!(last_words(&error), "cannot reach the log: nobody answers");
    }

    #[test]
    fn a_cause_is_not_told_twice() {
        let error = anyhow!("nobody answers").context("cannot reach the log: nobody answers");
        assert_eq!(last_words(&error), "cannot reach the log: nobody answers");
    }
}
