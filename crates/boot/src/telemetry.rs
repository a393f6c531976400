//! Log lines on standard error: for people, or as JSON.

use anyhow::{Context as _, bail};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// What is told when `DUPLEX_LOG` does not say: our own progress, and only the troubles of others.
const QUIET: &str = "info,async_nats=warn,tokio_postgres=warn,hyper=warn,tower_http=warn,rmcp=warn";

/// Starts logging as `DUPLEX_LOG` (a filter, such as `debug` or `duplex_edge=trace,info`) and `DUPLEX_LOG_FORMAT`
/// (`human` or `json`) say.
///
/// # Errors
/// When one of them cannot be understood.
pub fn init() -> anyhow::Result<()> {
    let filter = filter(variable("DUPLEX_LOG").as_deref().unwrap_or(QUIET))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr);
    let format = variable("DUPLEX_LOG_FORMAT");
    let started = match format.as_deref() {
        None | Some("human") => lines
            .with_ansi(stderr().is_terminal())
            .with_target(false)
            .try_init(),
        Some("json") => lines.json().flatten_event(true).try_init(),
        Some(other) => bail!("DUPLEX_LOG_FORMAT is {other:?}, but human or json is known"),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

fn filter(directives: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(directives)
        .with_context(|| format!("DUPLEX_LOG is {directives:?}, which is no filter"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn the_standing_filter_is_one() {
        assert!(filter(QUIET).is_ok());
    }

    #[test]
    fn a_filter_that_is_none_is_told_by_its_variable() {
        let error = filter("info,=,").unwrap_err();
        assert_eq!(
            error.to_string(),
            "DUPLEX_LOG is \"info,=,\", which is no filter"
        );
    }
}
