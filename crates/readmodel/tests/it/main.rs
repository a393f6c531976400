//! The read model on a real Postgres.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod accounts;
mod costs;
mod lists;
mod people;
mod projecting;
mod read_positions;
mod row_security;
mod stage;
mod story;
mod views;
