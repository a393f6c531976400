//! How much terminal output is on its way to a page that has not drawn it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::sync::Notify;

/// How many bytes may be undrawn. A browser's terminal feels slow above about 500 kB.
const CREDIT: u64 = 512 * 1024;
/// Once so few are undrawn again, a page that was left behind gets a snapshot.
const ENOUGH: u64 = 64 * 1024;

/// One session's terminal output on its way to one page. A page that never says what it has drawn is sent everything.
#[derive(Debug, Default)]
pub(super) struct Flow {
    says: AtomicBool,
    drawn: AtomicU64,
    sent: AtomicU64,
    changed: Notify,
}

impl Flow {
    /// The page has drawn so many bytes since it began to watch.
    pub fn drawn(&self, bytes: u64) {
        self.says.store(true, Ordering::Relaxed);
        self.drawn.fetch_max(bytes, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Whether so many bytes may be sent on; they count as sent then.
    pub fn takes(&self, bytes: usize) -> bool {
        let takes = !self.says.load(Ordering::Relaxed) || self.undrawn() < CREDIT;
        if takes {
            self.sends(bytes);
        }
        takes
    }

    /// So many bytes are sent in any case.
    pub fn sends(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits until the page has drawn nearly everything.
    pub async fn caught_up(&self) {
        while self.undrawn() > ENOUGH {
            self.changed.notified().await;
        }
    }

    fn undrawn(&self) -> u64 {
        let drawn = self.drawn.load(Ordering::Relaxed);
        self.sent.load(Ordering::Relaxed).saturating_sub(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn who_never_says_what_is_drawn_is_sent_everything() {
        let flow = Flow::default();
        assert!((0..100).all(|_| flow.takes(1024 * 1024)));
    }

    #[test]
    fn who_does_not_draw_is_sent_no_more_until_it_has() {
        let flow = Flow::default();
        flow.drawn(0);
        let pieces = (0..100).take_while(|_| flow.takes(64 * 1024)).count();
        assert_eq!(pieces, 8);
        assert_eq!(flow.caught_up().now_or_never(), None);
        flow.drawn(400 * 1024);
        assert_eq!(flow.caught_up().now_or_never(), None);
        flow.drawn(448 * 1024);
        assert_eq!(flow.caught_up().now_or_never(), Some(()));
        assert!(flow.takes(64 * 1024));
    }
}
