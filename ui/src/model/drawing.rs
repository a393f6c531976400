//! How much terminal output this page has drawn, and when the server is told.

/// How much more has to be drawn before the server hears of it; far less than it waits for.
const TELL_AFTER: u64 = 32 * 1024;

/// Bytes drawn since the session was last watched.
#[derive(Default)]
pub struct Drawing {
    drawn: u64,
    told: u64,
}

impl Drawing {
    /// The session is watched anew: both ends count from nothing.
    pub fn begin(&mut self) {
        *self = Self::default();
    }

    /// So much more is drawn. Answers the sum, if the server shall be told.
    pub fn more(&mut self, bytes: u64) -> Option<u64> {
        self.drawn += bytes;
        if self.drawn - self.told < TELL_AFTER {
            return None;
        }
        self.told = self.drawn;
        Some(self.drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_of_the_sum_now_and_then() {
        let mut drawing = Drawing::default();
        assert_eq!(drawing.more(30_000), None);
        assert_eq!(drawing.more(30_000), Some(60_000));
        assert_eq!(drawing.more(10), None);
        drawing.begin();
        assert_eq!(drawing.more(40_000), Some(40_000));
    }
}
