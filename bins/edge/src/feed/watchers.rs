//! Who watches which session at this edge: never in the log, and gone with their sockets.

use duplex_domain::{SessionId, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

type Crowds = Arc<Mutex<HashMap<SessionId, Crowd>>>;

/// Everybody who watches something.
#[derive(Default)]
pub(crate) struct Watchers {
    crowds: Crowds,
}

/// Who watches one session, and on how many pages.
#[derive(Default)]
struct Crowd {
    pages: BTreeMap<UserId, usize>,
    told: watch::Sender<Vec<UserId>>,
}

impl Crowd {
    /// Tells everybody who is here, if that changed.
    fn tell(&self) {
        let people: Vec<UserId> = self.pages.keys().copied().collect();
        self.told.send_if_modified(|told| {
            let changed = *told != people;
            *told = people;
            changed
        });
    }
}

/// A place among those who watch a session; left when dropped.
pub(super) struct Place {
    crowds: Crowds,
    session: SessionId,
    user: UserId,
    told: watch::Receiver<Vec<UserId>>,
}

impl Watchers {
    /// One more page of a person watches a session.
    pub(super) fn join(&self, session: SessionId, user: UserId) -> Place {
        let mut crowds = self.crowds.lock().unwrap_or_else(PoisonError::into_inner);
        let crowd = crowds.entry(session).or_default();
        *crowd.pages.entry(user).or_default() += 1;
        crowd.tell();
        let mut told = crowd.told.subscribe();
        told.mark_changed();
        Place {
            crowds: self.crowds.clone(),
            session,
            user,
            told,
        }
    }
}

impl Place {
    /// Who watches, at once and then whenever it changes.
    pub async fn people(&mut self) -> Vec<UserId> {
        // A crowd lives as long as anybody is in it.
        let _ = self.told.changed().await;
        self.told.borrow_and_update().clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowds = self.crowds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(crowd) = crowds.get_mut(&self.session) else {
            return;
        };
        if let Some(pages) = crowd.pages.get_mut(&self.user) {
            *pages -= 1;
            if *pages == 0 {
                crowd.pages.remove(&self.user);
            }
        }
        crowd.tell();
        if crowd.pages.is_empty() {
            crowds.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use futures_util::FutureExt;
    use uuid::Uuid;

    const ADA: UserId = UserId(Uuid::from_u128(1));
    const BOB: UserId = UserId(Uuid::from_u128(2));

    #[test]
    fn everybody_hears_who_comes_and_who_goes() {
        let (watchers, session) = (Watchers::default(), SessionId::default());
        let mut ada = watchers.join(session, ADA);
        assert_eq!(ada.people().now_or_never().unwrap(), [ADA]);

        let bob = watchers.join(session, BOB);
        let bob_again = watchers.join(session, BOB);
        assert_eq!(ada.people().now_or_never().unwrap(), [ADA, BOB]);
        drop(bob);
        assert_eq!(ada.people().now_or_never(), None);
        drop(bob_again);
        assert_eq!(ada.people().now_or_never().unwrap(), [ADA]);

        let other = SessionId(Uuid::from_u128(9));
        drop(watchers.join(other, BOB));
        assert_eq!(ada.people().now_or_never(), None);
        drop(ada);
        assert!(watchers.crowds.lock().unwrap().is_empty());
    }
}
