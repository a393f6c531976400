//! The log of everything that happens, on NATS JetStream.
//!
//! The only crate that knows `async-nats`. It appends frames, reads and follows them, carries keys from edge to
//! runner, and keeps the register of runners and workspaces.

mod append;
mod audit;
mod body;
mod bucket;
mod connect;
mod follow;
mod keys;
mod presence;
mod read;
mod registry;
mod shard;
mod subject;
#[cfg(feature = "yardstick")]
pub mod yardstick;

pub use append::AppendError;
pub use audit::{Audit, AuditError, AuditFollow, AuditFrame};
pub use body::{BodyError, LARGEST_BODY};
pub use connect::{ConnectError, Durability, Log, Options};
pub use follow::{Follow, Followed};
pub use keys::{KeyPress, Keys, KeysError, PressedKey};
pub use read::ReadError;
pub use registry::{
    ModelInfo, Registry, RegistryError, RunnerInfo, TokenPrices, WorkspaceEntry, WorkspaceState,
};
pub use shard::{ShardFollow, StreamIdentity};
pub use subject::Address;
