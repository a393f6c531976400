//! From the model provider's chunk to the second viewer's socket, many sessions at once.

use crate::process::{Processes, Usage, machine};
use crate::viewer::{Seen, Viewer};
use crate::{Percentiles, Report, Row};
use anyhow::{Context as _, ensure};
use duplex_domain::SessionId;
use duplex_eventlog::Options;
use duplex_eventlog::yardstick::{self, Yardstick};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use duplex_testkit::{Person, Process, Stack, StackOptions, wait_for};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many sockets one viewer spreads the sessions over. Two viewers stay below the edge's limit of 32 a person.
const SOCKETS: usize = 15;
/// As many sessions as those sockets may watch.
const MOST_SESSIONS: u32 = 900;
/// An answer of more tokens would reach the runner's own limit.
const MOST_TOKENS: u32 = 30_000;
/// How many people watch each session.
const VIEWERS: usize = 2;
/// Bytes of a message of the yardstick: about what one token's event takes.
const BYTES: usize = 150;
/// How long the yardstick publishes flat out.
const FLAT_OUT: Duration = Duration::from_secs(3);
/// How much longer than asked for a run may take before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(2);

const PROCESSES: [(Process, &str); 5] = [
    (Process::Edge, "edge"),
    (Process::Runner, "runner"),
    (Process::Projector, "projector"),
    (Process::Nats, "nats-server"),
    (Process::Postgres, "Postgres"),
];

/// What to put on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many sessions stream at once.
    pub sessions: u32,
    /// Tokens a second of each.
    pub rate: u32,
    /// For how many seconds.
    pub seconds: u32,
    /// Whether the log syncs every append to disk.
    pub sync: bool,
    /// Whether to measure the release build.
    pub release: bool,
}

/// What came of it.
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// How many tokens each viewer of each session saw.
    pub tokens: Vec<u64>,
}

impl Load {
    /// Tokens of one session.
    #[must_use]
    pub fn tokens(self) -> u32 {
        self.rate.saturating_mul(self.seconds)
    }

    fn check(self) -> anyhow::Result<()> {
        ensure!(
            (1..=MOST_SESSIONS).contains(&self.sessions),
            "the sessions must be 1 to {MOST_SESSIONS}"
        );
        ensure!(
            (1..=MOST_TOKENS).contains(&self.tokens()),
            "rate times seconds must be 1 to {MOST_TOKENS} tokens; take a shorter time"
        );
        Ok(())
    }

    /// The same for the yardstick.
    fn bare(self) -> yardstick::Load {
        yardstick::Load {
            writers: self.sessions,
            rate: self.rate,
            seconds: self.seconds,
            bytes: BYTES,
        }
    }
}

/// Starts a server, streams, compares, and stops it.
///
/// # Errors
/// When the server fails, and when any viewer of any session did not get every token exactly once.
pub async fn run(load: Load) -> anyhow::Result<Outcome> {
    load.check()?;
    let machine = machine();
    let options = StackOptions {
        sync: load.sync,
        release: load.release,
        ..StackOptions::default()
    };
    let mut stack = Stack::start_with(options).await?;
    let streamed = stream(&stack, load).await;
    let (viewers, costs) = streamed.with_context(|| stack.log_tail())?;
    let tokens = check(&viewers, load)?;
    let bare = compare(load).await?;
    stack.stop().await?;
    let report = Report {
        benchmark: "relay",
        setting: setting(load),
        yardstick: "a bare JetStream publisher and subscriber on the same server, as many messages a second",
        machine,
        rows: rows(load, &viewers, &costs, &bare)?,
    };
    Ok(Outcome { report, tokens })
}

fn setting(load: Load) -> String {
    let Load {
        sessions,
        rate,
        seconds,
        sync,
        ..
    } = load;
    let sync = if sync { "synced" } else { "not synced" };
    format!(
        "{sessions} sessions × {rate} tokens/s for {seconds} s, two viewers each, appends {sync}"
    )
}

