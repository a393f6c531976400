//! What a runner is told at its start: the one place that reads its environment.

use crate::policies::Policies;
use crate::turn::TurnLimits;
use anyhow::Context as _;
use clap::Parser;
use duplex_provider::{AnthropicConfig, Providers, ProvidersConfig, Secret};
use duplex_terminal::Allowance;
use duplex_workspace::{SandboxMode, Users};
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Picodollars in a dollar.
const PICO: u64 = 1_000_000_000_000;

/// As good as never.
const A_YEAR: Duration = Duration::from_hours(365 * 24);

/// Runs the agents, tools and terminals of sessions.
///
/// Started by `duplex up`; by hand only where a runner has a machine of its own.
#[derive(Clone, Debug, Parser)]
#[command(name = "duplex-runner", version)]
pub struct Config {
    /// Where the log is.
    #[arg(long, env = "DUPLEX_NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub nats_url: String,
    /// The NATS server's monitoring address, to check that it syncs to disk.
    #[arg(long, env = "DUPLEX_NATS_MONITOR_URL")]
    pub nats_monitor_url: Option<String>,
    /// Folder for worktrees and the runner's own id.
    #[arg(long, env = "DUPLEX_DATA")]
    pub data: PathBuf,
    /// Folders that workspaces may lie beneath, separated by colons.
    #[arg(long, env = "DUPLEX_ROOTS", value_delimiter = ':')]
    pub roots: Vec<PathBuf>,
    /// Workspaces to offer from the start, separated by colons.
    #[arg(long, env = "DUPLEX_WORKSPACES", value_delimiter = ':')]
    pub workspaces: Vec<PathBuf>,
    /// `bubblewrap`, or `off` to run tools and terminals with this user's own rights.
    #[arg(long, env = "DUPLEX_SANDBOX", default_value = "bubblewrap")]
    pub sandbox: SandboxMode,
    /// The user ids that sessions are given where this runs as root, such as 2000000000-2000999999; `none` to have all
    /// sessions run as root.
    #[arg(long, env = "DUPLEX_SESSION_USERS", default_value_t)]
    pub session_users: Users,
    /// The key for Anthropic's API.
    #[arg(long, env = "DUPLEX_ANTHROPIC_API_KEY", hide_env_values = true)]
    pub anthropic_api_key: Option<String>,
    /// Another address that speaks the Messages API.
    #[arg(long, env = "DUPLEX_ANTHROPIC_BASE_URL")]
    pub anthropic_base_url: Option<String>,
    /// A file with `[anthropic]`, `api_key` and `base_url`; what is set above goes before it.
    #[arg(long, env = "DUPLEX_PROVIDER_FILE")]
    pub provider_file: Option<PathBuf>,
    /// How many model calls one turn may make.
    #[arg(long, env = "DUPLEX_TURN_STEPS", default_value_t = 100)]
    pub turn_steps: u32,
    /// How many minutes one turn may run; waiting for people does not count.
    #[arg(long, env = "DUPLEX_TURN_MINUTES", default_value_t = 120)]
    pub turn_minutes: u64,
    /// How many US dollars one turn may cost; without it, whatever the session's budget allows.
    #[arg(long, env = "DUPLEX_TURN_DOLLARS")]
    pub turn_dollars: Option<Dollars>,
    /// Tool calls that need no approval in any session, such as `bash(git *)`; several are separated by semicolons.
    #[arg(long, env = "DUPLEX_RULES", value_delimiter = ';')]
    pub rules: Vec<String>,
    /// A TOML file that names providers and their models (docs/providers.md); if it is there, it goes before all above.
    #[arg(long, env = "DUPLEX_PROVIDERS_FILE")]
    pub providers_file: Option<PathBuf>,
    /// A TOML file that says what is allowed in which workspace (docs/workspaces.md); without it, no network.
    #[arg(long, env = "DUPLEX_WORKSPACES_FILE")]
    pub workspaces_file: Option<PathBuf>,
    /// After how many hours a terminal is closed that nobody types into and that puts nothing out.
    #[arg(long, env = "DUPLEX_TERMINAL_IDLE_HOURS", default_value_t = 12.0)]
    pub terminal_idle_hours: f64,
    /// How much of a terminal's output is kept at once, in MiB; beyond it 256 KiB a second are kept, and screens stand for
    /// the rest.
    #[arg(long, env = "DUPLEX_TERMINAL_BURST_MIB", default_value_t = 16)]
    pub terminal_burst_mib: u32,
    /// A file to be made once the runner is ready.
    #[arg(long, env = "DUPLEX_READY_FILE")]
    pub ready_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderFile {
    #[serde(default)]
    anthropic: ProviderSection,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderSection {
    api_key: Option<String>,
    base_url: Option<String>,
}

/// An amount of US dollars, as people write it, in picodollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dollars(pub u64);

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no amount of dollars: write it as 2 or 2.50");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if part.len() > 12 || !part.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<12}").parse().map_err(|_| wrong())?;
        let pico = whole
            .checked_mul(PICO)
            .and_then(|pico| pico.checked_add(part));
        pico.map(Self).ok_or_else(wrong)
    }
}

