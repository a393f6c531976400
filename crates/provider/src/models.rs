//! Which models can be chosen, which cannot, and why not.

use serde::{Deserialize, Serialize};

use crate::error::SET_A_KEY;
use crate::price;
use crate::prices::Prices;
use crate::{Anthropic, AnthropicConfig, Demo, Provider, Secret, Usage};

/// Id and label of the models offered without a configuration, all with the same limits; source: the vendor's model
/// overview, 2026-11-22.
const ANTHROPIC: [(&str, &str); 4] = [
    ("claude-opus-5-5", "Claude Opus 5.5"),
    ("claude-sonnet-5-5", "Claude Sonnet 5.5"),
    ("claude-haiku-5-5", "Claude Haiku 5.5"),
    ("claude-fable-5-1", "Claude Fable 5.1"),
];
const CONTEXT: u32 = 1_000_000;
const MAX_OUTPUT: u32 = 128_000;

/// Every provider of this process.
#[derive(Clone, Debug)]
pub struct Providers {
    /// The Anthropic Messages API, where nothing else is configured.
    pub anthropic: Anthropic,
    /// The built-in demonstration.
    pub demo: Demo,
    /// What a configuration file offers; it goes before everything else.
    pub(crate) configured: Vec<Configured>,
    pub(crate) default_model: Option<String>,
}

/// A model of the configuration file, and who answers for it.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub info: ModelInfo,
    pub provider: Provider,
    /// What the file says it costs.
    pub prices: Option<Prices>,
    /// What the provider calls it: the table of prices may know that name.
    pub known_as: String,
}

/// A model a person can choose, or why they cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// What [`crate::Request::model`] takes.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// Whose it is: `anthropic` or `demo`.
    pub provider: String,
    /// Whether it would answer now.
    pub available: bool,
    /// What to do to make it available.
    pub why_not: Option<String>,
    /// Most tokens a conversation may have.
    pub context: u32,
    /// Most tokens of one answer.
    pub max_output: u32,
}

impl Providers {
    /// The providers a process starts with.
    #[must_use]
    pub fn new(anthropic: AnthropicConfig) -> Self {
        Self {
            anthropic: Anthropic::new(anthropic),
            demo: Demo::default(),
            configured: Vec::new(),
            default_model: None,
        }
    }

    /// The model to choose where nobody has chosen one, if the configuration names it.
    #[must_use]
    pub fn default_model(&self) -> Option<&str> {
        self.default_model.as_deref()
    }

    /// Most tokens a conversation with a model may have; none if nobody has said.
    #[must_use]
    pub fn window(&self, model: &str) -> Option<u64> {
        let models = self.models();
        let found = models.iter().find(|info| info.id == model);
        found.map(|info| u64::from(info.context))
    }

    /// What a call cost in picodollars, and the name of the prices that say so. A model without a price is unpriced,
    /// which is not the same as free.
    #[must_use]
    pub fn cost(&self, model: &str, usage: &Usage) -> (Option<u64>, Option<String>) {
        let own = self.configured(model);
        if let Some(prices) = own.and_then(|own| own.prices.as_ref()) {
            return (Some(prices.cost(usage)), Some("providers.toml".to_owned()));
        }
        // Another vendor's model of the same name has not the same price.
        if own.is_some_and(|own| matches!(own.provider, Provider::OpenAi(_))) {
            return (None, None);
        }
        let known_as = own.map_or(model, |own| own.known_as.as_str());
        let pico = price::cost(known_as, usage);
        (pico, pico.map(|_| price::TABLE.to_owned()))
    }