/// Streams in all sessions; gives what each viewer saw and what each process used.
async fn stream(
    stack: &Stack,
    load: Load,
) -> anyhow::Result<([Seen; VIEWERS], [Usage; PROCESSES.len()])> {
    let ada = stack.ada().await?;
    let sessions = open_sessions(&ada, stack, load.sessions).await?;
    let mut watching = JoinSet::new();
    for viewer in 0..VIEWERS {
        for some in sessions.chunks(sessions.len().div_ceil(SOCKETS)) {
            let socket = Viewer::open(&ada, some).await?;
            watching.spawn(async move { (viewer, socket.watch().await) });
        }
    }
    let before = usages(stack)?;
    let text = format!("[[clock {} tokens at {}/s]]", load.tokens(), load.rate);
    for session in &sessions {
        ada.says(*session, &text).await?;
    }
    let longest = Duration::from_secs(load.seconds.into()) + PATIENCE;
    let seen = tokio::time::timeout(longest, gather(watching)).await;
    let seen = seen.context("the turns did not end")??;
    let after = usages(stack)?;
    Ok((seen, spent(&before, &after)))
}

async fn open_sessions(ada: &Person, stack: &Stack, count: u32) -> anyhow::Result<Vec<SessionId>> {
    let mut sessions = Vec::new();
    for _ in 0..count {
        let session = ada.opens(&stack.workspace).await?;
        warm_up(ada, session).await?;
        sessions.push(session);
    }
    Ok(sessions)
}

/// Has the session's worktree made, by a turn without a word: making it is not what is measured.
async fn warm_up(ada: &Person, session: SessionId) -> anyhow::Result<()> {
    ada.says(session, "[[think 1]]").await?;
    wait_for("a first turn to end", async || {
        let session = ada.view(session).await?.session;
        let rests = session.turns > 0 && session.turn.is_none();
        Ok(rests.then_some(()))
    })
    .await
}

async fn gather(
    mut watching: JoinSet<(usize, anyhow::Result<Seen>)>,
) -> anyhow::Result<[Seen; VIEWERS]> {
    let mut all = [Seen::new()?, Seen::new()?];
    while let Some(watched) = watching.join_next().await {
        let (viewer, seen) = watched?;
        all[viewer].add(seen?)?;
    }
    Ok(all)
}

/// Every viewer of every session has every token, or the figures are worth nothing.
fn check(viewers: &[Seen; VIEWERS], load: Load) -> anyhow::Result<Vec<u64>> {
    let expected = u64::from(load.tokens());
    let mut counts = Vec::new();
    for (viewer, seen) in viewers.iter().enumerate() {
        for (session, tokens) in &seen.tokens {
            ensure!(
                *tokens == expected,
                "viewer {} of session {session} saw {tokens} of {expected} tokens",
                viewer + 1
            );
            counts.push(*tokens);
        }
    }
    Ok(counts)
}

fn usages(stack: &Stack) -> anyhow::Result<[Usage; PROCESSES.len()]> {
    let processes = Processes::now()?;
    let mut usages = [Usage::default(); PROCESSES.len()];
    for (usage, (process, _)) in usages.iter_mut().zip(PROCESSES) {
        *usage = processes.usage(stack.pid(process)?);
    }
    Ok(usages)
}

/// Processor time since `before`, memory as it is.
fn spent(
    before: &[Usage; PROCESSES.len()],
    after: &[Usage; PROCESSES.len()],
) -> [Usage; PROCESSES.len()] {
    let mut spent = *after;
    for (spent, before) in spent.iter_mut().zip(before) {
        spent.cpu -= before.cpu;
    }
    spent
}

/// The yardstick's figures.
struct Bare {
    latencies: Percentiles,
    /// Messages a second, flat out.
    most: f64,
    /// Processor time of the nats-server while it was paced.
    cpu: f64,
}

async fn compare(load: Load) -> anyhow::Result<Bare> {
    let folder = scratch_dir()?;
    let server = NatsServer::start(NatsOptions::new(folder.path())).await?;
    let options = Options {
        url: server.url(),
        monitor: None,
        name: "bench",
    };
    let yardstick = Yardstick::set_up(&options).await?;
    let nats = server.pid();
    let before = Processes::now()?.usage(nats);
    let took = yardstick.paced(load.bare()).await?;
    let after = Processes::now()?.usage(nats);
    let most = yardstick.flat_out(BYTES, FLAT_OUT).await?;
    yardstick.tear_down().await?;
    Ok(Bare {
        latencies: Percentiles::of(&took)?,
        most,
        cpu: after.cpu - before.cpu,
    })
}

