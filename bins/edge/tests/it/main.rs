//! The edge on a real nats-server and a real Postgres, seen from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod accounts;
mod doors;
mod feed;
mod money;
mod page;
mod sessions;
mod stack;
mod steering;
mod stream;
