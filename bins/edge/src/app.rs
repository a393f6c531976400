//! What every handler can reach.

use crate::audit::{Auditor, Chains};
use crate::client::Doors;
use crate::feed::{Presence, Sockets};
use crate::limits::Limits;
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
    pub audit: Auditor,
    pub chains: Arc<Chains>,
    pub site: Arc<Site>,
    pub doors: Arc<Doors>,
    pub limits: Arc<Limits>,
    pub sockets: Arc<Sockets>,
    pub presence: Presence,
    pub setup_link: Arc<SetupLink>,
    pub spent_teams: Arc<SpentTeams>,
    /// How many terminals one person may have running.
    pub terminals_per_person: usize,
    /// How many wrong guesses at secrets a network has in a day.
    pub wrong_tries: u32,
    pub metrics: PrometheusHandle,
    /// Cancelled when the edge stops.
    pub stop: CancellationToken,
}
