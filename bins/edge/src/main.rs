//! The edge's process.

use duplex_edge::{Config, Edge};
use std::process::ExitCode;

fn main() -> ExitCode {
    duplex_boot::run("duplex-edge", async |shutdown| {
        let config = Config::from_environment()?;
        let edge = Edge::start(&config).await?;
        duplex_boot::ready::announce(config.ready_file)?;
        shutdown.cancelled().await;
        edge.stop();
        edge.stopped().await?;
        Ok(())
    })
}
