//! The command that measures Duplex.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use duplex_bench::{Report, echo, interrupt, relay, terminal};
use std::path::PathBuf;
use std::process::ExitCode;

const READING: &str = "\
Each benchmark starts a whole server of its own (log, database, edge, projector, runner, and a scripted model provider)
in a temporary folder, and removes it. Build first: cargo build --release

Reading the table:
  Every figure stands beside its yardstick from the same run; ratio is Duplex over yardstick. On a noisy machine the
  figures of two runs differ, their ratios much less. A machine's disk decides what a synced append costs: --no-sync
  shows what is left without it. It never makes a server like that for real work.";

/// Measures a whole server, each figure beside a yardstick of the same run.
#[derive(Parser)]
#[command(name = "duplex-bench", version, arg_required_else_help = true, after_long_help = READING)]
struct Cli {
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// From the provider's chunk to the second viewer's socket, many sessions at once
    ///
    /// Beside it: a bare JetStream publisher and subscriber on the same server. Fails if any viewer misses a token.
    #[command(after_long_help = "\
Examples:
  duplex-bench relay
  duplex-bench relay --sessions 200            the load of the speed goals
  duplex-bench relay --sessions 200 --no-sync  the same without the disk
  duplex-bench relay --sessions 200 --rate 200 --seconds 10
      more than the server can take: how many tokens a second come through?")]
    Relay {
        /// How many sessions stream at once
        #[arg(long, default_value_t = 20)]
        sessions: u32,
        /// Tokens a second of each
        #[arg(long, default_value_t = 50)]
        rate: u32,
        /// For how long
        #[arg(long, default_value_t = 20)]
        seconds: u32,
        #[command(flatten)]
        common: Common,
    },
    /// From a key to its echo on the socket, through the durable log
    ///
    /// Beside it: a bare WebSocket-PTY relay with the same shell, and one awaited append.
    Echo {
        /// How many keys to type, one at a time
        #[arg(long, default_value_t = 400)]
        keys: u32,
        #[command(flatten)]
        common: Common,
    },
    /// The shared terminal: echo, a flood, Ctrl-C in it, a viewer that stalls, and one who joins behind it
    ///
    /// Beside it: a bare WebSocket-PTY relay with the same shell and no log, and one that keeps all output in memory.
    #[command(after_long_help = "\
Examples:
  duplex-bench terminal
  duplex-bench terminal --megabytes 10 --rounds 3    a quick look")]
    Terminal {
        /// How many keys to type, one at a time
        #[arg(long, default_value_t = 200)]
        keys: u32,
        /// How much the flood puts out
        #[arg(long, default_value_t = 100)]
        megabytes: u64,
        /// How many floods are stopped with Ctrl-C
        #[arg(long, default_value_t = 20)]
        rounds: u32,
        /// For how many seconds one viewer reads nothing
        #[arg(long, default_value_t = 8)]
        stall: u64,
        #[command(flatten)]
        common: Common,
    },
    /// From the command to stop to the provider's stream closed and the tool's last process gone
    ///
    /// Half of the turns wait for a provider that has fallen silent, half for a tool with processes that left its group.
    /// Beside it: killing a bare process.
    Interrupt {
        /// How many turns run at once
        #[arg(long, default_value_t = 50)]
        turns: u32,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Args)]
struct Common {
    /// Let the log acknowledge appends before they are on disk, to see what the disk costs
    #[arg(long)]
    no_sync: bool,
    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Without logging: the server's own processes say what is to be said, and the figures stand alone.
#[tokio::main]
async fn main() -> ExitCode {
    match run_until_stopped(Cli::parse().benchmark).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("duplex-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Dropping a benchmark ends the server it started.
async fn run_until_stopped(benchmark: Benchmark) -> anyhow::Result<()> {
    let stop = duplex_boot::shutdown::listen()?;
    tokio::select! {
        done = run(benchmark) => done,
        () = stop.cancelled() => anyhow::bail!("stopped before there were figures"),
    }
}

async fn run(benchmark: Benchmark) -> anyhow::Result<()> {
    let release = true;
    match benchmark {
        Benchmark::Relay {
            sessions,
            rate,
            seconds,
            common,
        } => {
            let load = relay::Load {
                sessions,
                rate,
                seconds,
                sync: !common.no_sync,
                release,
            };
            tell(&relay::run(load).await?.report, &common)
        }
        Benchmark::Echo { keys, common } => {
            let typing = echo::Typing {
                keys,
                sync: !common.no_sync,
                release,
            };
            tell(&echo::run(typing).await?, &common)
        }
        Benchmark::Terminal {
            keys,
            megabytes,
            rounds,
            stall,
            common,
        } => {
            let using = terminal::Using {
                keys,
                megabytes,
                rounds,
                stall,
                sync: !common.no_sync,
                release,
            };
            tell(&terminal::run(using).await?, &common)
        }
        Benchmark::Interrupt { turns, common } => {
            let stopping = interrupt::Stopping {
                turns,
                sync: !common.no_sync,
                release,
            };
            tell(&interrupt::run(stopping).await?, &common)
        }
    }
}

fn tell(report: &Report, common: &Common) -> anyhow::Result<()> {
    print!("{report}");
    if let Some(path) = &common.json {
        let json = serde_json::to_string_pretty(report)?;
        std::fs::write(path, json + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_made() {
        Cli::command().debug_assert();
    }
}
