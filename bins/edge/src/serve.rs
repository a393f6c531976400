//! Starting and stopping.

use crate::app::App;
use crate::audit::Auditor;
use crate::client::Doors;
use crate::feed::{Presence, Sockets};
use crate::limits::Limits;
use crate::listen::Entrance;
use crate::origin::{Origin, Site};
use crate::setup_link::{SetupLink, SetupLinkError};
use crate::views::StoredViews;
use crate::{Config, TlsError, router, tls};
use duplex_eventlog::{AuditError, ConnectError, Log, Options, RegistryError};
use duplex_live::Live;
use duplex_readmodel::{Accounts, Database, DatabaseError, Worker};
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
    /// Whoever reaches it would talk to it unencrypted.
    #[error(
        "the edge would serve {0} unencrypted to whoever reaches it; listen on 127.0.0.1, or give it a certificate \
         with DUPLEX_TLS_CERT and DUPLEX_TLS_KEY, or name the proxy that encrypts with DUPLEX_PROXIES"
    )]
    Exposed(SocketAddr),
    /// Pages are promised encrypted, and nothing encrypts them.
    #[error(
        "{0} says https, but nothing encrypts; give the edge a certificate with DUPLEX_TLS_CERT and DUPLEX_TLS_KEY, \
         or name the proxy that encrypts with DUPLEX_PROXIES"
    )]
    NotEncrypted(Origin),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The log cannot be used.
    #[error(transparent)]
    Log(#[from] ConnectError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
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
    auditing: Auditing,
    serving: JoinHandle<()>,
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
        check_doors(config)?;
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let stop = CancellationToken::new();
        let files = config.tls.clone();
        let tls = files.map(|files| tls::acceptor(files, stop.clone()));
        let tls = tls.transpose()?;
        let (app, auditing) = connect(config, address, stop.clone()).await?;
        if let Some(origin) = app.site.origins.first() {
            app.setup_link.announce(&app.accounts, origin).await?;
        }
        hear_changes(&app);
        tokio::spawn(crate::share::sweep(app.clone()));
        let (live, sockets) = (app.live.clone(), app.sockets.clone());
        let entrance = Entrance {
            listener,
            tls,
            doors: app.doors.clone(),
            connections: config.limits.connections,
            per_network: config.limits.connections_per_network,
        };
        let serving = entrance.serve(router::router(app), stop.clone());
        let serving = tokio::spawn(async move {
            serving.await;
            live.close();
        });
        let scheme = if config.tls.is_some() {
            "https"
        } else {
            "http"
        };
        info!("the edge serves {scheme}://{address}");
        Ok(Self {
            address,
            stop,
            auditing,
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
            (&mut self.serving).await.map_err(io::Error::other)?;
            self.sockets.served.close();
            self.sockets.served.wait().await;
            Ok(())
        };
        let served = tokio::select! {
            served = all => served,
            () = patience => {
                self.serving.abort();
                Ok(())
            }
        };
        self.auditing.end().await;
        served
    }
}

/// The writing of the audit log: it goes on until nobody is served any more.
struct Auditing {
    stop: CancellationToken,
    writing: JoinHandle<()>,
}

impl Auditing {
    async fn begin(log: &Log) -> Result<(Auditor, Self), StartError> {
        let stop = CancellationToken::new();
        let (auditor, writing) = Auditor::new(log.audit().await?, stop.clone());
        let writing = tokio::spawn(writing);
        Ok((auditor, Self { stop, writing }))
    }

    async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.writing.await {
            tracing::error!("the writer of the audit log broke: {error}");
        }
    }
}

/// Whether everybody who can come in comes encrypted.
fn check_doors(config: &Config) -> Result<(), StartError> {
    if config.tls.is_some() || !config.proxies.is_empty() {
        return Ok(());
    }
    if !config.listen.ip().to_canonical().is_loopback() {
        return Err(StartError::Exposed(config.listen));
    }
    let promised = config.origins.iter().find(|origin| origin.is_encrypted());
    promised.map_or(Ok(()), |origin| {
        Err(StartError::NotEncrypted(origin.clone()))
    })
}

async fn connect(
    config: &Config,
    address: SocketAddr,
    stop: CancellationToken,
) -> Result<(App, Auditing), StartError> {
    let options = Options {
        url: config.nats.clone(),
        monitor: config.nats_monitor.clone(),
        name: "edge",
    };
    let log = Log::connect(&options).await?;
    let registry = log.registry().await?;
    let database = Database::connect(&config.postgres).await?;
    database.migrate().await?;
    let database = database.working_as(Worker::Edge).await?;
    let origins = match config.origins.as_slice() {
        [] => Origin::of_listener(address, config.tls.is_some()),
        origins => origins.to_vec(),
    };
    let doors = Doors::new(&config.proxies, config.listen, config.tls.is_some());
    let limits = &config.limits;
    let (audit, auditing) = Auditing::begin(&log).await?;
    let live = Live::new(log.clone(), Arc::new(StoredViews(database.clone())));
    let presence = Presence::new(log.clone());
    let app = App {
        log,
        audit,
        chains: Arc::default(),
        registry,
        accounts: Accounts::calibrated(database.clone()),
        database,
        live,
        site: Arc::new(Site { origins }),
        presence,
        doors: Arc::new(doors),
        limits: Arc::new(Limits::new(
            limits.requests_per_person,
            limits.requests_per_network,
        )),
        sockets: Arc::new(Sockets::new(
            limits.sockets_per_person,
            limits.sockets_per_network,
        )),
        setup_link: Arc::new(SetupLink::in_folder(&config.data)),
        spent_teams: Arc::default(),
        terminals_per_person: config.terminals_per_person,
        wrong_tries: limits.wrong_tries_per_network,
        metrics: metrics(),
        stop,
    };
    Ok((app, auditing))
}

/// Hears of changes of accounts that any edge made, until this one stops.
fn hear_changes(app: &App) {
    let (accounts, sockets) = (app.accounts.clone(), app.sockets.clone());
    let listening = async move {
        let heard = |change| sockets.heard(change);
        accounts.follow_changes(heard).await;
    };
    tokio::spawn(app.stop.clone().run_until_cancelled_owned(listening));
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
