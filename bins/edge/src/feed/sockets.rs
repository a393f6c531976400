//! The sockets that are open.

use crate::client::Client;
use crate::crowd::{Crowd, Place};
use crate::network::Network;
use duplex_domain::UserId;
use duplex_readmodel::AccountChange;
use duplex_wire::Close;
use metrics::gauge;
use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;

/// How many sockets each person and each network has, and word of whose rights may have changed.
pub(crate) struct Sockets {
    people: Crowd<UserId>,
    networks: Crowd<Network>,
    news: broadcast::Sender<AccountChange>,
    /// All sockets being served, goodbyes included.
    pub served: TaskTracker,
}

impl Sockets {
    /// None yet, and at most so many for each person and from each network.
    pub fn new(per_person: usize, per_network: usize) -> Self {
        Self {
            people: Crowd::new(per_person),
            networks: Crowd::new(per_network),
            news: broadcast::Sender::new(256),
            served: TaskTracker::new(),
        }
    }

    /// A place for one more socket of a person.
    pub fn seat(&self, user: UserId, client: Client) -> Result<Seat, Close> {
        let own = self.people.enter(user).ok_or(Close::TooMany)?;
        let near = self.networks.enter(client.network());
        let near = near.ok_or(Close::TooMany)?;
        gauge!("duplex_edge_sockets").increment(1.0);
        Ok(Seat {
            _places: (own, near),
        })
    }

    /// Has it looked whether a person's sockets may stay.
    pub fn changed(&self, person: UserId) {
        self.heard(AccountChange::Of(person));
    }

    /// Has it looked whether sockets may stay, of whomever a change is about.
    pub fn heard(&self, change: AccountChange) {
        // Without sockets nobody listens.
        let _ = self.news.send(change);
    }

    pub fn news(&self) -> broadcast::Receiver<AccountChange> {
        self.news.subscribe()
    }
}

/// A socket's place; free again once dropped.
pub(crate) struct Seat {
    _places: (Place<UserId>, Place<Network>),
}

impl Drop for Seat {
    fn drop(&mut self) {
        gauge!("duplex_edge_sockets").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use uuid::Uuid;

    fn from(address: &str) -> Client {
        Client {
            address: address.parse().unwrap(),
            encrypted: true,
        }
    }

    #[test]
    fn a_person_and_a_network_have_so_many_seats_and_get_them_back() {
        let sockets = Sockets::new(2, 3);
        let [ada, bob] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let seat = |user, address| sockets.seat(user, from(address));
        let hers = [seat(ada, "10.0.0.1"), seat(ada, "10.0.0.2")];
        assert!(hers.iter().all(Result::is_ok));
        assert!(matches!(seat(ada, "10.0.1.1"), Err(Close::TooMany)));
        let his = seat(bob, "10.0.0.3");
        assert!(his.is_ok());
        assert!(matches!(seat(bob, "10.0.0.4"), Err(Close::TooMany)));
        assert!(seat(bob, "10.0.1.4").is_ok());
        drop((hers, his));
        assert!(seat(ada, "10.0.0.4").is_ok());
    }
}
