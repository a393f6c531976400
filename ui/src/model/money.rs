//! Money and counts as people read them.

use duplex_domain::Cost;

/// Picodollars in a dollar.
const DOLLAR: u64 = 1_000_000_000_000;

/// A cost, to the last digit: `$0.0123`, at least two decimals.
#[must_use]
pub fn exact(cost: &Cost) -> String {
    let decimals = format!("{:012}", cost.pico % DOLLAR);
    let digits = decimals.trim_end_matches('0').len().max(2);
    let priced = format!("${}.{}", cost.pico / DOLLAR, &decimals[..digits]);
    match cost.unpriced {
        0 => priced,
        _ if cost.pico == 0 => "unpriced".to_owned(),
        _ => format!("{priced} + unpriced"),
    }
}

/// A cost at a glance: `$0.0123`, four decimals at most and rounded down; what is less is not shown as nothing.
#[must_use]
pub fn short(cost: &Cost) -> String {
    /// The last of four decimals.
    const LEAST: u64 = DOLLAR / 10_000;
    if cost.unpriced > 0 || cost.pico == 0 {
        return exact(cost);
    }
    match cost.pico / LEAST * LEAST {
        0 => "< $0.0001".to_owned(),
        pico => dollars(pico),
    }
}

/// Picodollars, to the last digit.
#[must_use]
pub fn dollars(pico: u64) -> String {
    exact(&Cost { pico, unpriced: 0 })
}

/// What a person wrote as an amount of dollars, in picodollars; none if it is no such amount.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix('$').unwrap_or(text).trim_start();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + decimals.len() == 0 || decimals.len() > 12 {
        return None;
    }
    if !digits(whole) || !digits(decimals) {
        return None;
    }
    let number = |part: &str| {
        if part.is_empty() {
            Some(0)
        } else {
            part.parse::<u64>().ok()
        }
    };
    let pico = number(&format!("{decimals:0<12}"))?;
    number(whole)?.checked_mul(DOLLAR)?.checked_add(pico)
}

/// What a million tokens cost, from picodollars a token.
#[must_use]
pub fn per_million(pico: u64) -> String {
    dollars(pico.saturating_mul(1_000_000))
}

/// A count, short: `950`, `12.3k`, `4.5M`.
#[must_use]
pub fn count(number: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let tenths = number / (unit / 10);
        if tenths < 1000 && !tenths.is_multiple_of(10) {
            format!("{}.{}{name}", tenths / 10, tenths % 10)
        } else {
            format!("{}{name}", tenths / 10)
        }
    };
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        _ => scaled(1_000_000, "M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(pico: u64, unpriced: u32) -> String {
        exact(&Cost { pico, unpriced })
    }

    #[test]
    fn a_cost_is_shown_to_its_last_digit() {
        assert_eq!(cost(0, 0), "$0.00");
        assert_eq!(cost(12_340_000_000, 0), "$0.01234");
        assert_eq!(cost(1, 0), "$0.000000000001");
        assert_eq!(cost(3_500_000_000_000, 0), "$3.50");
    }

    #[test]
    fn what_has_no_price_is_never_shown_as_free() {
        assert_eq!(cost(0, 2), "unpriced");
        assert_eq!(cost(DOLLAR, 1), "$1.00 + unpriced");
    }

    #[test]
    fn a_glance_shows_four_decimals_but_never_nothing_for_something() {
        let glance = |pico, unpriced| short(&Cost { pico, unpriced });

        assert_eq!(glance(0, 0), "$0.00");
        assert_eq!(glance(1, 0), "< $0.0001");
        assert_eq!(glance(12_399_999_999, 0), "$0.0123");
        assert_eq!(glance(3_000_000_000_001, 0), "$3.00");
        assert_eq!(glance(0, 1), "unpriced");
    }

    #[test]
    fn written_amounts_are_read_to_the_last_digit() {
        assert_eq!(parse("1.5"), Some(1_500_000_000_000));
        assert_eq!(parse(" $ .000000000001 "), Some(1));
        assert_eq!(parse("5."), Some(5 * DOLLAR));
        assert_eq!(parse("18446744.073709551615"), Some(u64::MAX));
        for wrong in [
            "",
            ".",
            "$",
            "-1",
            "1,50",
            "1e3",
            "+1",
            "0.0000000000001",
            "18446744.073709551616",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn token_prices_are_told_by_the_million() {
        assert_eq!(per_million(2_000_000), "$2.00");
        assert_eq!(per_million(10_000), "$0.01");
    }

    #[test]
    fn counts_are_short() {
        let shown: Vec<String> = [0, 999, 1_000, 1_250, 99_900, 123_456, 4_560_000]
            .map(count)
            .into();

        assert_eq!(shown, ["0", "999", "1k", "1.2k", "99.9k", "123k", "4.5M"]);
    }
}
