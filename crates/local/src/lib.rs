//! A private nats-server and Postgres under one data folder, for one machine and for tests.
//!
//! Both listen on 127.0.0.1 alone, ask for a password that is made at the first start, keep their ports and their
//! store over [`NatsServer::restart`] and [`Postgres::restart`], end when the value is dropped, and end with this
//! process even when it is killed. What an earlier process left running all the same is ended at the next start.

mod account;
mod error;
mod files;
mod identity;
mod nats;
mod nats_binary;
mod nats_users;
mod postgres;
mod postgres_binaries;
mod postgres_tools;
mod probe;
mod process;
mod spawn;

pub use error::StartError;
pub use files::scratch_dir;
pub use identity::Identity;
pub use nats::{NATS_CONF, NatsOptions, NatsServer, Sync};
pub use nats_binary::{NatsBinary, OLDEST_NATS, find_nats};
pub use nats_users::{NatsUser, Users};
pub use postgres::{Postgres, PostgresOptions};
pub use postgres_binaries::{OLDEST_POSTGRES, PostgresBinaries, find_postgres};
pub use probe::http_ok;
pub use process::Process;
