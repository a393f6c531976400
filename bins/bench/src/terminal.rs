//! The shared terminal: typed into, flooded, interrupted, stalled and joined.

use crate::echo;
use crate::line::{Line, Watching};
use crate::process::{machine, resident};
use crate::shell::Relay;
use crate::socket::{Received, Socket};
use crate::{Percentiles, Report, Row};
use anyhow::{Context as _, ensure};
use duplex_domain::SessionId;
use duplex_testkit::{Person, Process, Stack, StackOptions};
use std::time::{Duration, Instant};

/// A line of the flood, with its line break as a terminal puts it out.
const LINE: &str = "0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 abcdefghijklmnopqrstuvwxyz";
/// A prompt that floods do not contain.
const PROMPT: &[u8] = b"next>";
/// How long a flood is seen before it is stopped.
const DEEP: Duration = Duration::from_millis(300);
/// Keys typed by somebody else while a viewer stalls.
const KEYS_BESIDE: u32 = 100;
/// A whole screen with its history comes in no more than this.
const MOST_SCREEN: u64 = 4 * 1024 * 1024;

/// What to do, on which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Using {
    /// How many keys to type.
    pub keys: u32,
    /// How much the flood puts out, in 1,000,000 bytes.
    pub megabytes: u64,
    /// How many floods are stopped with Ctrl-C.
    pub rounds: u32,
    /// For how many seconds a viewer reads nothing.
    pub stall: u64,
    /// Whether the log syncs every append to disk.
    pub sync: bool,
    /// Whether to measure the release build.
    pub release: bool,
}

/// Starts a server, uses its terminals beside a bare relay's, and stops it.
///
/// # Errors
/// When the server fails, and when what was put out does not arrive.
pub async fn run(using: Using) -> anyhow::Result<Report> {
    ensure!(using.keys > 0, "at least one key must be typed");
    ensure!(using.rounds > 0, "at least one flood must be stopped");
    ensure!(
        (1..=2_000).contains(&using.megabytes),
        "the flood must be 1 to 2000 megabytes"
    );
    let machine = machine();
    let options = StackOptions {
        sync: using.sync,
        release: using.release,
        ..StackOptions::default()
    };
    let mut stack = Stack::start_with(options).await?;
    let rows = measure(&stack, using).await;
    let rows = rows.with_context(|| stack.log_tail())?;
    stack.stop().await?;
    let sync = if using.sync { "synced" } else { "not synced" };
    Ok(Report {
        benchmark: "terminal",
        setting: format!(
            "{} keys, a flood of {} MB, {} floods stopped, appends {sync}",
            using.keys, using.megabytes, using.rounds
        ),
        yardstick: "a bare WebSocket-PTY relay with no log, the same shell; for joining, one that keeps all output",
        machine,
        rows,
    })
}

async fn measure(stack: &Stack, using: Using) -> anyhow::Result<Vec<Row>> {
    let ada = stack.ada().await?;
    let relay = Relay::start().await?;
    let typed = echo::measure(stack, &ada, using.keys).await?;
    let mut rows = Row::spread("key to echo", &typed.duplex, &typed.bare);
    let session = ada.opens(&stack.workspace).await?;
    let mut duplex = prompted(Line::duplex(&ada, session).await?).await?;
    let mut bare = prompted(Line::bare(&relay.url).await?).await?;
    rows.extend(stopped(&mut duplex, &mut bare, using.rounds).await?);
    rows.extend(flooded(&mut duplex, &mut bare, using.megabytes).await?);
    rows.extend(joined(&ada, session, &duplex, &relay, using.megabytes).await?);
    rows.extend(stalled(stack, &ada, session, &mut duplex, using.stall).await?);
    Ok(rows)
}

/// Gives a shell the prompt to wait for.
async fn prompted(mut line: Line) -> anyhow::Result<Line> {
    line.types(b"PS1='nex''t> '; PROMPT_COMMAND=\r").await?;
    line.prints(PROMPT).await?;
    Ok(line)
}

/// From Ctrl-C to the prompt, in a flood without end.
async fn stopped(duplex: &mut Line, bare: &mut Line, rounds: u32) -> anyhow::Result<Vec<Row>> {
    let mut took = [Percentiles::new()?, Percentiles::new()?];
    for _ in 0..rounds {
        for (line, took) in [&mut *duplex, &mut *bare].into_iter().zip(&mut took) {
            line.types(format!("yes '{LINE}'\r").as_bytes()).await?;
            let begin = Instant::now();
            while begin.elapsed() < DEEP {
                line.output().await?;
            }
            let begin = Instant::now();
            line.types(b"\x03").await?;
            line.prints(PROMPT).await?;
            took.record(begin.elapsed());
        }
    }
    let [ours, theirs] = took;
    Ok(Row::spread("Ctrl-C in a flood to prompt", &ours, &theirs))
}

