//! How far a turn may go.

use std::time::Duration;

/// How far one turn may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnLimits {
    /// How many model calls it may make.
    pub steps: u32,
    /// How long it may run; waiting for people does not count.
    pub time: Duration,
    /// Picodollars it may cost; none for no limit but the session's.
    pub pico: Option<u64>,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            steps: 100,
            time: Duration::from_hours(2),
            pico: None,
        }
    }
}
