//! Starting and stopping.

use crate::app::App;
use crate::feed::Sockets;
use crate::origin::{Origin, Site};
use crate::setup_link::{SetupLink, SetupLinkError};
use crate::views::StoredViews;
use crate::{Config, router};
use axum::serve::ListenerExt;
use duplex_eventlog::{ConnectError, Log, Options, RegistryError};
use duplex_live::Live;
use duplex_readmodel::{Accounts, Database, DatabaseError};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

/// How long requests that are being answered may take once the edge stops.
const WINDING_DOWN: Duration = Duration::from_secs(5);

/// The edge cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error(
        "the edge cannot listen on {address}: {source}; choose another address with DUPLEX_LISTEN"
    )]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The log cannot be used.
    #[error(transparent)]
    Log(#[from] ConnectError),
    /// The register cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Postgres cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The first owner cannot be made.
    #[error(transparent)]
    SetupLink(#[from] SetupLinkError),
}

/// A running edge.
pub struct Edge {
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
    sockets: Arc<Sockets>,
}

impl Edge {
    /// Starts an edge: connects, brings the tables up to date, listens, and prints the setup link if nobody owns it
    /// yet.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        // Tokens and keys are small: held back to be gathered, they would come late.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!("a connection gathers small packets: {error}");
            }
        });
        let app = connect(config, address).await?;
        if let Some(origin) = app.site.origins.first() {
            app.setup_link.announce(&app.accounts, origin).await?;
        }
        let (stop, live) = (app.stop.clone(), app.live.clone());
        let sockets = app.sockets.clone();
        let stopped = stop.clone().cancelled_owned();
        let router = router::router(app);
        let serving = tokio::spawn(async move {
            let served = axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await;
            live.close();
            served
        });
        info!("the edge serves http://{address}");
        Ok(Self {
            address,
            stop,
            serving,
            sockets,
        })
    }

    /// Tells the edge to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the edge has stopped; one that is told to stop closes its sockets and finishes its answers.
    ///
    /// # Errors
    /// When serving failed.
    pub async fn stopped(mut self) -> io::Result<()> {
        let stop = self.stop.clone();
        let patience = async {
            stop.cancelled().await;
            tokio::time::sleep(WINDING_DOWN).await;
        };
        // The server does not wait for its sockets, and each still has to say goodbye.
        let all = async {
            let served = (&mut self.serving).await.map_err(io::Error::other)?;
            self.sockets.served.close();
            self.sockets.served.wait().await;
            served
        };
        tokio::select! {
            served = all => served,
            () = patience => {
                self.serving.abort();
                Ok(())
            }
        }
    }
}

async fn connect(config: &Config, address: SocketAddr) -> Result<App, StartError> {
    let options = Options {
        url: config.nats.clone(),
        monitor: config.nats_monitor.clone(),
        name: "edge",
    };
    let log = Log::connect(&options).await?;
    let registry = log.registry().await?;
    let database = Database::connect(&config.postgres).await?;
    database.migrate().await?;
    let origins = match config.origins.as_slice() {
        [] => Origin::of_listener(address),
        origins => origins.to_vec(),
    };
    let live = Live::new(log.clone(), Arc::new(StoredViews(database.clone())));
    Ok(App {
        log,
        registry,
        accounts: Accounts::new(database.clone()),
        database,
        live,
        site: Arc::new(Site { origins }),
        sockets: Arc::new(Sockets::new(config.sockets_per_person)),
        watchers: Arc::default(),
        setup_link: Arc::new(SetupLink::in_folder(&config.data)),
        spent_teams: Arc::default(),
        terminals_per_person: config.terminals_per_person,
        metrics: metrics(),
        stop: CancellationToken::new(),
    })
}

/// The process's recorder; there can be only one.
fn metrics() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("measurements of the edge go to a recorder that was there before");
        }
        handle
    };
    RECORDER.get_or_init(install).clone()
}
