//! The sockets that are open.

use crate::signed_in::Credential;
use duplex_domain::UserId;
use duplex_wire::Close;
use metrics::gauge;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;

/// How many sockets each person has, and word of who signs out.
pub(crate) struct Sockets {
    /// How many sockets a person may have.
    most: usize,
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    signed_out: broadcast::Sender<Credential>,
    /// All sockets being served, goodbyes included.
    pub served: TaskTracker,
}

impl Sockets {
    /// None yet, and at most so many for each person.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            open: Arc::default(),
            signed_out: broadcast::Sender::new(64),
            served: TaskTracker::new(),
        }
    }

    /// A place for one more socket of a person.
    pub fn seat(&self, user: UserId) -> Result<Seat, Close> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_default();
        if *count >= self.most {
            return Err(Close::TooMany);
        }
        *count += 1;
        gauge!("duplex_edge_sockets").increment(1.0);
        Ok(Seat {
            open: self.open.clone(),
            user,
        })
    }

    /// Closes the sockets that were opened with a credential.
    pub fn sign_out(&self, by: &Credential) {
        // Without sockets nobody listens.
        let _ = self.signed_out.send(by.clone());
    }

    pub fn signed_out(&self) -> broadcast::Receiver<Credential> {
        self.signed_out.subscribe()
    }
}

/// A socket's place; free again once dropped.
pub(crate) struct Seat {
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
        gauge!("duplex_edge_sockets").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_person_has_so_many_seats_and_gets_them_back() {
        let sockets = Sockets::new(3);
        let ada = UserId::default();
        let seats: Vec<Seat> = (0..3).map(|_| sockets.seat(ada).ok().unwrap()).collect();
        assert!(matches!(sockets.seat(ada), Err(Close::TooMany)));
        drop(seats);
        assert!(sockets.seat(ada).is_ok());
        assert!(sockets.open.lock().unwrap().is_empty());
    }
}
