//! What a session is: its events, its state, its rules.
//!
//! Everything here is pure: no clock, no I/O, no randomness. The same code runs in the runner, the edge, the
//! projector, the command line and (as WebAssembly) the page, so all of them see the same session.

mod approval;
pub mod audit;
mod blob;
mod change;
pub mod codec;
mod command;
mod decide;
mod digest;
mod event;
mod ids;
mod moment;
mod money;
mod picture;
mod session;
mod shell;
mod transcript;

pub use approval::{
    Mode, Need, Pending, Preview, ToolKind, Verdict, allows, concerns, is_rule, need, rule_for,
};
pub use blob::Blob;
pub use change::{
    Body, CHANGES, ChangeSize, Changes, Checkpoint, Committing, FileChange, FileStatus, PlanItem,
    PlanStatus, Restore, RestoreStage,
};
pub use command::Command;
pub use decide::{Refusal, decide, title_for_opening, work};
pub use digest::Digest;
pub use event::{
    Again, BlockKind, Delivery, EndReason, Envelope, Event, Lane, Level, Problem, Recorded, Size,
    TerminalEnd, ToolText, Writer,
};
pub use ids::{
    CallId, Epoch, IdError, MessageId, Place, RunnerId, SHARDS, Seq, SessionId, Shard, TeamId,
    TerminalId, Time, TurnId, UserId, WorkspaceId,
};
pub use money::{Cost, Usage};
pub use picture::Picture;
pub use session::{Budget, Member, Queued, Role, Session, State, Terminal, TerminalState, Turn};
pub use transcript::{Approval, Item, ItemKind, Output, ToolState, Transcript};
