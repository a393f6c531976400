//! Keeps one process running: whatever ends without being asked is started again.

use crate::program::Running;
use anyhow::Context as _;
use duplex_boot::CancellationToken;
use duplex_local::{Identity, NatsServer, Postgres};
use std::future::Future;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Who ran this long before it ended is started again at once.
const STEADY: Duration = Duration::from_secs(10);

/// A process that can be started again.
pub(crate) trait Kept: Send + 'static {
    fn name(&self) -> &'static str;
    fn identity(&self) -> Identity;
    /// Waits until it ends, and says how.
    fn exited(&mut self) -> impl Future<Output = String> + Send;
    fn restart(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
    fn stop(self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// A process was started again.
#[derive(Debug)]
pub(crate) struct Restarted {
    pub(crate) name: &'static str,
    pub(crate) identity: Identity,
}

/// The task that keeps a process running.
#[derive(Debug)]
pub(crate) struct Keeper {
    name: &'static str,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Keeper {
    pub(crate) fn of(kept: impl Kept, news: mpsc::Sender<Restarted>) -> Self {
        let stop = CancellationToken::new();
        Self {
            name: kept.name(),
            stop: stop.clone(),
            task: tokio::spawn(keep(kept, stop, news)),
        }
    }

    /// Stops the process and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let name = self.name;
        let ended = self.task.await.context("its keeper failed");
        match ended.flatten() {
            Ok(()) => info!("{name} has stopped"),
            Err(error) => warn!("{name} did not stop well: {error:#}"),
        }
    }
}

async fn keep<K: Kept>(
    mut kept: K,
    stop: CancellationToken,
    news: mpsc::Sender<Restarted>,
) -> anyhow::Result<()> {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        tokio::select! {
            () = stop.cancelled() => return kept.stop().await,
            how = kept.exited() => warn!("{} ended by itself ({how})", kept.name()),
        }
        if since.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = stop.cancelled() => return kept.stop().await,
            () = start_again(&mut kept, &mut pause) => {}
        }
        let identity = kept.identity();
        let restarted = Restarted {
            name: kept.name(),
            identity,
        };
        // Nobody listens any more while everything stops.
        let _stopping = news.send(restarted).await;
    }
}

async fn start_again(kept: &mut impl Kept, pause: &mut Duration) {
    let name = kept.name();
    loop {
        info!("starting {name} again in {:.1} s", pause.as_secs_f32());
        sleep(*pause).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        match kept.restart().await {
            Ok(()) => return info!("{name} runs again as process {}", kept.identity().pid),
            Err(error) => warn!("cannot start {name}: {error:#}"),
        }
    }
}

impl Kept for Running {
    fn name(&self) -> &'static str {
        self.program.name
    }

    fn identity(&self) -> Identity {
        self.identity().clone()
    }

    async fn exited(&mut self) -> String {
        self.exited().await
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.restart().await
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.stop().await
    }
}

impl Kept for NatsServer {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn identity(&self) -> Identity {
        self.identity().clone()
    }

    async fn exited(&mut self) -> String {
        how(self.process().exited().await)
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        Ok(self.restart().await?)
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.stop().await?;
        Ok(())
    }
}

impl Kept for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn identity(&self) -> Identity {
        self.identity().clone()
    }

    async fn exited(&mut self) -> String {
        how(self.process().exited().await)
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        Ok(self.restart().await?)
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.stop().await?;
        Ok(())
    }
}

fn how(ended: std::io::Result<std::process::ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}
