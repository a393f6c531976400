//! What a runner is told at its start: the one place that reads its environment.

use anyhow::Context as _;
use clap::Parser;
use duplex_provider::{AnthropicConfig, Secret};
use duplex_workspace::SandboxMode;
use serde::Deserialize;
use std::path::PathBuf;

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
    /// The key for Anthropic's API.
    #[arg(long, env = "DUPLEX_ANTHROPIC_API_KEY", hide_env_values = true)]
    pub anthropic_api_key: Option<String>,
    /// Another address that speaks the Messages API.
    #[arg(long, env = "DUPLEX_ANTHROPIC_BASE_URL")]
    pub anthropic_base_url: Option<String>,
    /// A file with `[anthropic]`, `api_key` and `base_url`; what is set above goes before it.
    #[arg(long, env = "DUPLEX_PROVIDER_FILE")]
    pub provider_file: Option<PathBuf>,
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

impl Config {
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
