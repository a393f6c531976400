//! A runner: what all its sessions share.

use crate::turn::TurnLimits;
use duplex_domain::{RunnerId, Session};
use duplex_eventlog::{Log, Registry, RegistryError, RunnerInfo};
use duplex_provider::Providers;
use duplex_workspace::Sandbox;
use std::path::PathBuf;

/// What a runner's sessions share.
pub struct Runner {
    /// Which runner.
    pub id: RunnerId,
    /// The log.
    pub log: Log,
    /// The register.
    pub registry: Registry,
    /// What tools and terminals run in.
    pub sandbox: Sandbox,
    /// The model providers.
    pub providers: Providers,
    /// How far one turn may go.
    pub turn_limits: TurnLimits,
    /// Calls that need no approval in any session here.
    pub rules: Vec<String>,
    /// Its data folder.
    pub data: PathBuf,
    /// Where workspaces may lie.
    pub roots: Vec<PathBuf>,
}

impl Runner {
    /// Whether another runner holds a session and is alive.
    ///
    /// # Errors
    /// When the register cannot be reached.
    pub async fn is_held_by_another(&self, session: &Session) -> Result<bool, RegistryError> {
        match session.runner {
            Some(holder) if holder != self.id => self.registry.is_alive(holder).await,
            _ => Ok(false),
        }
    }

    /// What the register shall say of this runner.
    #[must_use]
    pub fn info(&self) -> RunnerInfo {
        let models = self.providers.models().into_iter();
        RunnerInfo {
            id: self.id,
            sandbox: self.sandbox.tier().to_owned(),
            roots: self
                .roots
                .iter()
                .map(|root| root.display().to_string())
                .collect(),
            models: models
                .map(|model| duplex_eventlog::ModelInfo {
                    id: model.id,
                    label: model.label,
                    provider: model.provider,
                    available: model.available,
                    why_not: model.why_not,
                    context: (model.context > 0).then_some(u64::from(model.context)),
                })
                .collect(),
        }
    }
}
