//! The one place that asks what time it is.

use duplex_domain::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by this machine's clock.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Time(i64::try_from(millis).unwrap_or(i64::MAX))
}
