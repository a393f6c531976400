//! The configuration file of providers and models; `docs/providers.md` tells what may stand in it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::models::Configured;
use crate::prices::PriceEntry;
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
    base_url: Option<Spanned<String>>,
    key_env: Option<Spanned<String>>,
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
    id: Spanned<String>,
    provider: Spanned<String>,
    name: Option<String>,
    label: Option<String>,
    context: u32,
    max_output: u32,
    #[serde(default)]
    thinking: ThinkingEntry,
    price: Option<Spanned<PriceEntry>>,
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
            line: 1,
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

    fn providers(self) -> Result<Providers, Wrong> {
        let mut names = HashSet::new();
        for entry in &self.providers {
            if !names.insert(entry.name.get_ref()) {
                let problem = "another provider has this name already: give each its own";
                return Err(wrong(&entry.name, problem));
            }
            entry.check()?;
        }
        let mut providers = Providers::new(AnthropicConfig::default());
        let mut ids = HashSet::new();
        for model in &self.models {
            if !ids.insert(model.id.get_ref()) {
                let problem = "another model has this id already: give each its own";
                return Err(wrong(&model.id, problem));
            }
            let mut entries = self.providers.iter();
            let found = entries.find(|entry| entry.name.get_ref() == model.provider.get_ref());
            let problem = "there is no provider of this name: add it under [[providers]]";
            let entry = found.ok_or_else(|| wrong(&model.provider, problem))?;
            providers.configured.push(model.configured(entry)?);
        }
        if let Some(default) = self.default_model {
            let known = |model: &ModelInfo| model.id == *default.get_ref();
            if !providers.models().iter().any(known) {
                let problem =
                    "default_model names a model that is not there: add it under [[models]]";
                return Err(wrong(&default, problem));
            }
            providers.default_model = Some(default.into_inner());
        }
        Ok(providers)
    }
}

/// Where a mistake is, in bytes, and what to do.
type Wrong = (usize, String);

fn wrong<T>(at: &Spanned<T>, problem: impl Into<String>) -> Wrong {
    (at.span().start, problem.into())
}

/// The parser's message without what it quotes of values: a key may have been put in any place.
fn explain(message: &str) -> String {
    if message.starts_with("unknown field `key`") || message.starts_with("unknown field `api_key`")
    {
        return "a key does not stand in this file: name a variable with key_env, or a file with key_file".to_owned();
    }
    // "invalid type: string \"…\", expected u32", "unknown variant `…`, expected one of …": what follows helps.
    let quotes = message.starts_with("invalid ") || message.starts_with("unknown variant");
    match message.split_once(", expected ") {
        Some((_, expected)) if quotes => {
            format!("this value is not understood: expected {expected}")
        }
        _ if quotes => "this value is not understood".to_owned(),
        _ => message.to_owned(),
    }
}

impl ProviderEntry {
    fn check(&self) -> Result<(), Wrong> {
        if let Some(base_url) = &self.base_url {
            let url = reqwest::Url::parse(base_url.get_ref()).ok();
            let web = url.filter(|url| matches!(url.scheme(), "http" | "https"));
            let open = web.filter(|url| url.username().is_empty() && url.password().is_none());
            if open.is_none() {
                let problem = "base_url is an address that begins with http:// or https://, without a password in it";
                return Err(wrong(base_url, problem));
            }
        }
        if let (Some(key_env), Some(_)) = (&self.key_env, &self.key_file) {
            let problem = "there are both key_env and key_file: leave one out";
            return Err(wrong(key_env, problem));
        }
        if let Some(key_env) = &self.key_env {
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let name = key_env.get_ref();
            if name.is_empty() || !name.chars().all(plain) {
                let problem =
                    "key_env is the name of a variable, such as LOCAL_API_KEY, not the key";
                return Err(wrong(key_env, problem));
            }
        }
        if matches!(self.kind, Kind::Openai) && self.base_url.is_none() {
            let problem =
                "a provider of kind openai wants a base_url, such as http://127.0.0.1:8080/v1";
            return Err(wrong(&self.name, problem));
        }
        self.key().map(drop)
    }

