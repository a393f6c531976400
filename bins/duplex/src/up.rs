//! `duplex up`: everything on one machine, from the first start to the last stop.

use crate::config::Up;
use crate::data::DataFolder;
use crate::left_over;
use crate::plan::Plan;
use crate::run_file::RunFile;
use crate::say;
use crate::start::{Started, start};
use crate::supervise::{Keeper, Restarted};
use duplex_boot::CancellationToken;
use tokio::sync::mpsc;
use tracing::warn;

/// Restarts not yet noted in `run.json`.
const NEWS: usize = 16;

/// Runs everything until `shutdown`.
///
/// # Errors
/// When something needed is missing or does not start, each told as one sentence.
pub async fn up(up: Up, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut plan = Plan::check(up)?;
    let data = DataFolder::open(&plan.data)?;
    left_over::end(&data.run_file()).await;
    plan.settle_address()?;
    say(format_args!(
        "Duplex {} starts, with its data in {}",
        env!("CARGO_PKG_VERSION"),
        data.path().display()
    ));
    let started = tokio::select! {
        started = start(&plan, &data) => started?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let mut run_file = RunFile::new(data.run_file(), started.run.clone())?;
    welcome(&plan, &data);
    let (keepers, news) = keep(started);
    follow(news, &mut run_file, &shutdown).await;
    say("stopping");
    for keeper in keepers {
        keeper.stop().await;
    }
    say("stopped; the next `duplex up` finds everything as it was");
    Ok(())
}

fn welcome(plan: &Plan, data: &DataFolder) {
    let page = plan.page();
    match data.setup_link() {
        Some(link) => say(format_args!(
            "\n  Make the first owner, once:  {link}\n  Address:                     {page}"
        )),
        None => say(format_args!("\n  Sign in:  {page}")),
    }
    say(format_args!(
        "\nCtrl-C stops everything. What the processes say is in {}",
        data.path().join("logs").display()
    ));
}

/// Keeps everything running. The keepers come in the order in which they are to be stopped.
fn keep(started: Started) -> (Vec<Keeper>, mpsc::Receiver<Restarted>) {
    let (told, news) = mpsc::channel(NEWS);
    let processes = [started.edge, started.runner, started.projector];
    let mut keepers: Vec<_> = processes
        .map(|process| Keeper::of(process, told.clone()))
        .into();
    keepers.extend(
        started
            .postgres
            .map(|server| Keeper::of(server, told.clone())),
    );
    keepers.extend(started.nats.map(|server| Keeper::of(server, told.clone())));
    (keepers, news)
}

/// Notes every restart in `run.json` until it is time to stop.
async fn follow(
    mut news: mpsc::Receiver<Restarted>,
    file: &mut RunFile,
    shutdown: &CancellationToken,
) {
    loop {
        let restarted = tokio::select! {
            () = shutdown.cancelled() => return,
            restarted = news.recv() => restarted,
        };
        let Some(Restarted { name, identity }) = restarted else {
            return;
        };
        file.run.process(name, &identity);
        if let Err(error) = file.write() {
            warn!("{error:#}");
        }
    }
}
