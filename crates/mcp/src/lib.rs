//! Tool servers that speak the Model Context Protocol: their tools, listed once and called within bounds.
//!
//! A server is somebody else's program. What it says is bounded, cleaned and never trusted; what it asks for is refused
//! except for the folder it may be told. This crate starts no process: it is given a server's two byte streams, or an
//! address. It knows nothing of sessions, sandboxes or approvals.

mod config;
mod describe;
mod error;
mod http;
mod known;
mod line;
mod link;
mod list;
mod name;
mod outcome;
mod scrub;
mod server;
mod start;
mod text;
mod waiting;

pub use config::{ConfigError, ServerConfig, Transport, Written};
pub use error::McpError;
pub use known::{Host, LastWords};
pub use line::LINE_BYTES;
pub use list::{DESCRIPTION_BYTES, LIST_BYTES, LIST_TOOLS, SCHEMA_BYTES, Tool};
pub use name::{NAME_BYTES, PREFIX, parts};
pub use outcome::{CallOutcome, IMAGE_BYTES, IMAGES, TEXT_BYTES};
pub use server::Server;
