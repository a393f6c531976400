//! The bash tool: a command in the sandbox.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Context, Fault, Outcome, folder, jobs, said};
use crate::Launch;
use crate::process::{self, Bounds, End};
use crate::record::Record;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    command: String,
    #[serde(alias = "timeout_ms")]
    timeout: Option<u64>,
    #[serde(default)]
    background: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
}

/// A command as it is shown to who approves it, and as it is then run: both take it from [`plan`].
pub(super) struct Planned {
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    /// The command as the model wrote it.
    pub command: String,
    time: Duration,
    background: bool,
}

impl Planned {
    pub(super) fn launch(&self, context: &Context) -> Launch {
        context
            .sandbox
            .launch(&context.worktree, &self.argv, &[], &self.cwd, false)
    }
}

/// What a call would run, and where.
pub(super) fn plan(context: &Context, input: Input) -> Result<Planned, Fault> {
    if input.command.trim().is_empty() || input.command.contains('\0') {
        return said("command is empty or holds a NUL: give the command to run");
    }
    let limits = context.limits;
    let asked = input.timeout.map(Duration::from_millis);
    let argv = if input.background {
        // It ends some time while others run; where they start is not its to say.
        vec![
            "/bin/bash".to_owned(),
            "-c".to_owned(),
            input.command.clone(),
        ]
    } else {
        folder::keeping(input.command.clone())
    };
    Ok(Planned {
        argv,
        cwd: context.shared.working_folder(&context.worktree),
        command: input.command,
        time: asked.unwrap_or(limits.time).min(limits.max_time),
        background: input.background,
    })
}

pub(super) async fn run(
    context: &Context,
    input: Input,
    output: mpsc::Sender<Bytes>,
    cancel: &CancellationToken,
) -> Result<Outcome, Fault> {
    let planned = plan(context, input)?;
    if planned.background {
        return jobs::start(context, &planned).await;
    }
    let limits = context.limits;
    let bounds = Bounds {
        time: planned.time,
        streamed: limits.streamed,
        printed: limits.printed,
    };
    let mut record = Record::new(&context.worktree.home, limits.room());
    folder::forget(&context.worktree);
    let launch = planned.launch(context);
    let run = process::run(
        &context.sandbox,
        &launch,
        &bounds,
        output,
        cancel,
        &mut record,
    );
    let end = match run.await {
        Ok(end) => end,
        Err(error) => return said(format!("the command could not be started: {error}")),
    };
    let moved = context.shared.folder().moved(&context.worktree);
    let mut notes = vec![ending(&end, &bounds)];
    notes.extend(moved);
    notes.extend(carried(context, cancel).await);
    notes.extend(context.shared.jobs.ends());
    let read = with_ending(&record.text().await, &notes.join("\n"));
    let succeeded = matches!(end, End::Exited(status) if status.success());
    Ok(if succeeded {
        Outcome::done(read)
    } else {
        Outcome::failed(read)
    })
}

/// Commits appear in the repository at once; if they cannot, the model is told. An interrupt waits for nothing: the
/// next checkpoint carries them.
async fn carried(context: &Context, cancel: &CancellationToken) -> Option<String> {
    if cancel.is_cancelled() {
        return None;
    }
    let error = context.worktree.carry().await.err()?;
    Some(format!("[not brought into the repository: {error}]"))
}

/// The text, and on a line of its own how it ended.
pub(super) fn with_ending(text: &str, ending: &str) -> String {
    let whole = text.is_empty() || text.ends_with('\n');
    let gap = if whole { "" } else { "\n" };
    format!("{text}{gap}{ending}")
}

/// How a command ended, for the model.
pub(super) fn ending(end: &End, bounds: &Bounds) -> String {
    match end {
        End::Exited(status) => exited(*status),
        End::TimedOut => format!(
            "[killed: still running after {} ms]",
            bounds.time.as_millis()
        ),
        End::Flooded => format!(
            "[killed: it put out more than {} bytes; have it print less, or into a file]",
            bounds.printed
        ),
        End::Cancelled => "[killed: interrupted]".to_owned(),
    }
}

fn exited(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("[exit code {code}]"),
        (None, signal) => format!("[killed by signal {}]", signal.unwrap_or_default()),
    }
}
