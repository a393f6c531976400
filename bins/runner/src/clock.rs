//! The one place that asks what time it is.

use duplex_domain::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by this machine's clock.
#[must_use]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Time(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Year, month and day by UTC.
#[must_use]
pub fn date(at: Time) -> (i64, i64, i64) {
    civil(at.0.div_euclid(86_400_000))
}

/// The day of the Gregorian calendar, from days since 1970-01-01. Source: Howard Hinnant, "chrono-compatible low-level
/// date algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}
