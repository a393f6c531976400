//! The sessions that a projection keeps folded in memory: those touched last.

use crate::spent::Payer;
use duplex_domain::{Picture, SessionId};
use std::collections::HashMap;

/// How many sessions one shard's projection keeps.
const SESSIONS: usize = 64;
/// How many items of each it keeps, besides those that may still change.
pub(crate) const ITEMS: usize = 32;

/// A session as it is folded here.
#[derive(Debug)]
pub(crate) struct Folded {
    /// Its state and items.
    pub picture: Picture,
    /// On whose behalf its model is called.
    pub payer: Payer,
}

impl Folded {
    /// A session of which nothing is known yet.
    pub fn new(session: SessionId) -> Self {
        Self {
            picture: Picture::new(session),
            payer: Payer::default(),
        }
    }
}

/// The pictures touched last.
#[derive(Default)]
pub(crate) struct Pictures {
    /// Each with the batch that touched it last.
    kept: HashMap<SessionId, (u64, Folded)>,
    batch: u64,
}

impl Pictures {
    pub fn has(&self, session: SessionId) -> bool {
        self.kept.contains_key(&session)
    }

    pub fn put(&mut self, folded: Folded) {
        let id = folded.picture.session.id;
        self.kept.insert(id, (self.batch, folded));
    }

    pub fn get(&self, session: SessionId) -> Option<&Folded> {
        self.kept.get(&session).map(|(_, folded)| folded)
    }

    /// What to fold into; an empty picture of a session never seen.
    pub fn touch(&mut self, session: SessionId) -> &mut Folded {
        let fresh = || (0, Folded::new(session));
        let (touched, folded) = self.kept.entry(session).or_insert_with(fresh);
        *touched = self.batch;
        folded
    }

    /// Ends a batch: lets go of what is old, in each session and among the sessions.
    pub fn trim(&mut self) {
        let batch = self.batch;
        for (touched, folded) in self.kept.values_mut() {
            if *touched == batch {
                folded.picture.transcript.keep_newest(ITEMS);
            }
        }
        self.batch += 1;
        if self.kept.len() > SESSIONS {
            self.keep_newest_sessions();
        }
    }

    pub fn clear(&mut self) {
        self.kept.clear();
    }

    fn keep_newest_sessions(&mut self) {
        let mut ages: Vec<_> = self.kept.iter().map(|(id, (at, _))| (*at, *id)).collect();
        ages.sort_unstable();
        for (_, id) in ages.iter().take(self.kept.len() - SESSIONS) {
            self.kept.remove(id);
        }
    }
}
