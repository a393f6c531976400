//! What a call costs: a small dated table, in whole picodollars (10⁻¹² US dollar) per token.

use crate::Usage;

/// Names the table below wherever a cost is recorded, so that an old cost can be explained later.
/// Source: the vendor's price list, compared with two independent public tables on that day.
pub const TABLE: &str = "anthropic-2026-11-22";

/// Picodollars per token of each kind. One US dollar per million tokens is 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Prompt tokens outside the cache.
    pub input: u64,
    /// Written tokens.
    pub output: u64,
    /// Prompt tokens written to the cache for five minutes.
    pub cache_write: u64,
    /// Prompt tokens written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
}

/// Above this many prompt tokens, all of a Haiku 5.5 request is priced higher.
const HAIKU_5_5_TIER: u64 = 100_000;

const FABLE_5_1: Price = price(10_000_000, 50_000_000, 12_500_000, 20_000_000, 250_000);
const OPUS_5_5: Price = price(4_000_000, 20_000_000, 5_000_000, 8_000_000, 200_000);
const SONNET_5_5: Price = price(2_000_000, 10_000_000, 2_500_000, 4_000_000, 100_000);
const HAIKU_5_5: Price = price(100_000, 500_000, 125_000, 200_000, 10_000);
const HAIKU_5_5_LONG: Price = price(500_000, 2_500_000, 625_000, 1_000_000, 50_000);
const OPUS_5: Price = price(5_000_000, 25_000_000, 6_250_000, 10_000_000, 500_000);
const SONNET_4_6: Price = price(3_000_000, 15_000_000, 3_750_000, 6_000_000, 300_000);
const HAIKU_4_5: Price = price(1_000_000, 5_000_000, 1_250_000, 2_000_000, 100_000);
const FREE: Price = price(0, 0, 0, 0, 0);

const fn price(
    input: u64,
    output: u64,
    cache_write: u64,
    cache_write_1h: u64,
    cache_read: u64,
) -> Price {
    Price {
        input,
        output,
        cache_write,
        cache_write_1h,
        cache_read,
    }
}

/// The price of a model for a prompt of so many tokens; none if the table does not know the model.
#[must_use]
pub fn of(model: &str, prompt: u64) -> Option<Price> {
    match without_date(model) {
        "claude-fable-5-1" => Some(FABLE_5_1),
        "claude-opus-5-5" => Some(OPUS_5_5),
        "claude-sonnet-5-5" => Some(SONNET_5_5),
        "claude-haiku-5-5" if prompt > HAIKU_5_5_TIER => Some(HAIKU_5_5_LONG),
        "claude-haiku-5-5" => Some(HAIKU_5_5),
        "claude-opus-5" | "claude-opus-4-8" | "claude-opus-4-6" => Some(OPUS_5),
        "claude-sonnet-4-6" => Some(SONNET_4_6),
        "claude-haiku-4-5" => Some(HAIKU_4_5),
        demo if demo.starts_with("demo") => Some(FREE),
        _ => None,
    }
}

/// What a call cost, in picodollars. None means unpriced, which is not the same as free.
#[must_use]
pub fn cost(model: &str, usage: &Usage) -> Option<u64> {
    Some(of(model, usage.prompt())?.of_call(usage))
}

impl Price {
    /// What a call cost at this price, in picodollars.
    #[must_use]
    pub fn of_call(&self, usage: &Usage) -> u64 {
        let hour = usage.cache_write_1h.min(usage.cache_write);
        let total = [
            (usage.input, self.input),
            (usage.output, self.output),
            (usage.cache_write - hour, self.cache_write),
            (hour, self.cache_write_1h),
            (usage.cache_read, self.cache_read),
        ]
        .into_iter()
        .map(|(tokens, each)| u128::from(tokens) * u128::from(each))
        .sum::<u128>();
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

/// `claude-haiku-4-5-20251001` is `claude-haiku-4-5` as of a date.
fn without_date(model: &str) -> &str {
    match model.rsplit_once('-') {
        Some((name, date)) if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) => {
            name
        }
        _ => model,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cache_write: u64, cache_read: u64, output: u64) -> Usage {
        Usage {
            input,
            output,
            cache_write,
            cache_read,
            ..Usage::default()
        }
    }

    #[test]
    fn costs_are_those_of_two_independent_price_tables() {
        let call = usage(1200, 3400, 56_000, 789);

        assert_eq!(cost("claude-opus-5-5", &call), Some(48_780_000_000));
        assert_eq!(cost("claude-sonnet-5-5", &call), Some(24_390_000_000));
        assert_eq!(cost("claude-fable-5-1", &call), Some(107_950_000_000));
        assert_eq!(cost("claude-haiku-5-5", &call), Some(1_499_500_000));
        assert_eq!(cost("claude-haiku-4-5", &call), Some(14_995_000_000));
    }

    #[test]
    fn a_long_prompt_raises_the_price_of_the_whole_request() {
        let haiku = |usage| cost("claude-haiku-5-5", &usage);

        assert_eq!(haiku(usage(1000, 3400, 98_000, 789)), Some(9_497_500_000));
        assert_eq!(haiku(usage(100_000, 0, 0, 10)), Some(10_005_000_000));
        assert_eq!(haiku(usage(100_001, 0, 0, 10)), Some(50_025_500_000));
    }

    #[test]
    fn an_unknown_model_is_unpriced_and_the_demonstration_is_free() {
        let call = usage(1, 2, 3, 4);

        assert_eq!(cost("claude-unheard-of", &call), None);
        assert_eq!(cost("demo", &call), Some(0));
    }

    #[test]
    fn a_dated_id_is_priced_like_its_model() {
        let call = usage(1, 2, 3, 4);

        assert_eq!(
            cost("claude-haiku-4-5-20251001", &call),
            cost("claude-haiku-4-5", &call)
        );
    }

    #[test]
    fn a_write_for_an_hour_has_a_price_of_its_own() {
        let call = Usage {
            cache_write: 3,
            cache_write_1h: 2,
            ..Usage::default()
        };

        assert_eq!(
            cost("claude-opus-5-5", &call),
            Some(5_000_000 + 2 * 8_000_000)
        );
    }
}
