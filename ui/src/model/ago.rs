//! Moments and spans of time as people read them.

use duplex_domain::Time;

/// How long ago a moment was.
#[must_use]
pub fn ago(now: Time, then: Time) -> String {
    let seconds = now.since(then) / 1000;
    match seconds {
        0..45 => "just now".to_owned(),
        45..3_600 => format!("{} min ago", (seconds / 60).max(1)),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400..172_800 => "yesterday".to_owned(),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// For how long something still lasts.
#[must_use]
pub fn left(now: Time, until: Time) -> String {
    let seconds = until.since(now) / 1000;
    match seconds {
        0..3_600 => format!("{} min", seconds.div_ceil(60)),
        3_600..172_800 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// How long something took, from milliseconds.
#[must_use]
pub fn took(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..10_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        10_000..60_000 => format!("{} s", milliseconds / 1_000),
        _ => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds / 1_000 % 60
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_from_now() {
        let told = |seconds: i64| ago(Time(seconds * 1000), Time(0));

        assert_eq!(ago(Time(0), Time(9_000)), "just now");
        assert_eq!(told(44), "just now");
        assert_eq!(told(59), "1 min ago");
        assert_eq!(told(3_599), "59 min ago");
        assert_eq!(told(7_200), "2 h ago");
        assert_eq!(told(100_000), "yesterday");
        assert_eq!(told(864_000), "10 days ago");
    }

    #[test]
    fn what_is_left_is_told_in_the_unit_that_fits() {
        let told = |seconds: i64| left(Time(0), Time(seconds * 1000));
        let all = [-5, 61, 3_600, 86_400, 604_800].map(told);
        assert_eq!(all, ["0 min", "2 min", "1 h", "24 h", "7 days"]);
    }

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        assert_eq!(
            [3, 1_250, 42_000, 61_000].map(took),
            ["3 ms", "1.2 s", "42 s", "1 min 1 s"]
        );
    }
}