    fn key(&self) -> Result<Option<Secret>, Wrong> {
        if let Some(path) = &self.key_file {
            let read = std::fs::read_to_string(path).map_err(|error| {
                let path = path.display();
                let problem = format!("the key file {path} cannot be read: {error}");
                wrong(&self.name, problem)
            })?;
            return Ok(Some(Secret::new(&read)));
        }
        let named = self.key_env.as_ref();
        let named = named.and_then(|name| std::env::var(name.get_ref()).ok());
        Ok(named.as_deref().map(Secret::new))
    }
}

impl ModelEntry {
    fn configured(&self, entry: &ProviderEntry) -> Result<Configured, Wrong> {
        let key = entry.key()?.filter(|key| !key.is_empty());
        let needs = matches!(entry.kind, Kind::Anthropic) || entry.key_env.is_some();
        let why_not = (needs && key.is_none()).then(|| {
            let name = entry.name.get_ref();
            format!("no API key for the provider {name}: set the variable its key_env names, or its key_file")
        });
        let id = self.id.get_ref();
        let info = ModelInfo {
            id: id.clone(),
            label: self.label.clone().unwrap_or_else(|| id.clone()),
            provider: entry.name.get_ref().clone(),
            available: why_not.is_none(),
            why_not,
            context: self.context,
            max_output: self.max_output,
        };
        let price = self.price.as_ref().map(|price| {
            let prices = price.get_ref().prices();
            prices.map_err(|problem| wrong(price, problem))
        });
        Ok(Configured {
            info,
            provider: self.answerer(entry, key),
            prices: price.transpose()?,
            known_as: self.name.clone().unwrap_or_else(|| id.clone()),
        })
    }

