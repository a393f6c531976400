//! The configuration file of providers and models; `docs/providers.md` tells what may stand in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::models::Configured;
use crate::{
    Anthropic, AnthropicConfig, Demo, Effort, ModelInfo, OpenAi, OpenAiConfig, Provider, Providers,
    Secret, Thinking, Tuning,
};

/// Why a configuration file cannot be used. No text in it shows the file's content, which may hold a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ConfigError {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// What a configuration file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvidersConfig {
    default_model: Option<Spanned<String>>,
    #[serde(default)]
    providers: Vec<ProviderEntry>,
    #[serde(default)]
    models: Vec<ModelEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderEntry {
    name: Spanned<String>,
    kind: Kind,
    base_url: Option<String>,
    key_env: Option<String>,
    key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Anthropic,
    Openai,
    Demo,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    id: String,
    provider: Spanned<String>,
    name: Option<String>,
    label: Option<String>,
    context: u32,
    max_output: u32,
    #[serde(default)]
    thinking: ThinkingEntry,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "lowercase")]
enum ThinkingEntry {
    Adaptive {
        effort: Option<Effort>,
    },
    Budget {
        tokens: u32,
    },
    #[default]
    None,
}

impl ProvidersConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or as [`Self::parse`].
    pub fn load(path: &Path) -> Result<Providers, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            file: file.clone(),
            line: 0,
            problem: format!("it cannot be read: {error}"),
        })?;
        Self::parse(&file, &text)
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// When something in it is unknown, missing or wrong.
    pub fn parse(file: &str, text: &str) -> Result<Providers, ConfigError> {
        let wrong = |at: usize, problem: String| ConfigError {
            file: file.to_owned(),
            line: text.get(..at).unwrap_or(text).matches('\n').count() + 1,
            problem,
        };
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(at, explain(error.message()))
        })?;
        config
            .providers()
            .map_err(|(at, problem)| wrong(at, problem))
    }

    fn providers(self) -> Result<Providers, (usize, String)> {
        let mut providers = Providers::new(AnthropicConfig::default());
        for model in &self.models {
            let name = model.provider.get_ref();
            let found = self
                .providers
                .iter()
                .find(|entry| entry.name.get_ref() == name);
            let entry = found.ok_or_else(|| {
                let problem = format!("there is no provider {name}: add it under [[providers]]");
                (model.provider.span().start, problem)
            })?;
            providers.configured.push(model.configured(entry)?);
        }
        if let Some(default) = self.default_model {
            let at = default.span().start;
            let default = default.into_inner();
            if !providers.models().iter().any(|model| model.id == default) {
                return Err((
                    at,
                    format!("default_model names {default}: add it under [[models]]"),
                ));
            }
            providers.default_model = Some(default);
        }
        Ok(providers)
    }
}

fn explain(message: &str) -> String {
    if message.starts_with("unknown field `key`") {
        return "a key does not stand in this file: name a variable with key_env, or a file with key_file".to_owned();
    }
    message.to_owned()
}

impl ProviderEntry {
    fn key(&self) -> Result<Option<Secret>, (usize, String)> {
        if let Some(path) = &self.key_file {
            let read = std::fs::read_to_string(path).map_err(|error| {
                let problem = format!("the key file {} cannot be read: {error}", path.display());
                (self.name.span().start, problem)
            })?;
            return Ok(Some(Secret::new(&read)));
        }
        let named = self
            .key_env
            .as_ref()
            .and_then(|name| std::env::var(name).ok());
        Ok(named.as_deref().map(Secret::new))
    }
}

impl ModelEntry {
    fn configured(&self, entry: &ProviderEntry) -> Result<Configured, (usize, String)> {
        let key = entry.key()?.filter(|key| !key.is_empty());
        let needs = matches!(entry.kind, Kind::Anthropic) || entry.key_env.is_some();
        let why_not = (needs && key.is_none()).then(|| {
            let name = entry.name.get_ref();
            format!("no API key for the provider {name}: set the variable its key_env names, or its key_file")
        });
        let info = ModelInfo {
            id: self.id.clone(),
            label: self.label.clone().unwrap_or_else(|| self.id.clone()),
            provider: entry.name.get_ref().clone(),
            available: why_not.is_none(),
            why_not,
            context: self.context,
            max_output: self.max_output,
        };
        let provider = self.answerer(entry, key)?;
        Ok(Configured {
            info,
            provider,
            price: None,
        })
    }

    fn answerer(
        &self,
        entry: &ProviderEntry,
        key: Option<Secret>,
    ) -> Result<Provider, (usize, String)> {
        let tuning = Tuning {
            name: self.name.clone(),
            max_output: Some(self.max_output),
            thinking: match self.thinking {
                ThinkingEntry::Adaptive { effort } => Thinking::Adaptive { effort },
                ThinkingEntry::Budget { tokens } => Thinking::Budget { tokens },
                ThinkingEntry::None => Thinking::None,
            },
        };
        Ok(match entry.kind {
            Kind::Demo => Provider::Demo(Demo::default()),
            Kind::Anthropic => {
                let mut config = AnthropicConfig {
                    api_key: key,
                    ..AnthropicConfig::default()
                };
                if let Some(base_url) = &entry.base_url {
                    config.base_url.clone_from(base_url);
                }
                Provider::Anthropic(Anthropic::new(config).tuned(tuning))
            }
            Kind::Openai => {
                let base_url = entry.base_url.as_deref().ok_or_else(|| {
                    let problem = "a provider of kind openai wants a base_url, such as http://127.0.0.1:8080/v1";
                    (entry.name.span().start, problem.to_owned())
                })?;
                let config = OpenAiConfig {
                    api_key: key,
                    ..OpenAiConfig::at(base_url)
                };
                Provider::OpenAi(OpenAi::new(config, tuning))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_understood() {
        let page = include_str!("../../../docs/providers.md");
        let example = page
            .split("```toml\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let providers = ProvidersConfig::parse("providers.toml", example).unwrap();

        assert_eq!(providers.default_model(), Some("qwen"));
        assert_eq!(providers.window("qwen"), Some(131_072));
        assert!(matches!(providers.for_model("qwen"), Provider::OpenAi(_)));
        assert!(matches!(
            providers.for_model("claude-sonnet-5-5"),
            Provider::Anthropic(_)
        ));
    }

    #[test]
    fn a_key_in_the_file_is_refused_and_not_repeated() {
        let text = "[[providers]]\nname = \"a\"\nkind = \"anthropic\"\nkey = \"sk-1\"\n";
        let error = ProvidersConfig::parse("p.toml", text)
            .unwrap_err()
            .to_string();

        assert!(error.starts_with("p.toml:4: a key does not stand") && !error.contains("sk-1"));
    }
}
