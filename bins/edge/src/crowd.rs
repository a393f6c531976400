//! How many of something each one has open at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A count for each one, and the most that it may be.
#[derive(Debug)]
pub(crate) struct Crowd<K> {
    most: usize,
    inside: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Copy + Eq + Hash> Crowd<K> {
    /// Nobody yet.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            inside: Arc::default(),
        }
    }

    /// A place, if there is one left.
    pub fn enter(&self, who: K) -> Option<Place<K>> {
        let mut inside = locked(&self.inside);
        let count = inside.get(&who).copied().unwrap_or(0);
        if count >= self.most {
            return None;
        }
        inside.insert(who, count + 1);
        Some(Place {
            inside: self.inside.clone(),
            who,
        })
    }
}

/// A place; free again once dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Copy + Eq + Hash> {
    inside: Arc<Mutex<HashMap<K, usize>>>,
    who: K,
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut inside = locked(&self.inside);
        if let Some(count) = inside.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.who);
            }
        }
    }
}

fn locked<K>(inside: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn each_has_so_many_places_and_gets_them_back() {
        let crowd = Crowd::new(3);
        let places: Vec<Place<u8>> = (0..3).map(|_| crowd.enter(1).unwrap()).collect();
        assert!(crowd.enter(1).is_none());
        assert!(crowd.enter(2).is_some());
        drop(places);
        assert!(crowd.enter(1).is_some());
        assert!(crowd.inside.lock().unwrap().is_empty());
    }
}
