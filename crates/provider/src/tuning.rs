//! What a model is asked for besides the conversation.

use serde::{Deserialize, Serialize};

/// How one model is asked, as the configuration has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// The provider's name for the model, if it is not the id it is chosen by.
    pub name: Option<String>,
    /// Most tokens the model can write in one answer.
    pub max_output: Option<u32>,
    /// Whether and how it thinks.
    pub thinking: Thinking,
}

impl Tuning {
    /// Most tokens to ask for: the model's limit, or less.
    pub(crate) fn max_tokens(&self, wanted: u32) -> u32 {
        self.max_output.map_or(wanted, |most| wanted.min(most))
    }
}

/// Whether and how a model thinks before it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thinking {
    /// As much as it finds useful, with summaries to show.
    Adaptive {
        /// How hard it tries; none leaves it to the model.
        effort: Option<Effort>,
    },
    /// Up to so many tokens: models of the 4.5 generation.
    Budget {
        /// Most tokens to think, at least 1024.
        tokens: u32,
    },
    /// It is not asked to.
    None,
}

impl Default for Thinking {
    fn default() -> Self {
        Self::Adaptive { effort: None }
    }
}

/// How hard a model tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Quick answers.
    Low,
    /// A middle way.
    Medium,
    /// Thorough.
    High,
    /// More than thorough.
    Xhigh,
    /// All it can.
    Max,
}
