//! What changed in a session's files, and how far its plan is.

use crate::{Time, TurnId, UserId};
use serde::{Deserialize, Serialize};

/// Bytes too many for an event, kept beside the log under their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// SHA-256 of the bytes, in hexadecimal digits.
    pub hash: String,
    /// How many bytes.
    pub size: u64,
    /// What they are, such as `image/png`.
    pub media_type: String,
}

/// What a body of the type `application/vnd.duplex.changes+json` holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The files that changed.
    pub files: Vec<FileChange>,
    /// How, as a unified diff; long ones are cut, and say so.
    pub diff: String,
}

/// The media type of [`Changes`].
pub const CHANGES: &str = "application/vnd.duplex.changes+json";

/// A file that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path in the worktree.
    pub path: String,
    /// What it was called before, if it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_path: Option<String>,
    /// What happened to it.
    pub status: FileStatus,
    /// How many lines came.
    pub added: u64,
    /// How many lines went.
    pub removed: u64,
    /// Whether it has no lines.
    #[serde(default)]
    pub binary: bool,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    /// It is new.
    Added,
    /// Its content or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another name.
    Renamed,
    /// It is another kind of thing, such as a link.
    TypeChanged,
}

/// How many files and lines changed, and where that is told in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSize {
    /// Files.
    pub files: u64,
    /// Lines that came.
    pub added: u64,
    /// Lines that went.
    pub removed: u64,
    /// The [`Changes`]; none if nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
}

/// The worktree's files as they were after a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Its number, counted through the session from 0, the state before the first turn.
    pub number: u32,
    /// The turn it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<TurnId>,
    /// When it was taken.
    pub at: Time,
    /// The git commit that holds the files.
    pub commit: String,
    /// What changed since the checkpoint before.
    pub change: ChangeSize,
    /// What changed since the session began.
    pub since_start: ChangeSize,
}

/// A restore that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// To which checkpoint.
    pub checkpoint: u32,
    /// Who.
    pub by: Option<UserId>,
    /// How far it is.
    #[serde(flatten)]
    pub stage: RestoreStage,
}

/// How far a restore is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum RestoreStage {
    /// The runner looks what it would change.
    Preparing,
    /// It would change this; somebody has to confirm it.
    Prepared {
        /// The files as they are now.
        tree: String,
        /// What would change.
        change: ChangeSize,
        /// Files that others changed since the last checkpoint: while there are any, it is refused.
        conflicts: Vec<String>,
    },
    /// Confirmed; the runner does it.
    Confirmed {
        /// The files as they were when it was prepared.
        tree: String,
    },
}

/// A commit that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committing {
    /// Who.
    pub by: Option<UserId>,
    /// The commit's message.
    pub message: String,
}

/// A step of the agent's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far a step of a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Being done.
    InProgress,
    /// Done.
    Completed,
}
