//! The projector's settings: flags, or the environment.

use clap::Parser;
use duplex_boot::config::{http_url, nats_url, postgres_url};
use std::path::PathBuf;

/// Folds the log into the views that people read.
#[derive(Clone, Debug, Parser)]
#[command(name = "duplex-projector", version)]
pub struct Config {
    /// The NATS server that holds the log
    #[arg(
        long,
        env = "DUPLEX_NATS_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "nats://127.0.0.1:4222",
        value_parser = nats_url
    )]
    pub nats_url: String,
    /// The NATS server's monitoring address, to check that it syncs to disk
    #[arg(
        long,
        env = "DUPLEX_NATS_MONITOR_URL",
        value_name = "URL",
        value_parser = http_url
    )]
    pub nats_monitor_url: Option<String>,
    /// The Postgres database of the views, as `postgres://user:password@host:port/database`
    #[arg(
        long,
        env = "DUPLEX_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = postgres_url
    )]
    pub postgres_url: String,
    /// A file to be made once the projector is ready
    #[arg(long, env = "DUPLEX_READY_FILE", value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}
