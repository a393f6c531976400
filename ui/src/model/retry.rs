//! When to try again.

/// The first wait, in milliseconds.
const FIRST: u32 = 500;
/// The longest wait, in milliseconds.
const LONGEST: u32 = 15_000;

/// How long to wait before another attempt, in milliseconds: doubling from half a second to fifteen, and spread by
/// `chance` (0 to 1) over the upper half, so that many pages do not come back at once.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between zero and the longest wait"
)]
pub fn wait(attempt: u32, chance: f64) -> u32 {
    let full = FIRST.saturating_mul(1 << attempt.min(6)).min(LONGEST);
    let half = f64::from(full) / 2.0;
    (half + half * chance.clamp(0.0, 1.0)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_fifteen_seconds() {
        let longest: Vec<u32> = (0..8).map(|attempt| wait(attempt, 1.0)).collect();

        assert_eq!(
            longest,
            [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
        );
        assert_eq!(wait(3, 0.0), 2_000);
        assert_eq!(wait(u32::MAX, 0.5), 11_250);
    }
}
