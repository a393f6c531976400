//! Tokens used and what they cost, in integers.

use serde::{Deserialize, Serialize};

/// Tokens of model calls, as the provider counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Prompt tokens that were neither read from nor written to the provider's cache.
    pub input: u64,
    /// Tokens the model wrote, thinking included.
    pub output: u64,
    /// Prompt tokens written to the cache.
    #[serde(default)]
    pub cache_write: u64,
    /// Those of them that are kept for an hour.
    #[serde(default)]
    pub cache_write_1h: u64,
    /// Prompt tokens read from the cache.
    #[serde(default)]
    pub cache_read: u64,
}

impl Usage {
    /// All tokens, of every kind.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }

    /// The whole prompt: new, cached and to be cached.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input
            .saturating_add(self.cache_write)
            .saturating_add(self.cache_read)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
        self.cache_write = self.cache_write.saturating_add(other.cache_write);
        self.cache_write_1h = self.cache_write_1h.saturating_add(other.cache_write_1h);
        self.cache_read = self.cache_read.saturating_add(other.cache_read);
    }
}

/// A running total of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Picodollars: millionths of a millionth of a US dollar, so that a price per token is a whole number.
    pub pico: u64,
    /// Calls whose model has no known price; they are in no total.
    pub unpriced: u32,
}

impl Cost {
    /// Adds one call's price; `None` is a model without a price.
    pub(crate) fn add(&mut self, pico: Option<u64>) {
        match pico {
            Some(pico) => self.pico = self.pico.saturating_add(pico),
            None => self.unpriced = self.unpriced.saturating_add(1),
        }
    }

    /// Adds a sum.
    pub(crate) fn add_all(&mut self, other: Self) {
        self.pico = self.pico.saturating_add(other.pico);
        self.unpriced = self.unpriced.saturating_add(other.unpriced);
    }
}