/// A flood, from the command to its last line at the viewer.
async fn flooded(duplex: &mut Line, bare: &mut Line, megabytes: u64) -> anyhow::Result<Vec<Row>> {
    let command = format!(
        "yes '{LINE}' | head -c {}; echo flood-o''ver\r",
        megabytes * 1_000_000
    );
    let mut figures = Vec::new();
    let before = elided(duplex);
    for line in [&mut *duplex, &mut *bare] {
        let begin = Instant::now();
        line.types(command.as_bytes()).await?;
        let came = line.prints(b"flood-over").await?;
        figures.push((begin.elapsed().as_secs_f64(), megabytes_of(came)));
        // The prompt may have come with the last line already.
        line.types(b"\r").await?;
        line.prints(PROMPT).await?;
    }
    let [(ours, came), (theirs, came_bare)] = figures[..] else {
        anyhow::bail!("two floods were to be measured");
    };
    let mut rows = vec![
        Row::new("flood, to its last line at the viewer", "s", ours, theirs),
        Row::new("flood, sent to the viewer", "MB", came, came_bare),
    ];
    let left_out = megabytes_of(elided(duplex) - before);
    let what = "flood, told to be left out of the log";
    rows.push(Row::alone(what, "MB", left_out));
    Ok(rows)
}

/// How many bytes were left out of the log so far.
fn elided(line: &Line) -> u64 {
    match line {
        Line::Duplex(watching) => watching.elided,
        Line::Bare(_) => 0,
    }
}

/// Somebody joins behind the flood: until the first whole screen.
async fn joined(
    ada: &Person,
    session: SessionId,
    duplex: &Line,
    relay: &Relay,
    megabytes: u64,
) -> anyhow::Result<Vec<Row>> {
    let Line::Duplex(known) = duplex else {
        anyhow::bail!("the flood was Duplex' own");
    };
    let begin = Instant::now();
    let mut joiner = Watching::open(ada, session, known.terminal).await?;
    let mut shown = Vec::new();
    while !ends_with_prompt(&shown) {
        shown.extend(joiner.next().await?);
        ensure!(
            joiner.came < MOST_SCREEN,
            "the joiner is sent more than a screen"
        );
    }
    let (ours, came) = (begin.elapsed(), joiner.came);
    let begin = Instant::now();
    let mut kept = Socket::open(&format!("{}{megabytes}", relay.replay)).await?;
    let mut left = megabytes * 1_000_000;
    while left > 0 {
        if let Received::Binary(bytes) = kept.next().await? {
            left = left.saturating_sub(bytes.len() as u64);
        }
    }
    let theirs = begin.elapsed();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(vec![
        Row::new(
            "join behind the flood, to the screen",
            "ms",
            milliseconds(ours),
            milliseconds(theirs),
        ),
        Row::new(
            "join behind the flood, sent",
            "KB",
            megabytes_of(came) * 1e3,
            float(megabytes) * 1e3,
        ),
    ])
}

fn ends_with_prompt(shown: &[u8]) -> bool {
    let tail = &shown[shown.len().saturating_sub(512)..];
    tail.windows(PROMPT.len()).any(|window| window == PROMPT)
}

/// One viewer stops reading in a flood; another types meanwhile; then the first one reads on.
async fn stalled(
    stack: &Stack,
    ada: &Person,
    session: SessionId,
    duplex: &mut Line,
    seconds: u64,
) -> anyhow::Result<Vec<Row>> {
    let Line::Duplex(known) = &*duplex else {
        anyhow::bail!("the flood is Duplex' own");
    };
    let mut sleeper = Line::Duplex(Watching::open(ada, session, known.terminal).await?);
    sleeper.output().await?;
    let mut beside = Line::duplex(ada, session).await?.quieted().await?;
    let edge = stack.pid(Process::Edge)?;
    let before = resident(edge)?;
    let command = format!("timeout {seconds} yes '{LINE}'; echo stall-o''ver\r");
    duplex.types(command.as_bytes()).await?;
    let mut took = Percentiles::new()?;
    let flood = duplex.prints(b"stall-over");
    let keys = echo::type_keys(&mut beside, KEYS_BESIDE, &mut took);
    let (flood, keys) = tokio::join!(flood, keys);
    flood?;
    keys?;
    let grown = resident(edge)? - before;
    let begin = Instant::now();
    sleeper.prints(b"stall-over").await?;
    let awake = begin.elapsed().as_secs_f64() * 1e3;
    Ok(vec![
        Row::alone("a viewer stalls: the edge's memory grows by", "MiB", grown),
        Row::alone(
            "a viewer stalls: key to echo beside it, p99",
            "ms",
            took.spread().p99,
        ),
        Row::alone("a viewer stalls: then to the newest screen", "ms", awake),
    ])
}

fn megabytes_of(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_found_at_the_end_alone() {
        assert!(ends_with_prompt(b"...\r\nnext> "));
        assert!(!ends_with_prompt(
            &[b"next> ".as_slice(), &[b'x'; 1000]].concat()
        ));
        assert!(!ends_with_prompt(b""));
    }

    #[tokio::test]
    async fn what_cannot_be_measured_is_refused() {
        let using = Using {
            keys: 1,
            megabytes: 0,
            rounds: 1,
            stall: 1,
            sync: true,
            release: false,
        };
        assert!(run(using).await.is_err());
    }
}