    /// The keys of all providers: what nobody may be shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let configured = self.configured.iter().map(|own| &own.provider);
        let keys = configured.filter_map(|provider| match provider {
            Provider::Anthropic(anthropic) => anthropic.key(),
            Provider::OpenAi(openai) => openai.key(),
            Provider::Demo(_) | Provider::Nobody(_) => None,
        });
        self.anthropic
            .key()
            .into_iter()
            .chain(keys)
            .cloned()
            .collect()
    }

    fn configured(&self, model: &str) -> Option<&Configured> {
        self.configured.iter().find(|own| own.info.id == model)
    }

    /// Who answers for a model. A model is never handed to another vendor than its own; but a server of one's own,
    /// set as base address, may name its models as it likes.
    #[must_use]
    pub fn for_model(&self, model: &str) -> Provider {
        if let Some(own) = self.configured(model) {
            return own.provider.clone();
        }
        if model.starts_with("demo") {
            return Provider::Demo(self.demo.clone());
        }
        if !self.configured.is_empty() {
            return Provider::Nobody(model.to_owned());
        }
        if model.starts_with("claude") || !self.anthropic.is_official() {
            return Provider::Anthropic(self.anthropic.clone());
        }
        Provider::Nobody(model.to_owned())
    }

    /// All models, in the order to show them.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        if !self.configured.is_empty() {
            let own = self.configured.iter().map(|own| own.info.clone());
            return own.chain([demo()]).collect();
        }
        let why_not = (!self.anthropic.has_key()).then(|| format!("no API key: {SET_A_KEY}"));
        let anthropic = ANTHROPIC.map(|(id, label)| ModelInfo {
            id: id.to_owned(),
            label: label.to_owned(),
            provider: "anthropic".to_owned(),
            available: why_not.is_none(),
            why_not: why_not.clone(),
            context: CONTEXT,
            max_output: MAX_OUTPUT,
        });
        anthropic.into_iter().chain([demo()]).collect()
    }
}

fn demo() -> ModelInfo {
    ModelInfo {
        id: "demo".to_owned(),
        label: "Demonstration (no model, no key, no cost)".to_owned(),
        provider: "demo".to_owned(),
        available: true,
        why_not: None,
        context: CONTEXT,
        max_output: MAX_OUTPUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn providers(base_url: Option<&str>, key: Option<&str>) -> Providers {
        let mut config = AnthropicConfig {
            api_key: key.map(Secret::new),
            ..AnthropicConfig::default()
        };
        if let Some(base_url) = base_url {
            base_url.clone_into(&mut config.base_url);
        }
        Providers::new(config)
    }

    #[test]
    fn without_a_key_only_the_demonstration_can_be_chosen() {
        let models = providers(None, None).models();
        let available: Vec<_> = models.iter().filter(|model| model.available).collect();

        assert_eq!(available, [&demo()]);
        assert!(models.iter().all(|model| {
            model.available
                || model
                    .why_not
                    .as_ref()
                    .is_some_and(|why| why.contains("DUPLEX_ANTHROPIC_API_KEY"))
        }));
    }

    #[test]
    fn with_a_key_every_model_can_be_chosen() {
        let models = providers(None, Some("k")).models();

        assert!(
            models
                .iter()
                .all(|model| model.available && model.why_not.is_none())
        );
    }

    #[test]
    fn a_model_is_never_handed_to_another_vendor() {
        let official = providers(None, Some("k"));

        assert!(matches!(official.for_model("demo-2"), Provider::Demo(_)));
        assert!(matches!(
            official.for_model("claude-opus-5-5"),
            Provider::Anthropic(_)
        ));
        assert!(matches!(official.for_model("gpt-9"), Provider::Nobody(model) if model == "gpt-9"));
    }

    #[test]
    fn a_server_of_ones_own_names_its_models_as_it_likes() {
        let own = providers(Some("http://127.0.0.1:9"), Some("k"));

        assert!(matches!(own.for_model("qwen"), Provider::Anthropic(_)));
    }

    #[test]
    fn every_model_offered_has_a_price() {
        for model in providers(None, None).models() {
            assert!(
                price::cost(&model.id, &Usage::default()).is_some(),
                "{}",
                model.id
            );
        }
    }
}
