//! Many durations, and how they are spread.

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Durations up to a minute, kept to a microsecond and three digits.
pub struct Percentiles {
    histogram: Histogram<u64>,
}

/// How durations are spread, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half were shorter.
    pub p50: f64,
    /// Nine in ten were shorter.
    pub p90: f64,
    /// All but one in a hundred were shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    /// No durations yet.
    ///
    /// # Errors
    /// Never with these bounds; the histogram checks them at run time.
    pub fn new() -> anyhow::Result<Self> {
        let histogram = Histogram::new_with_bounds(1, 60_000_000, 3);
        let histogram = histogram.context("a histogram of a minute cannot be made")?;
        Ok(Self { histogram })
    }

    /// The durations of a list.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(durations: &[Duration]) -> anyhow::Result<Self> {
        let mut all = Self::new()?;
        for duration in durations {
            all.record(*duration);
        }
        Ok(all)
    }

    /// Takes one in; over a minute counts as a minute.
    pub fn record(&mut self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.histogram.saturating_record(microseconds.max(1));
    }

    /// Takes others in.
    ///
    /// # Errors
    /// Never: all have the same bounds.
    pub fn add(&mut self, others: &Self) -> anyhow::Result<()> {
        let added = self.histogram.add(&others.histogram);
        added.context("histograms of different bounds do not add up")
    }

    /// How many were taken in.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// How they are spread.
    #[must_use]
    pub fn spread(&self) -> Spread {
        let at = |quantile| milliseconds(self.histogram.value_at_quantile(quantile));
        Spread {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: milliseconds(self.histogram.max()),
        }
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    Duration::from_micros(microseconds).as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_spread_is_in_milliseconds() {
        let durations: Vec<_> = (1..=1000).map(Duration::from_micros).collect();
        let (low, high) = durations.split_at(500);
        let mut all = Percentiles::of(low).unwrap();
        all.add(&Percentiles::of(high).unwrap()).unwrap();

        let expected = Spread {
            p50: 0.5,
            p90: 0.9,
            p99: 0.99,
            max: 1.0,
        };
        assert_eq!((all.count(), all.spread()), (1000, expected));
    }

    #[test]
    fn more_than_a_minute_is_a_minute() {
        let all = Percentiles::of(&[Duration::from_mins(10)]).unwrap();

        assert!((all.spread().max - 60_000.0).abs() < 60.0);
    }
}
