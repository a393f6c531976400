//! Where an agent works: git worktrees, sandboxed processes and the tools that act in them.
//!
//! This crate knows nothing of sessions beyond an id, and nothing of the log or the network.

mod beneath;
mod carry;
pub mod checkpoint;
mod clip;
mod error;
mod git;
mod inside;
mod instructions;
mod names;
mod process;
mod record;
mod repository;
pub mod sandbox;
pub mod server;
pub mod tools;
mod worktree;

pub use checkpoint::{Author, Changes, Checkpoint, CommitError, Preview, RestoreError, Restored};
pub use error::WorkspaceError;
pub use instructions::{Instructions, instructions, instructions_for};
pub use repository::Repository;
pub use sandbox::{
    Bubblewrap, Launch, Layer, Report, Sandbox, SandboxError, SandboxMode, State, Users,
};
pub use worktree::Worktree;
