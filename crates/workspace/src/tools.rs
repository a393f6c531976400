//! The agent's tools: what a model may do in a session's worktree.

mod bash;
mod catalogue;
mod edit;
mod read;
mod write;

use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::beneath::PathError;
use crate::clip::clip;
use crate::{Sandbox, Worktree};

pub use catalogue::{ToolSpec, catalogue};

/// Files larger than this are not edited, and nothing larger is written: 10 MiB.
const MAX_FILE: usize = 10 * 1024 * 1024;

/// What a tool call acts on.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where.
    pub worktree: Worktree,
    /// Within what.
    pub sandbox: Sandbox,
    /// Up to what.
    pub limits: Limits,
}

/// The bounds of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a command may run when the model does not say.
    pub time: Duration,
    /// How long a command may run at most.
    pub max_time: Duration,
    /// Bytes of output that are streamed; the rest is dropped with a notice.
    pub streamed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_mins(2),
            max_time: Duration::from_mins(10),
            streamed: 10 * 1024 * 1024,
        }
    }
}

/// What came of a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the model reads: at most 2000 lines and 50 KB, head and tail with a marker between them.
    pub content: String,
    /// Whether the model is told that it failed.
    pub is_error: bool,
    /// The change to a file as a unified diff, bounded like `content`.
    pub diff: Option<String>,
}

impl Outcome {
    fn done(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            is_error: false,
            diff: None,
        }
    }

    fn failed(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            is_error: true,
            diff: None,
        }
    }

    fn changed(content: String, path: &str, old: &str, new: &str) -> Self {
        Self {
            content,
            is_error: false,
            diff: Some(unified(path, old, new)),
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

/// Runs one tool call. Output that is there before the end goes to `output` as raw bytes as it comes; whatever goes
/// wrong is an [`Outcome`] the model can read. After `cancel` everything the call started is gone within 250 ms.
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
        "bash" => match parse(name, input) {
            Ok(input) => bash::run(context, input, output, &cancel).await,
            Err(fault) => Err(fault),
        },
        other => said(format!(
            "there is no tool {other:?}: use read, write, edit or bash"
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
    match tokio::task::spawn_blocking(move || tool(&worktree, &input)).await {
        Ok(result) => result,
        Err(error) => said(format!("the tool broke off: {error}")),
    }
}

fn parse<I: DeserializeOwned>(name: &str, input: &Value) -> Result<I, Fault> {
    I::deserialize(input).map_err(|error| Fault::Said(format!("bad input for {name}: {error}")))
}

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
