//! What every handler can reach.

use crate::feed::{Sockets, Watchers};
use crate::origin::Site;
use crate::setup_link::SetupLink;
use crate::team::SpentTeams;
use duplex_eventlog::{Log, Registry};
use duplex_live::Live;
use duplex_readmodel::{Accounts, Database};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The edge's parts; each a cheap handle.
#[derive(Clone)]
pub(crate) struct App {
    pub log: Log,
    pub registry: Registry,
    pub database: Database,
    pub accounts: Accounts,
    pub live: Live,
    pub site: Arc<Site>,
    pub sockets: Arc<Sockets>,
    pub watchers: Arc<Watchers>,
    pub setup_link: Arc<SetupLink>,
    pub spent_teams: Arc<SpentTeams>,
    /// How many terminals one person may have running.
    pub terminals_per_person: usize,
    pub metrics: PrometheusHandle,
    /// Cancelled when the edge stops.
    pub stop: CancellationToken,
}
