//! What model calls cost, and who asked for them.

use crate::row::without_nul;
use duplex_domain::{
    Again, Envelope, Event, MessageId, Place, Recorded, Session, Time, Usage, UserId, Writer,
};
use serde::{Deserialize, Serialize};

/// One model call that was paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// The event that says so.
    pub place: Place,
    /// Who asked for the turn: its first message's author, or who asked for one more; none if nobody is known.
    pub person: Option<UserId>,
    /// The model called.
    pub model: String,
    /// When.
    pub at: Time,
    /// Tokens used.
    pub usage: Usage,
    /// Picodollars; none if the model has no price.
    pub pico: Option<u64>,
}

/// On whose behalf a session's model is called. The session's state forgets who wrote a message once a turn has
/// taken it up, so this is kept beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payer {
    /// Who asked for the newest turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<UserId>,
    /// Who last asked for the conversation to be summed up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compaction: Option<UserId>,
}

/// Who asks for what in a session as it stands before a turn begins.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    authors: Vec<(MessageId, UserId)>,
    again: Option<UserId>,
}

impl Asking {
    /// Who asks; of interest only if the frame that comes next starts a turn.
    pub fn before(session: &Session, recorded: &Recorded) -> Self {
        let starts = |envelope: &Envelope| matches!(envelope.event, Event::TurnStarted { .. });
        if !recorded.events.iter().any(starts) {
            return Self::default();
        }
        let queue = session.queue.iter();
        Self {
            authors: queue.map(|queued| (queued.id, queued.by)).collect(),
            again: session.again_by,
        }
    }

    fn author(&self, message: MessageId) -> Option<UserId> {
        let mut authors = self.authors.iter();
        authors.find_map(|(id, by)| (*id == message).then_some(*by))
    }
}

impl Payer {
    /// Takes a frame in and gives the calls it says were paid for. `session` is the state after the frame.
    pub fn take(&mut self, asking: &Asking, session: &Session, recorded: &Recorded) -> Vec<Spent> {
        let mut calls = Vec::new();
        for (place, envelope) in recorded.places() {
            if session.heeds(envelope) {
                self.take_event(asking, place, envelope, &mut calls);
            }
        }
        calls
    }

    fn take_event(
        &mut self,
        asking: &Asking,
        place: Place,
        envelope: &Envelope,
        calls: &mut Vec<Spent>,
    ) {
        match &envelope.event {
            Event::CompactionRequested {} => {
                if let Writer::User(user) = envelope.by {
                    self.compaction = Some(user);
                }
            }
            Event::TurnStarted {
                messages, again, ..
            } => self.turn = self.asks(asking, messages, *again),
            Event::UsageRecorded {
                model, usage, pico, ..
            } => calls.push(Spent {
                place,
                person: self.turn,
                model: without_nul(model).into_owned(),
                at: envelope.at,
                usage: *usage,
                pico: *pico,
            }),
            _ => {}
        }
    }

    /// Who asks for a turn that begins.
    fn asks(
        &self,
        asking: &Asking,
        messages: &[MessageId],
        again: Option<Again>,
    ) -> Option<UserId> {
        match (messages.first(), again) {
            (Some(first), _) => asking.author(*first),
            (None, Some(_)) => asking.again,
            (None, None) => self.compaction,
        }
    }
}
