//! From the command to stop to the provider's stream closed, and to the last process of a tool gone.

use crate::process::{Processes, machine};
use crate::{Percentiles, Report, Row};
use anyhow::{Context as _, ensure};
use duplex_domain::{Command, SessionId};
use duplex_provider_double::{Outcome, Recorded};
use duplex_testkit::{Person, Stack, StackOptions, wait_for};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long the goal allows, to be shown beside the figures.
const GOAL: f64 = 250.0;
/// As many turns as one person may have running here.
const MOST_TURNS: u32 = 200;
/// How many processes each tool starts: one in its own group, one that left it, one in front.
const EACH: usize = 3;
/// How often it is looked whether something is gone.
const GLANCE: Duration = Duration::from_millis(1);
/// How long something may take to go before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to stop, on which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopping {
    /// How many turns run at once: half wait for a silent provider, half for a tool.
    pub turns: u32,
    /// Whether the log syncs every append to disk.
    pub sync: bool,
    /// Whether to measure the release build.
    pub release: bool,
}

/// What is being waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Provider,
    Tool,
}

/// A turn at work.
struct Running {
    session: SessionId,
    kind: Kind,
    /// Names its request, or its processes.
    mark: String,
}

struct Measured {
    provider: Percentiles,
    tool: Percentiles,
    bare: Percentiles,
}

/// Starts a server with many turns at work, stops one after the other, and stops the server.
///
/// # Errors
/// When the server fails, and when something is not gone in time.
pub async fn run(stopping: Stopping) -> anyhow::Result<Report> {
    let turns = stopping.turns;
    ensure!(
        (2..=MOST_TURNS).contains(&turns),
        "the turns must be 2 to {MOST_TURNS}"
    );
    let machine = machine();
    let options = StackOptions {
        sync: stopping.sync,
        release: stopping.release,
        ..StackOptions::default()
    };
    let mut stack = Stack::start_with(options).await?;
    let measured = measure(&stack, turns).await;
    let measured = measured.with_context(|| stack.log_tail())?;
    stack.stop().await?;
    let sync = if stopping.sync {
        "synced"
    } else {
        "not synced"
    };
    let mut rows = Row::spread(
        "command to provider closed",
        &measured.provider,
        &measured.bare,
    );
    rows.extend(Row::spread(
        "command to last process gone",
        &measured.tool,
        &measured.bare,
    ));
    rows.push(Row::alone("goal for both", "ms", GOAL));
    Ok(Report {
        benchmark: "interrupt",
        setting: format!(
            "{turns} turns at work, half with a silent provider, half with a tool, appends {sync}"
        ),
        yardstick: "killing a bare process and seeing it gone",
        machine,
        rows,
    })
}

async fn measure(stack: &Stack, turns: u32) -> anyhow::Result<Measured> {
    let ada = stack.ada().await?;
    let mut all = Vec::new();
    for n in 0..turns {
        let kind = if n % 2 == 0 {
            Kind::Provider
        } else {
            Kind::Tool
        };
        all.push(begin(&ada, stack, kind, n).await?);
    }
    for turn in &all {
        wait_for("every turn to be at work", async || {
            Ok(turn.is_at_work(stack)?.then_some(()))
        })
        .await?;
    }
    let mut measured = Measured {
        provider: Percentiles::new()?,
        tool: Percentiles::new()?,
        bare: Percentiles::new()?,
    };
    for turn in all {
        let began = Instant::now();
        ada.commands(turn.session, Command::Interrupt { turn: None })
            .await?;
        until(began, || turn.is_gone(stack)).await?;
        let took = began.elapsed();
        match turn.kind {
            Kind::Provider => measured.provider.record(took),
            Kind::Tool => measured.tool.record(took),
        }
        measured.bare.record(kill_bare().await?);
    }
    Ok(measured)
}

async fn begin(ada: &Person, stack: &Stack, kind: Kind, n: u32) -> anyhow::Result<Running> {
    let session = ada.opens(&stack.workspace).await?;
    // A number of seconds that no other process sleeps.
    let mark = format!("{}.{n:03}", 40_000 + std::process::id() % 10_000);
    let text = match kind {
        Kind::Provider => format!("[[say 9 tokens at 1000/s]] [[stall after 3]] {mark}"),
        Kind::Tool => format!(
            r#"[[tool bash {{"command":"sleep {mark} & setsid sleep {mark} & sleep {mark}"}}]]"#
        ),
    };
    ada.says(session, &text).await?;
    Ok(Running {
        session,
        kind,
        mark,
    })
}

impl Running {
    fn is_at_work(&self, stack: &Stack) -> anyhow::Result<bool> {
        Ok(match self.kind {
            Kind::Provider => self.request(stack).is_some(),
            Kind::Tool => Processes::named(&["sleep", &self.mark])? >= EACH,
        })
    }

    fn is_gone(&self, stack: &Stack) -> anyhow::Result<bool> {
        Ok(match self.kind {
            Kind::Provider => {
                let request = self.request(stack);
                request.is_some_and(|request| request.outcome == Outcome::Dropped)
            }
            Kind::Tool => Processes::named(&["sleep", &self.mark])? == 0,
        })
    }

    fn request(&self, stack: &Stack) -> Option<Recorded> {
        let mut requests = stack.provider.requests().into_iter().rev();
        requests.find(|request| request.body["messages"].to_string().contains(&self.mark))
    }
}

async fn until(began: Instant, done: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    while !done()? {
        ensure!(
            began.elapsed() < PATIENCE,
            "something did not go in {PATIENCE:?}"
        );
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// What is left of the time when there is nothing but a process to be killed.
async fn kill_bare() -> anyhow::Result<Duration> {
    let mut bare = tokio::process::Command::new("sleep");
    let mut bare = bare
        .arg("1000")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let began = Instant::now();
    bare.kill().await?;
    Ok(began.elapsed())
}
