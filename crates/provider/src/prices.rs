//! Prices that an operator writes down, read to the last digit.

use serde::Deserialize;

use crate::Usage;
use crate::price::Price;

/// Picodollars a token that one dollar a million tokens is.
const A_MILLION: u64 = 1_000_000;
/// Digits behind the point that can be counted: a picodollar a token.
const DIGITS: usize = 6;

/// A model's prices: for short prompts, and for those above a number of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prices {
    base: Price,
    /// From the lowest number on; above it, the whole request has this price.
    above: Vec<(u64, Price)>,
}

impl Prices {
    /// What a call cost, in picodollars.
    pub fn cost(&self, usage: &Usage) -> u64 {
        let prompt = usage.prompt();
        let mut above = self.above.iter().rev();
        let tier = above.find(|(tokens, _)| prompt > *tokens);
        tier.map_or(&self.base, |(_, price)| price).of_call(usage)
    }
}

/// US dollars for a million tokens of each kind, as they stand in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceEntry {
    #[serde(flatten)]
    rates: Rates,
    #[serde(default)]
    above: Vec<Above>,
}

#[derive(Debug, Deserialize)]
struct Above {
    tokens: u64,
    #[serde(flatten)]
    rates: Rates,
}

#[derive(Debug, Deserialize)]
struct Rates {
    input: Dollars,
    output: Dollars,
    cache_write: Option<Dollars>,
    cache_write_1h: Option<Dollars>,
    cache_read: Option<Dollars>,
}

/// A whole number, or a text such as "0.25": a fraction written as a number would be rounded.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "US dollars for a million tokens, such as 3 or \"0.25\" in quotes"
)]
enum Dollars {
    Whole(u64),
    Text(String),
}

impl PriceEntry {
    pub fn prices(&self) -> Result<Prices, String> {
        let mut above = Vec::new();
        for tier in &self.above {
            above.push((tier.tokens, tier.rates.price()?));
        }
        above.sort_by_key(|(tokens, _)| *tokens);
        Ok(Prices {
            base: self.rates.price()?,
            above,
        })
    }
}

impl Rates {
    /// What is not said of the cache costs as much as input.
    fn price(&self) -> Result<Price, String> {
        let input = self.input.pico("input")?;
        let or_input = |dollars: &Option<Dollars>, name: &str| match dollars {
            Some(dollars) => dollars.pico(name),
            None => Ok(input),
        };
        Ok(Price {
            input,
            output: self.output.pico("output")?,
            cache_write: or_input(&self.cache_write, "cache_write")?,
            cache_write_1h: or_input(&self.cache_write_1h, "cache_write_1h")?,
            cache_read: or_input(&self.cache_read, "cache_read")?,
        })
    }
}

impl Dollars {
    /// Picodollars a token.
    fn pico(&self, name: &str) -> Result<u64, String> {
        let pico = match self {
            Self::Whole(dollars) => dollars.checked_mul(A_MILLION),
            Self::Text(text) => exact(text),
        };
        pico.ok_or_else(|| {
            format!(
                "{name} is no price: write US dollars for a million tokens with at most {DIGITS} digits behind the point, \
                 such as \"0.25\""
            )
        })
    }
}

fn exact(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > DIGITS {
        return None;
    }
    let part: u64 = format!("{part:0<DIGITS$}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(A_MILLION)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_to_the_last_digit() {
        for (text, pico) in [
            ("0", Some(0)),
            ("3", Some(3_000_000)),
            ("0.25", Some(250_000)),
            ("0.000001", Some(1)),
            ("0.0000001", None),
            ("1,5", None),
            ("-1", None),
            ("+1", None),
            (".5", None),
            ("1.", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(exact(text), pico, "{text}");
        }
    }
}
