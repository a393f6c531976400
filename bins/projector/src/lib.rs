//! Folds the log into the views that people read: one task for each of the log's streams.
//!
//! Nothing here is kept but in Postgres: a projector that dies at any moment goes on from the checkpoint.

mod audit;
pub mod config;
mod lag;
mod patience;
mod shard;

pub use config::Config;

use anyhow::Context as _;
use duplex_domain::Shard;
use duplex_eventlog::{ConnectError, Log, Options};
use duplex_readmodel::{Database, DatabaseError, Worker};
use patience::patiently;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Projects until told to stop. `ready` is called once the tables are up to date and the log is there; servers that
/// are away then, or later, are waited for.
///
/// # Errors
/// When waiting would not help: a wrong address, a server too old, a migration that fails.
pub async fn run(
    config: Config,
    stop: CancellationToken,
    ready: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let opened = stop.run_until_cancelled(open(&config)).await;
    let Some((log, database)) = opened.transpose()? else {
        return Ok(());
    };
    let mut shards = JoinSet::new();
    for shard in Shard::all() {
        shards.spawn(shard::run(
            log.clone(),
            database.clone(),
            shard,
            stop.clone(),
        ));
    }
    shards.spawn(audit::run(log.clone(), database.clone(), stop.clone()));
    ready()?;
    while let Some(ended) = shards.join_next().await {
        ended.context("a shard's task broke")?;
    }
    Ok(())
}

async fn open(config: &Config) -> anyhow::Result<(Log, Database)> {
    let connect = || Database::connect(&config.postgres_url);
    let database = patiently(connect, DatabaseError::is_passing).await?;
    patiently(|| database.migrate(), DatabaseError::is_passing).await?;
    let working = || database.working_as(Worker::Projector);
    let database = patiently(working, DatabaseError::is_passing).await?;
    if patiently(|| database.renew_views(), DatabaseError::is_passing).await? {
        tracing::info!("an older version folded the views; they are built anew from the log");
    }
    let options = Options {
        url: config.nats_url.clone(),
        monitor: config.nats_monitor_url.clone(),
        name: "projector",
    };
    let unreachable = |error: &ConnectError| matches!(error, ConnectError::Unreachable { .. });
    let log = patiently(|| Log::connect(&options), unreachable).await?;
    Ok((log, database))
}
