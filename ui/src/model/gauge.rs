//! How far something is used up: a model's window, a budget.

/// How loudly that has to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// There is room.
    Quiet,
    /// From 60 % on.
    Told,
    /// From 80 % on.
    Warning,
    /// Nothing is left.
    Full,
}

impl Loudness {
    /// The word for it in the style sheet.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Told => "told",
            Self::Warning => "warning",
            Self::Full => "full",
        }
    }
}

/// How many percent are used, rounded down, and how loudly to say so. Nothing of nothing is all of it.
#[must_use]
pub fn gauge(used: u64, most: u64) -> (u64, Loudness) {
    let percent = (u128::from(used) * 100)
        .checked_div(u128::from(most))
        .unwrap_or(100);
    let loudness = match percent {
        0..60 => Loudness::Quiet,
        60..80 => Loudness::Told,
        80..100 => Loudness::Warning,
        _ => Loudness::Full,
    };
    (u64::try_from(percent).unwrap_or(u64::MAX), loudness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_speaks_up_at_three_and_at_four_fifths() {
        assert_eq!(gauge(0, 200_000), (0, Loudness::Quiet));
        assert_eq!(gauge(119_999, 200_000), (59, Loudness::Quiet));
        assert_eq!(gauge(120_000, 200_000), (60, Loudness::Told));
        assert_eq!(gauge(160_000, 200_000), (80, Loudness::Warning));
        assert_eq!(gauge(200_000, 200_000), (100, Loudness::Full));
        assert_eq!(gauge(0, 0), (100, Loudness::Full));
        assert_eq!(gauge(u64::MAX, 1), (u64::MAX, Loudness::Full));
    }
}
