//! What every process does before and after its own work: logging, signals, configuration, readiness, a last word.
//!
//! A `main.rs` is then as short as this:
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     duplex_boot::run("duplex-example", async |shutdown| {
//!         // … connect, then say so:
//!         duplex_boot::ready::announce(None)?;
//!         shutdown.cancelled().await;
//!         Ok(())
//!     })
//! }
//! ```

pub mod config;
pub mod ready;
mod run;
pub mod shutdown;
pub mod telemetry;

pub use run::{last_words, run};
pub use tokio_util::sync::CancellationToken;
