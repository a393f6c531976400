//! The runner: agents, tools and terminals of the sessions on its workspaces.

mod clock;
pub mod config;
mod desk;
mod dispatch;
mod files;
mod history;
mod holder;
mod money;
mod pictures;
mod policies;
mod previews;
mod prompt;
mod reader;
mod runner;
mod scribe;
mod servers;
mod shell;
mod turn;
mod way_out;
mod workspaces;

use anyhow::Context as _;
use config::Config;
use duplex_domain::RunnerId;
use duplex_eventlog::{Log, Options};
use duplex_workspace::Sandbox;
use money::TeamMoney;
use runner::Runner;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};
use uuid::Uuid;

/// How often the register hears that this runner is alive.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Serves sessions until `stop` is cancelled.
///
/// # Errors
/// When the sandbox does not work, the log cannot be reached, or the data folder cannot be used.
pub async fn run(
    config: Config,
    stop: CancellationToken,
    ready: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let sandbox = Sandbox::probe_as(config.sandbox, config.session_users.clone()).await?;
    if matches!(sandbox, Sandbox::Off) {
        warn!("NO SANDBOX: tools and terminals run with this user's rights");
    }
    info!("sandbox: {}", sandbox.report());
    for (layer, why) in sandbox.report().missing() {
        info!("the sandbox does without {layer}: {why}");
    }
    let log = Log::connect(&Options {
        url: config.nats_url.clone(),
        monitor: config.nats_monitor_url.clone(),
        name: "runner",
    })
    .await?;
    let registry = log.registry().await?;
    let providers = config.providers()?;
    let secrets = providers.secrets();
    let runner = Arc::new(Runner {
        id: own_id(&config.data)?,
        log,
        registry,
        sandbox,
        providers,
        turn_limits: config.turn_limits(),
        rules: config.rules()?,
        policies: config.policies()?,
        secrets: secrets.iter().map(|key| key.reveal().to_owned()).collect(),
        terminal_idle: config.terminal_idle(),
        terminal_allowance: config.terminal_allowance(),
        money: TeamMoney::default(),
        data: config.data.clone(),
        roots: config.roots.clone(),
    });
    let info = runner.info();
    runner.registry.put_runner(&info).await?;
    workspaces::register(&runner, &config.workspaces).await?;
    let _heartbeat = AbortOnDropHandle::new(tokio::spawn(beat(runner.clone())));
    ready()?;
    info!("runner {} is ready", runner.id);
    dispatch::run(runner, stop).await;
    Ok(())
}

async fn beat(runner: Arc<Runner>) {
    loop {
        if let Err(error) = runner.registry.put_runner(&runner.info()).await {
            warn!("the heartbeat: {error}");
        }
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// The id that this data folder's runner has had since its first start.
fn own_id(data: &Path) -> anyhow::Result<RunnerId> {
    let file = data.join("runner-id");
    if let Ok(text) = std::fs::read_to_string(&file) {
        let id = text.trim().parse();
        return id.with_context(|| format!("{} does not hold an id", file.display()));
    }
    let id = RunnerId(Uuid::now_v7());
    let written =
        std::fs::create_dir_all(data).and_then(|()| std::fs::write(&file, id.to_string()));
    written.with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(id)
}
