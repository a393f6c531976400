//! The command `duplex`.

use clap::Parser;
use duplex::config::{Cli, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    duplex_boot::run("duplex", async |shutdown| match cli.command {
        Command::Up(up) => duplex::up::up(*up, shutdown).await,
        Command::Prepare(prepare) => duplex::prepare::prepare(prepare).await,
        Command::Verify(verify) => duplex::verify::verify(verify).await,
        Command::Doctor => duplex::doctor::doctor().await,
    })
}
