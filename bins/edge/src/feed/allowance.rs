//! How many messages a page may send.

use std::time::Duration;
use tokio::time::Instant;

/// How many messages may come at once.
const BURST: u32 = 256;
/// In which time one more message is allowed: 64 a second.
const EACH: Duration = Duration::from_micros(15_625);
/// How many messages over the limit, one after the other, close the socket.
const PATIENCE: u32 = 4 * BURST;

/// A bucket that a message takes from and time fills.
pub(super) struct Allowance {
    left: u32,
    /// Until when the bucket's filling has been counted.
    filled: Instant,
    over: u32,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Within the limit.
    Fine,
    /// Over the limit; it is refused.
    Over,
    /// So far over the limit that the socket is closed.
    Enough,
}

impl Allowance {
    pub fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            filled: now,
            over: 0,
        }
    }

    pub fn take(&mut self, now: Instant) -> Verdict {
        self.fill(now);
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            self.over = 0;
            return Verdict::Fine;
        }
        self.over += 1;
        if self.over > PATIENCE {
            Verdict::Enough
        } else {
            Verdict::Over
        }
    }

    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.filled);
        let more = u32::try_from(since.as_micros() / EACH.as_micros())
            .unwrap_or(BURST)
            .min(BURST);
        self.filled = if more == BURST {
            now
        } else {
            self.filled + EACH * more
        };
        self.left = (self.left + more).min(BURST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_so_many_a_second() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let burst = (0..BURST)
            .filter(|_| allowance.take(start) == Verdict::Fine)
            .count();
        assert_eq!(burst, 256);
        assert_eq!(allowance.take(start), Verdict::Over);

        let later = start + Duration::from_secs(1);
        let second = (0..BURST)
            .filter(|_| allowance.take(later) == Verdict::Fine)
            .count();
        assert_eq!(second, 64);
    }

    #[test]
    fn who_never_stops_is_closed() {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        let verdicts: Vec<Verdict> = (0..=BURST + PATIENCE)
            .map(|_| allowance.take(now))
            .collect();
        let enough = verdicts
            .iter()
            .position(|verdict| *verdict == Verdict::Enough);
        assert_eq!(
            enough,
            Some(usize::try_from(BURST + PATIENCE).unwrap_or_default())
        );
    }
}