fn rows(
    load: Load,
    viewers: &[Seen; VIEWERS],
    costs: &[Usage; PROCESSES.len()],
    bare: &Bare,
) -> anyhow::Result<Vec<Row>> {
    let [_, second] = viewers;
    let asked = f64::from(load.sessions) * f64::from(load.rate);
    let tokens = f64::from(load.sessions) * f64::from(load.tokens());
    let (begin, end) = second.span.context("no token was seen live")?;
    let took = Duration::from_nanos(end.saturating_sub(begin)).as_secs_f64();
    let what = "provider chunk to second viewer";
    let mut rows = Row::spread(what, &second.latencies, &bare.latencies);
    rows.push(Row::new(
        "tokens delivered, of those asked for",
        "1/s",
        tokens / took,
        asked,
    ));
    rows.push(Row::new(
        "tokens delivered, of a flat-out publisher's",
        "1/s",
        tokens / took,
        bare.most,
    ));
    rows.push(Row::new(
        "messages in the log for a token",
        "",
        float(second.frames) / tokens,
        1.0,
    ));
    let received: usize = viewers.iter().map(|seen| seen.bytes).sum();
    let each = float(received as u64) / (tokens * float(VIEWERS as u64));
    rows.push(Row::new(
        "bytes on a viewer's socket for a token (its text alone)",
        "B",
        each,
        text_bytes(),
    ));
    let anew = viewers.iter().map(|seen| seen.resynchronised).sum();
    rows.push(Row::alone(
        "sessions sent anew to a slow viewer",
        "",
        float(anew),
    ));
    rows.extend(cost_rows(costs, bare));
    Ok(rows)
}

fn cost_rows(costs: &[Usage; PROCESSES.len()], bare: &Bare) -> Vec<Row> {
    let mut rows = Vec::new();
    for ((process, name), usage) in PROCESSES.iter().zip(costs) {
        let what = format!("processor time, {name}");
        rows.push(match process {
            Process::Nats => Row::new(what, "s", usage.cpu, bare.cpu),
            _ => Row::alone(what, "s", usage.cpu),
        });
    }
    let all = costs.iter().map(|usage| usage.cpu).sum();
    rows.push(Row::new(
        "processor time, all (a bare nats-server)",
        "s",
        all,
        bare.cpu,
    ));
    for ((_, name), usage) in PROCESSES.iter().zip(costs) {
        rows.push(Row::alone(
            format!("peak memory, {name}"),
            "MiB",
            usage.peak,
        ));
    }
    rows
}

/// Bytes of a token's own text: a letter, 19 digits and a space.
fn text_bytes() -> f64 {
    21.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const LOAD: Load = Load {
        sessions: 1,
        rate: 5,
        seconds: 2,
        sync: true,
        release: false,
    };

    fn seen(tokens: u64) -> Seen {
        let mut seen = Seen::new().unwrap();
        seen.tokens.push((SessionId::default(), tokens));
        seen
    }

    #[test]
    fn a_missing_token_fails_the_run() {
        let session = SessionId::default();

        assert_eq!(check(&[seen(10), seen(10)], LOAD).unwrap(), [10, 10]);
        assert_eq!(
            check(&[seen(10), seen(9)], LOAD).unwrap_err().to_string(),
            format!("viewer 2 of session {session} saw 9 of 10 tokens")
        );
    }

    #[test]
    fn a_load_that_cannot_be_is_refused_at_once() {
        let endless = Load {
            seconds: u32::MAX,
            ..LOAD
        };

        assert!(LOAD.check().is_ok());
        assert_eq!(
            endless.check().unwrap_err().to_string(),
            "rate times seconds must be 1 to 30000 tokens; take a shorter time"
        );
    }
}
