//! The projector's process.

use clap::Parser;
use duplex_projector::Config;
use std::process::ExitCode;

fn main() -> ExitCode {
    let config = Config::parse();
    let ready = config.ready_file.clone();
    duplex_boot::run("duplex-projector", async |stop| {
        let announce = || duplex_boot::ready::announce(ready);
        duplex_projector::run(config, stop, announce).await
    })
}
