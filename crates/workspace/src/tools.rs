//! The agent's tools: what a model may do in a session's worktree.

mod bash;
mod catalogue;
mod context;
mod edit;
mod elsewhere;
mod fetch;
mod folder;
mod glob;
mod grep;
mod html;
mod jobs;
mod plan;
mod preview;
mod read;
mod shared;
mod walk;
mod write;

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Worktree;
use crate::beneath::PathError;
use crate::clip::clip;
use crate::names::visible;

pub use catalogue::{Kind, ToolSpec, catalogue, kind};
pub use context::{Context, Limits};
pub use elsewhere::elsewhere;
pub use fetch::{Fetched, Fetcher, Network};
pub use plan::{PlanItem, PlanStatus};
pub use preview::{Preview, preview, subject, touched};
pub use shared::Shared;

/// Files larger than this are not edited, and nothing larger is written: 10 MiB.
const MAX_FILE: usize = 10 * 1024 * 1024;

/// What came of a tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the model reads: at most 2000 lines and 50 KB, head and tail with a marker between them.
    pub content: String,
    /// Whether the model is told that it failed.
    pub is_error: bool,
    /// The change to a file as a unified diff, bounded like `content`.
    pub diff: Option<String>,
    /// Pictures the model is to see.
    pub images: Vec<Image>,
    /// The agent's list of what is to be done, whole, if the call gave one.
    pub plan: Option<Vec<PlanItem>>,
}

/// A picture for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub media_type: &'static str,
    /// The file, at most 5 MB.
    pub bytes: Bytes,
}

impl Outcome {
    fn done(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            ..Self::default()
        }
    }

    fn failed(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            is_error: true,
            ..Self::default()
        }
    }

    fn changed(content: String, path: &str, old: &str, new: &str) -> Self {
        Self {
            content,
            diff: Some(unified(path, old, new)),
            ..Self::default()
        }
    }
}

/// Why a tool did nothing, worded for the model.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error("{0}")]
    Said(String),
    #[error("the file could not be read: {0}")]
    Read(#[from] std::io::Error),
}

fn said<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Said(message.into()))
}

/// When a call has to end before it is done.
#[derive(Clone, Debug)]
struct Stop {
    cancel: CancellationToken,
    deadline: Instant,
}

impl Stop {
    fn now(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() >= self.deadline
    }
}

/// Runs one tool call. Output that is there before the end goes to `output` as raw bytes as it comes; whatever goes
/// wrong is an [`Outcome`] the model can read. After `cancel` everything the call started is gone within 250 ms, but
/// for commands it was asked to leave running in the background.
pub async fn run(
    context: &Context,
    name: &str,
    input: &Value,
    output: mpsc::Sender<Bytes>,
    cancel: CancellationToken,
) -> Outcome {
    if cancel.is_cancelled() {
        return Outcome::failed("the call was interrupted before it began");
    }
    let result = match name {
        "read" => file_tool(context, name, input, read::run).await,
        "write" => file_tool(context, name, input, write::run).await,
        "edit" => file_tool(context, name, input, edit::run).await,
        "grep" => search_tool(context, name, input, cancel, grep::run).await,
        "glob" => search_tool(context, name, input, cancel, glob::run).await,
        "bash" => match parse(name, input) {
            Ok(input) => bash::run(context, input, output, &cancel).await,
            Err(fault) => Err(fault),
        },
        "jobs" => match parse(name, input) {
            Ok(input) => jobs::run(context, &input).await,
            Err(fault) => Err(fault),
        },
        "fetch" => match parse(name, input) {
            Ok(input) => fetch::run(context, &input, &cancel).await,
            Err(fault) => Err(fault),
        },
        "todo" => parse(name, input).and_then(plan::todo),
        "exit_plan" => parse(name, input).and_then(|input| plan::exit(&input)),
        other => said(format!(
            "there is no tool {:?}: use one of those you were given",
            visible(other)
        )),
    };
    result.unwrap_or_else(|fault| Outcome::failed(clip(&fault.to_string())))
}

/// Files are read and written off the async threads.
async fn file_tool<I: DeserializeOwned + Send + 'static>(
    context: &Context,
    name: &str,
    input: &Value,
    tool: fn(&Worktree, &I) -> Result<Outcome, Fault>,
) -> Result<Outcome, Fault> {
    let input = parse(name, input)?;
    let worktree = context.worktree.clone();
    blocking(move || tool(&worktree, &input)).await
}

/// Searches may take long; an interrupt is not kept waiting for a slow disk.
async fn search_tool<I: DeserializeOwned + Send + 'static>(
    context: &Context,
    name: &str,
    input: &Value,
    cancel: CancellationToken,
    tool: fn(&Worktree, &I, &Stop) -> Result<Outcome, Fault>,
) -> Result<Outcome, Fault> {
    let input = parse(name, input)?;
    let worktree = context.worktree.clone();
    let stop = Stop {
        cancel: cancel.clone(),
        deadline: Instant::now() + context.limits.time,
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => said("the search was interrupted"),
        result = blocking(move || tool(&worktree, &input, &stop)) => result,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => said(format!("the tool broke off: {error}")),
    }
}

fn parse<I: DeserializeOwned>(name: &str, input: &Value) -> Result<I, Fault> {
    I::deserialize(input).map_err(|error| Fault::Said(format!("bad input for {name}: {error}")))
}

/// `path` is already fit to be shown.
fn unified(path: &str, old: &str, new: &str) -> String {
    let diff = similar::TextDiff::configure()
        .timeout(Duration::from_millis(500))
        .diff_lines(old, new);
    clip(
        &diff
            .unified_diff()
            .context_radius(3)
            .header(&format!("a/{path}"), &format!("b/{path}"))
            .to_string(),
    )
}
