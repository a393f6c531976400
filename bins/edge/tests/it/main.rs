//! The edge on a real nats-server and a real Postgres, seen from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod accounts;
mod attacks;
mod audit;
mod catch_up;
mod doors;
mod entrance;
mod feed;
mod matrix;
mod money;
mod page;
mod people;
mod presence;
mod sessions;
mod share;
mod stack;
mod steering;
mod stream;
mod tls;
mod tokens;
