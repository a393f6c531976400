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
    fn counts_are_short() {
        let shown: Vec<String> = [0, 999, 1_000, 1_250, 99_900, 123_456, 4_560_000]
            .map(count)
            .into();

        assert_eq!(shown, ["0", "999", "1k", "1.2k", "99.9k", "123k", "4.5M"]);
    }
}
