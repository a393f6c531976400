//! The command `duplex`, run as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test may stop at the first surprise, and nobody else reads its parts"
)]

mod audit;
mod deployment;
mod doors;
mod installed;
mod refusals;
mod up;
