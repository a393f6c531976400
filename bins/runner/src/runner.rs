//! A runner: what all its sessions share.

use crate::money::TeamMoney;
use crate::policies::Policies;
use crate::turn::TurnLimits;
use duplex_domain::{RunnerId, Session};
use duplex_eventlog::{Log, Registry, RegistryError, RunnerInfo, TokenPrices};
use duplex_provider::{Providers, Usage};
use duplex_terminal::Allowance;
use duplex_workspace::Sandbox;
use std::path::PathBuf;
use std::time::Duration;

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
    /// What is allowed in which workspace.
    pub policies: Policies,
    /// The providers' keys: what no terminal may show.
    pub secrets: Vec<String>,
    /// After how long an idle terminal is closed.
    pub terminal_idle: Duration,
    /// How much of a terminal's output is kept.
    pub terminal_allowance: Allowance,
    /// What teams have spent.
    pub money: TeamMoney,
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
            sandbox: self.sandbox.report().to_string(),
            roots: self
                .roots
                .iter()
                .map(|root| root.display().to_string())
                .collect(),
            models: models
                .map(|model| duplex_eventlog::ModelInfo {
                    id: model.id.clone(),
                    label: model.label,
                    provider: model.provider,
                    available: model.available,
                    why_not: model.why_not,
                    context: (model.context > 0).then_some(u64::from(model.context)),
                    max_output: (model.max_output > 0).then_some(u64::from(model.max_output)),
                    price: prices(&self.providers, &model.id),
                })
                .collect(),
        }
    }
}

/// What a model's tokens cost, each kind asked for by itself; none if it has no price.
fn prices(providers: &Providers, model: &str) -> Option<TokenPrices> {
    let one = |usage: Usage| providers.cost(model, &usage).0;
    Some(TokenPrices {
        input: one(Usage {
            input: 1,
            ..Usage::default()
        })?,
        output: one(Usage {
            output: 1,
            ..Usage::default()
        })?,
        cache_write: one(Usage {
            cache_write: 1,
            ..Usage::default()
        })?,
        cache_write_1h: one(Usage {
            cache_write: 1,
            cache_write_1h: 1,
            ..Usage::default()
        })?,
        cache_read: one(Usage {
            cache_read: 1,
            ..Usage::default()
        })?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_provider::AnthropicConfig;

    #[test]
    fn each_kind_of_token_has_its_price() {
        let providers = Providers::new(AnthropicConfig::default());
        let expected = TokenPrices {
            input: 4_000_000,
            output: 20_000_000,
            cache_write: 5_000_000,
            cache_write_1h: 8_000_000,
            cache_read: 200_000,
        };
        assert_eq!(prices(&providers, "claude-opus-5-5"), Some(expected));
        assert_eq!(prices(&providers, "nobody-knows"), None);
    }
}