impl Config {
    /// How far one turn may go.
    #[must_use]
    pub fn turn_limits(&self) -> TurnLimits {
        TurnLimits {
            steps: self.turn_steps.max(1),
            time: Duration::from_secs(self.turn_minutes.max(1).saturating_mul(60)),
            pico: self.turn_dollars.map(|dollars| dollars.0),
        }
    }

    /// How much of a terminal's output is kept.
    #[must_use]
    pub fn terminal_allowance(&self) -> Allowance {
        Allowance {
            burst: u64::from(self.terminal_burst_mib.max(1)) * 1024 * 1024,
            ..Allowance::default()
        }
    }

    /// After how long an idle terminal is closed.
    #[must_use]
    pub fn terminal_idle(&self) -> Duration {
        let seconds = self.terminal_idle_hours.max(0.0) * 3600.0;
        Duration::try_from_secs_f64(seconds)
            .unwrap_or(A_YEAR)
            .min(A_YEAR)
    }

    /// Calls that need no approval in any session.
    ///
    /// # Errors
    /// When one of them is no rule.
    pub fn rules(&self) -> anyhow::Result<Vec<String>> {
        let rules = self.rules.iter().map(|rule| rule.trim().to_owned());
        let rules: Vec<String> = rules.filter(|rule| !rule.is_empty()).collect();
        if let Some(wrong) = rules.iter().find(|rule| !duplex_domain::is_rule(rule)) {
            anyhow::bail!("{wrong:?} is no rule: write a tool's name, or one such as bash(git *)");
        }
        Ok(rules)
    }

    /// What is allowed in which workspace.
    ///
    /// # Errors
    /// When the file cannot be read or says something that is not understood.
    pub fn policies(&self) -> anyhow::Result<Policies> {
        let file = self.workspaces_file.as_deref();
        file.map_or_else(|| Ok(Policies::default()), Policies::load)
    }

    /// Who answers for which model.
    ///
    /// # Errors
    /// When a file cannot be read or says something unknown.
    pub fn providers(&self) -> anyhow::Result<Providers> {
        match self.providers_file.as_ref().filter(|path| path.exists()) {
            Some(path) => Ok(ProvidersConfig::load(path)?),
            None => Ok(Providers::new(self.anthropic()?)),
        }
    }

    /// How to reach Anthropic's API.
    ///
    /// # Errors
    /// When the provider file cannot be read or says something unknown.
    pub fn anthropic(&self) -> anyhow::Result<AnthropicConfig> {
        let file = self.provider_file()?.anthropic;
        let mut config = AnthropicConfig::default();
        let key = self.anthropic_api_key.clone().or(file.api_key);
        config.api_key = key.as_deref().map(Secret::new);
        if let Some(base_url) = self.anthropic_base_url.clone().or(file.base_url) {
            config.base_url = base_url;
        }
        Ok(config)
    }

    fn provider_file(&self) -> anyhow::Result<ProviderFile> {
        let Some(path) = self.provider_file.as_ref().filter(|path| path.exists()) else {
            return Ok(ProviderFile::default());
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        // The parser's own words quote the line, and the line may hold the key.
        toml::from_str(&text).map_err(|error| {
            anyhow::anyhow!("{} is not right: {}", path.display(), error.message())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_to_the_last_digit() {
        assert_eq!("2".parse(), Ok(Dollars(2 * PICO)));
        assert_eq!("2.50".parse(), Ok(Dollars(2 * PICO + PICO / 2)));
        assert_eq!("0.000000000001".parse(), Ok(Dollars(1)));
        for wrong in [
            "",
            "-1",
            "1.0000000000001",
            "1,5",
            "a",
            "1.x",
            "99999999999",
        ] {
            assert!(wrong.parse::<Dollars>().is_err(), "{wrong}");
        }
    }
}
