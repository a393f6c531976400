//! `duplex doctor`: is everything there that Duplex needs?

use crate::say;
use anyhow::ensure;
use duplex_local::{find_nats, find_postgres};
use duplex_workspace::{Report, Sandbox, SandboxMode};
use std::fmt::Write as _;
use std::path::Path;
use tokio::process::Command;

/// One line of the table.
struct Finding {
    tool: &'static str,
    /// What was found, or what to do.
    outcome: Result<String, String>,
    needed: bool,
}

/// Prints what was found.
///
/// # Errors
/// When something needed is missing.
pub async fn doctor() -> anyhow::Result<()> {
    let findings = [
        nats().await,
        postgres().await,
        bubblewrap().await,
        git().await,
        chromium().await,
    ];
    for Finding {
        tool,
        outcome,
        needed,
    } in &findings
    {
        let (mark, words) = match (outcome, needed) {
            (Ok(words), _) => ("ok", words),
            (Err(words), true) => ("missing", words),
            (Err(words), false) => ("optional", words),
        };
        say(format_args!("{tool:<12} {mark:<9} {words}"));
    }
    let missing = |finding: &&Finding| finding.needed && finding.outcome.is_err();
    let missing: Vec<_> = findings
        .iter()
        .filter(missing)
        .map(|finding| finding.tool)
        .collect();
    ensure!(
        missing.is_empty(),
        "not ready to run: {}",
        missing.join(", ")
    );
    Ok(())
}

async fn nats() -> Finding {
    let found = find_nats().await;
    Finding {
        tool: "nats-server",
        outcome: found
            .map(|found| format!("{} at {}", found.version, found.path.display()))
            .map_err(|error| error.to_string()),
        needed: true,
    }
}

async fn postgres() -> Finding {
    let found = find_postgres(None).await;
    Finding {
        tool: "Postgres",
        outcome: found
            .map(|found| format!("{} at {}", found.major, found.folder.display()))
            .map_err(|error| error.to_string()),
        needed: true,
    }
}

/// Makes the very sandbox that tools get: some machines have bubblewrap and forbid what it does.
async fn bubblewrap() -> Finding {
    let found = Sandbox::probe(SandboxMode::Bubblewrap).await;
    Finding {
        tool: "bubblewrap",
        outcome: found
            .map(|sandbox| described(&sandbox.report()))
            .map_err(|error| error.to_string()),
        needed: true,
    }
}

/// What stands, and what does not and why.
fn described(report: &Report) -> String {
    let mut text = report.to_string();
    for (layer, why) in report.missing() {
        let _ = write!(text, "; no {layer}: {why}");
    }
    text
}

async fn git() -> Finding {
    let outcome = said("git", &["--version"]).await;
    Finding {
        tool: "git",
        outcome: outcome.map_err(|why| format!("{why}: install git")),
        needed: true,
    }
}

async fn chromium() -> Finding {
    let outcome = said("chromium", &["--version"]).await;
    Finding {
        tool: "chromium",
        outcome: outcome.map_err(|why| format!("{why}: only the browser tests need it")),
        needed: false,
    }
}

/// The first line a program prints, or why it could not be run.
async fn said(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(Path::new(program)).args(args).output().await;
    let output = output.map_err(|error| format!("{program} does not run ({error})"))?;
    let first = |printed: Vec<u8>| {
        let printed = String::from_utf8_lossy(&printed);
        printed.lines().next().unwrap_or_default().trim().to_owned()
    };
    if output.status.success() {
        return Ok(first(output.stdout));
    }
    Err(format!("{program} fails ({})", first(output.stderr)))
}