    fn answerer(&self, entry: &ProviderEntry, key: Option<Secret>) -> Provider {
        let tuning = Tuning {
            name: self.name.clone(),
            max_output: Some(self.max_output),
            thinking: match self.thinking {
                ThinkingEntry::Adaptive { effort } => Thinking::Adaptive { effort },
                ThinkingEntry::Budget { tokens } => Thinking::Budget { tokens },
                ThinkingEntry::None => Thinking::None,
            },
        };
        let base_url = entry.base_url.as_ref().map(Spanned::get_ref);
        match entry.kind {
            Kind::Demo => Provider::Demo(Demo::default()),
            Kind::Anthropic => {
                let mut config = AnthropicConfig {
                    api_key: key,
                    ..AnthropicConfig::default()
                };
                if let Some(base_url) = base_url {
                    config.base_url.clone_from(base_url);
                }
                Provider::Anthropic(Anthropic::new(config).tuned(tuning))
            }
            Kind::Openai => {
                let config = OpenAiConfig {
                    api_key: key,
                    ..OpenAiConfig::at(base_url.map_or("", String::as_str))
                };
                Provider::OpenAi(OpenAi::new(config, tuning))
            }
        }
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

    const PROVIDER: &str = "[[providers]]\nname = \"a\"\nkind = \"demo\"\n";
    const MODEL: &str = "[[models]]\nid = \"m\"\nprovider = \"a\"\ncontext = 1\nmax_output = 1\n";

    fn problem(text: &str) -> String {
        ProvidersConfig::parse("p.toml", text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn each_mistake_is_told_with_its_line_and_what_to_do() {
        let local = "[[providers]]\nname = \"a\"\nkind = \"openai\"\n";
        for (text, says) in [
            (
                local.to_owned(),
                "p.toml:2: a provider of kind openai wants a base_url",
            ),
            (
                format!("{local}base_url = \"ftp://x\""),
                "p.toml:4: base_url is an address",
            ),
            (
                format!("{local}base_url = \"http://me:pw@x/v1\""),
                "without a password",
            ),
            (
                format!("{PROVIDER}{PROVIDER}"),
                "p.toml:5: another provider has this name",
            ),
            (
                format!("{PROVIDER}{MODEL}{MODEL}"),
                "p.toml:10: another model has this id",
            ),
            (
                MODEL.to_owned(),
                "p.toml:3: there is no provider of this name",
            ),
            (
                format!("default_model = \"x\"\n{PROVIDER}{MODEL}"),
                "p.toml:1: default_model names",
            ),
            (
                format!("{PROVIDER}key_env = \"A\"\nkey_file = \"/x\""),
                "p.toml:4: there are both",
            ),
            (
                format!("{PROVIDER}key_file = \"/nowhere\""),
                "the key file /nowhere cannot be read",
            ),
            (
                format!("{PROVIDER}{MODEL}price = {{ input = \"1\" }}"),
                "missing field `output`",
            ),
            (
                format!("{PROVIDER}{MODEL}price = {{ input = \"x\", output = \"1\" }}"),
                "p.toml:9: input is no price",
            ),
            (format!("{PROVIDER}{MODEL}hue = 1"), "unknown field `hue`"),
        ] {
            assert!(problem(&text).contains(says), "{}", problem(&text));
        }
    }

    #[test]
    fn a_key_put_in_any_place_is_not_repeated() {
        const KEY: &str = "sk-ant-0123";
        for text in [
            format!("[[providers]]\nname = \"a\"\nkind = \"{KEY}\"\n"),
            format!("{PROVIDER}key_env = \"{KEY}\"\n"),
            format!("{PROVIDER}base_url = \"{KEY}\"\n"),
            format!("{PROVIDER}api_key = \"{KEY}\"\n"),
            format!("{PROVIDER}{MODEL}thinking = {{ kind = \"{KEY}\" }}\n"),
            format!("{PROVIDER}{MODEL}thinking = \"{KEY}\"\n"),
            format!("{PROVIDER}{MODEL}price = \"{KEY}\"\n"),
            format!("{PROVIDER}{MODEL}price = {{ input = \"{KEY}\", output = \"1\" }}\n"),
            format!(
                "{PROVIDER}[[models]]\nid = \"m\"\nprovider = \"{KEY}\"\ncontext = 1\nmax_output = 1\n"
            ),
            format!(
                "{PROVIDER}[[models]]\nid = \"m\"\nprovider = \"a\"\ncontext = \"{KEY}\"\nmax_output = 1\n"
            ),
            format!("default_model = \"{KEY}\"\n"),
            format!("{PROVIDER}key_env = \"{KEY}\n"),
        ] {
            assert!(!problem(&text).contains(KEY), "{}", problem(&text));
        }
    }

    #[test]
    fn a_price_of_the_file_goes_before_the_table_s() {
        let text = format!(
            "{PROVIDER}[[providers]]\nname = \"b\"\nkind = \"anthropic\"\n{MODEL}\
             price = {{ input = \"0.15\", output = 2, cache_read = \"0.000001\", above = [{{ tokens = 10, input = 3, output = 4 }}] }}\n\
             [[models]]\nid = \"opus\"\nname = \"claude-opus-5-5\"\nprovider = \"b\"\ncontext = 1\nmax_output = 1\n\
             [[models]]\nid = \"free\"\nprovider = \"b\"\ncontext = 1\nmax_output = 1\n"
        );
        let providers = ProvidersConfig::parse("p.toml", &text).unwrap();
        let usage = |input, output, cache_read| crate::Usage {
            input,
            output,
            cache_read,
            ..crate::Usage::default()
        };

        let own = Some("providers.toml".to_owned());
        assert_eq!(
            providers.cost("m", &usage(2, 3, 1)),
            (Some(2 * 150_000 + 3 * 2_000_000 + 1), own.clone())
        );
        assert_eq!(
            providers.cost("m", &usage(11, 1, 0)),
            (Some(11 * 3_000_000 + 4_000_000), own)
        );
        let table = Some(crate::price::TABLE.to_owned());
        assert_eq!(
            providers.cost("opus", &usage(1, 0, 0)),
            (Some(4_000_000), table)
        );
        assert_eq!(providers.cost("free", &usage(1, 0, 0)), (None, None));
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
