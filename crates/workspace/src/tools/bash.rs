//! The bash tool: a command in the sandbox.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Context, Fault, Outcome, said};
use crate::clip::Kept;
use crate::process::{self, Bounds, End};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    command: String,
    timeout_ms: Option<u64>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

pub(super) async fn run(
    context: &Context,
    input: Input,
    output: mpsc::Sender<Bytes>,
    cancel: &CancellationToken,
) -> Result<Outcome, Fault> {
    if input.command.trim().is_empty() || input.command.contains('\0') {
        return said("command is empty or holds a NUL: give the command to run");
    }
    let limits = context.limits;
    let time = input
        .timeout_ms
        .map_or(limits.time, Duration::from_millis)
        .min(limits.max_time);
    let bounds = Bounds {
        time,
        streamed: limits.streamed,
    };
    let argv = ["/bin/bash".to_owned(), "-c".to_owned(), input.command];
    let tree = &context.worktree.tree;
    let launch = context
        .sandbox
        .launch(&context.worktree, &argv, &[], tree, false);
    match process::run(&context.sandbox, &launch, &bounds, output, cancel).await {
        Ok((end, kept)) => Ok(outcome(&end, &kept, time)),
        Err(error) => said(format!("the command could not be started: {error}")),
    }
}

fn outcome(end: &End, kept: &Kept, time: Duration) -> Outcome {
    let text = kept.text();
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let ending = match end {
        End::Exited(status) => exited(*status),
        End::TimedOut => format!("[killed: still running after {} ms]", time.as_millis()),
        End::Cancelled => "[killed: interrupted]".to_owned(),
    };
    let content = format!("{text}{gap}{ending}");
    let succeeded = matches!(end, End::Exited(status) if status.success());
    if succeeded {
        Outcome::done(content)
    } else {
        Outcome::failed(content)
    }
}

fn exited(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("[exit code {code}]"),
        (None, signal) => format!("[killed by signal {}]", signal.unwrap_or_default()),
    }
}
