//! Messages on their way: nothing typed is lost before the log has it.

use duplex_domain::{Delivery, Picture, SessionId};
use serde::{Deserialize, Serialize};

/// Messages that the log does not have yet, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The messages.
    pub messages: Vec<Outgoing>,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The command's id, and so the message's: sent twice, it is one message.
    pub id: String,
    /// The session it is for.
    pub session: SessionId,
    /// What it says.
    pub text: String,
    /// When the agent shall read it.
    #[serde(default)]
    pub delivery: Delivery,
    /// How far it is.
    pub state: Progress,
}

/// How far a message is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It waits for a connection.
    Waiting,
    /// It was sent; whether it arrived is not known.
    Sent,
    /// It was refused, for the reason given.
    Failed(String),
}

impl Outbox {
    /// Puts a message in.
    pub fn push(&mut self, id: String, session: SessionId, text: String, delivery: Delivery) {
        let state = Progress::Waiting;
        self.messages.push(Outgoing {
            id,
            session,
            text,
            delivery,
            state,
        });
    }

    /// Those messages that are for a session.
    #[must_use]
    pub fn of(messages: &[Outgoing], session: SessionId) -> Vec<Outgoing> {
        let of = messages.iter().filter(|message| message.session == session);
        of.cloned().collect()
    }

    /// The connection is gone: what was sent may not have arrived.
    pub fn disconnected(&mut self) {
        for message in &mut self.messages {
            if message.state == Progress::Sent {
                message.state = Progress::Waiting;
            }
        }
    }

    /// Marks a message as sent.
    pub fn sent(&mut self, id: &str) {
        self.set(id, Progress::Sent);
    }

    /// Marks a message as refused. False if it is none of ours.
    pub fn failed(&mut self, id: &str, why: &str) -> bool {
        self.set(id, Progress::Failed(why.to_owned()))
    }

    /// Tries a refused message again.
    pub fn again(&mut self, id: &str) {
        self.set(id, Progress::Waiting);
    }

    /// Takes a message out, to be thrown away or written anew.
    pub fn take(&mut self, id: &str) -> Option<Outgoing> {
        let at = self.messages.iter().position(|message| message.id == id)?;
        Some(self.messages.remove(at))
    }

    /// Forgets what the log has. True if that was something.
    pub fn settle(&mut self, picture: &Picture) -> bool {
        let before = self.messages.len();
        let posted = &picture.session.posted;
        self.messages.retain(|message| {
            let here = message.session == picture.session.id;
            let arrived = message.id.parse().is_ok_and(|id| posted.contains(&id));
            !(here && arrived)
        });
        self.messages.len() != before
    }

    fn set(&mut self, id: &str, state: Progress) -> bool {
        let message = self.messages.iter_mut().find(|message| message.id == id);
        let found = message.is_some();
        if let Some(message) = message {
            message.state = state;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const ID: &str = "0197f0000000700080000000000000aa";

    fn outbox() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.push(
            ID.to_owned(),
            SessionId::default(),
            "hello".to_owned(),
            Delivery::Queue,
        );
        outbox
    }

    #[test]
    fn a_message_leaves_only_when_the_log_has_it() {
        let mut outbox = outbox();
        let mut picture = Picture::new(SessionId::default());
        outbox.sent(ID);

        assert!(!outbox.settle(&picture));
        outbox.disconnected();
        assert_eq!(outbox.messages[0].state, Progress::Waiting);

        picture.session.posted.push_back(ID.parse().unwrap());
        assert!(outbox.settle(&picture));
        assert_eq!(outbox, Outbox::default());
    }

    #[test]
    fn a_refused_message_stays_until_it_is_sent_again_or_taken_out() {
        let mut outbox = outbox();

        assert!(outbox.failed(ID, "the queue is full"));
        assert!(!outbox.failed("another", "why"));
        outbox.disconnected();
        assert_eq!(
            outbox.messages[0].state,
            Progress::Failed("the queue is full".to_owned())
        );
        outbox.again(ID);
        assert_eq!(
            Outbox::of(&outbox.messages, SessionId::default())[0].state,
            Progress::Waiting
        );
        assert_eq!(outbox.take(ID).unwrap().text, "hello");
    }
}
