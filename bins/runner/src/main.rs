//! The runner's process.

use clap::Parser;
use duplex_runner::config::Config;
use std::process::ExitCode;

fn main() -> ExitCode {
    let config = Config::parse();
    let ready = config.ready_file.clone();
    duplex_boot::run("duplex-runner", async |stop| {
        let announce = || duplex_boot::ready::announce(ready);
        duplex_runner::run(config, stop, announce).await
    })
}
