//! What everybody sees of a session: its state and its transcript, folded together.

use crate::{Recorded, Session, SessionId, Transcript};
use serde::{Deserialize, Serialize};

/// A session as it stands after its frames up to `session.seq`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// What is true now.
    pub session: Session,
    /// What was said and done; the newest part of it, where it is long.
    pub transcript: Transcript,
}

impl Picture {
    /// A session of which nothing is known yet.
    #[must_use]
    pub fn new(id: SessionId) -> Self {
        Self {
            session: Session::new(id),
            transcript: Transcript::default(),
        }
    }

    /// Takes in a frame. A frame that is already in changes nothing.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.session.seq {
            return;
        }
        for (place, envelope) in recorded.places() {
            self.transcript.apply(&self.session, place, envelope);
            self.session.apply_event(envelope);
        }
        self.session.passed(recorded);
    }
}
