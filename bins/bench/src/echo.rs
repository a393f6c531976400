//! From a key to its echo on the socket, through the durable log.

use crate::line::Line;
use crate::process::machine;
use crate::shell::Relay;
use crate::{Percentiles, Report, Row};
use anyhow::{Context as _, ensure};
use duplex_eventlog::Options;
use duplex_eventlog::yardstick::Yardstick;
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use duplex_testkit::{Person, Stack, StackOptions};
use std::time::{Duration, Instant};

/// The pace of keys: as fast as one can type, and below the 64 messages a second that the edge takes.
const PACE: Duration = Duration::from_millis(20);
/// Keys typed in one go before the other side has its turn, so that noise hits both.
const BLOCK: u32 = 50;
/// Bytes of the appends that tell what a sync costs: about what one key's echo takes in the log.
const BYTES: usize = 200;
/// Keys that are typed before any counts.
const WARM_UP: u32 = 10;
const MOST_KEYS: u32 = 100_000;

/// What to type, on which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typing {
    /// How many keys.
    pub keys: u32,
    /// Whether the log syncs every append to disk.
    pub sync: bool,
    /// Whether to measure the release build.
    pub release: bool,
}

/// Starts a server, types into it and into a bare relay in turns, and stops it.
///
/// # Errors
/// When the server fails, and when a key is not echoed.
pub async fn run(typing: Typing) -> anyhow::Result<Report> {
    let keys = typing.keys;
    ensure!(
        (1..=MOST_KEYS).contains(&keys),
        "the keys must be 1 to {MOST_KEYS}"
    );
    let machine = machine();
    let options = StackOptions {
        sync: typing.sync,
        release: typing.release,
        ..StackOptions::default()
    };
    let mut stack = Stack::start_with(options).await?;
    let ada = stack.ada().await?;
    let measured = measure(&stack, &ada, keys).await;
    let measured = measured.with_context(|| stack.log_tail())?;
    stack.stop().await?;
    let sync = if typing.sync { "synced" } else { "not synced" };
    Ok(Report {
        benchmark: "echo",
        setting: format!(
            "{keys} single keys, {} ms apart, appends {sync}",
            PACE.as_millis()
        ),
        yardstick: "a bare WebSocket-PTY relay with no log, the same shell, the same keys, in turns",
        machine,
        rows: rows(&measured),
    })
}

/// How long keys and appends took.
pub(crate) struct Measured {
    pub duplex: Percentiles,
    pub bare: Percentiles,
    appends: Percentiles,
}

/// Types into a terminal of a new session, and into a bare one.
pub(crate) async fn measure(stack: &Stack, ada: &Person, keys: u32) -> anyhow::Result<Measured> {
    let session = ada.opens(&stack.workspace).await?;
    let relay = Relay::start().await?;
    let mut duplex = Line::duplex(ada, session).await?.quieted().await?;
    let mut bare = Line::bare(&relay.url).await?.quieted().await?;
    let folder = scratch_dir()?;
    let bare_log = NatsServer::start(NatsOptions::new(folder.path())).await?;
    let options = Options {
        url: bare_log.url(),
        monitor: None,
        name: "bench",
    };
    let yardstick = Yardstick::set_up(&options).await?;
    let mut measured = Measured {
        duplex: Percentiles::new()?,
        bare: Percentiles::new()?,
        appends: Percentiles::new()?,
    };
    for line in [&mut duplex, &mut bare] {
        type_keys(line, WARM_UP, &mut Percentiles::new()?).await?;
    }
    let mut left = keys;
    while left > 0 {
        let block = left.min(BLOCK);
        type_keys(&mut duplex, block, &mut measured.duplex).await?;
        type_keys(&mut bare, block, &mut measured.bare).await?;
        for took in yardstick.one_by_one(BYTES, block as usize).await? {
            measured.appends.record(took);
        }
        left -= block;
    }
    yardstick.tear_down().await?;
    Ok(measured)
}

/// Types single keys, each after the echo of the one before and at an even pace, then a new line, since a line of a
/// terminal holds only 4,095.
pub(crate) async fn type_keys(
    line: &mut Line,
    keys: u32,
    took: &mut Percentiles,
) -> anyhow::Result<()> {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for key in (b'a'..=b'z').cycle().take(keys as usize) {
        pace.tick().await;
        let begin = Instant::now();
        line.types(&[key]).await?;
        line.prints(&[key]).await?;
        took.record(begin.elapsed());
    }
    line.types(b"\r").await?;
    line.prints(b"\n").await?;
    Ok(())
}

fn rows(measured: &Measured) -> Vec<Row> {
    let mut rows = Row::spread("key to echo", &measured.duplex, &measured.bare);
    let (echo, append) = (measured.duplex.spread(), measured.appends.spread());
    let beside = "beside one awaited append";
    rows.push(Row::new(
        format!("key to echo, p50, {beside}"),
        "ms",
        echo.p50,
        append.p50,
    ));
    rows.push(Row::new(
        format!("key to echo, p99, {beside}"),
        "ms",
        echo.p99,
        append.p99,
    ));
    let less = echo.p50 - append.p50;
    rows.push(Row::alone(
        "key to echo, p50, less one awaited append",
        "ms",
        less,
    ));
    rows
}
