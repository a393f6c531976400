//! What the page wants of the server.

use super::{Feed, Msg, OUTBOX, READING};
use crate::interop::dom;
use crate::net::link::Link;
use crate::net::seen::Seen;
use dioxus::prelude::*;
use duplex_domain::{Command, Delivery, Item, Seq, SessionId};
use duplex_wire::{Here, Up};

impl Feed {
    pub(super) fn watch(&mut self, session: SessionId) {
        if !self.watches(session) {
            self.seen = Some(Seen::new(session));
            self.clear_terminals();
            let mut missing = self.shared.missing;
            missing.set(None);
            self.shared.company.leave();
            self.known.here = None;
            self.known.read = Seq(0);
            self.resume();
        }
        self.dirty();
    }

    pub(super) fn unwatch(&mut self, session: SessionId) {
        if self.watches(session) {
            self.seen = None;
            self.send(&Up::Unwatch { session });
            self.dirty();
        }
    }

    /// Watches from where the picture ends.
    pub(super) fn resume(&mut self) {
        if !self.welcome {
            return;
        }
        let seen = self.seen.as_ref().map(|seen| (seen.id(), seen.cursor()));
        match seen {
            Some((session, cursor)) => {
                self.link(Link::CatchingUp);
                self.send_watch(session, cursor);
            }
            None => self.link(Link::Live),
        }
    }

    /// Watches from here on; both ends count anew what is drawn.
    pub(super) fn send_watch(&mut self, session: SessionId, after: Option<Seq>) {
        self.drawing.begin();
        if let Some(seen) = &mut self.seen {
            seen.ask_anew();
        }
        self.send(&Up::Watch { session, after });
        self.send(&Up::Drawn { session, bytes: 0 });
        if let Some(here) = self.known.here {
            self.send(&Up::Presence { session, here });
        }
    }

    /// Tells the others where the person at this page is; while they type, again and again.
    pub(super) fn tell(&mut self, session: SessionId, here: Here) {
        if self.watches(session) && self.known.here != Some(here) {
            self.known.here = Some(here);
            self.send(&Up::Presence { session, here });
        }
    }

    pub(super) fn tell_again(&mut self) {
        let session = self.seen.as_ref().map(Seen::id);
        if let (Some(session), Some(here)) = (session, self.known.here.filter(|here| here.typing)) {
            self.send(&Up::Presence { session, here });
        }
    }

    /// The person has seen everything up to here. Not said for each frame of a stream.
    pub(super) fn has_read(&mut self, session: SessionId, seq: Seq) {
        if !self.watches(session) || seq <= self.known.read {
            return;
        }
        self.known.read = seq;
        if !self.known.reading {
            self.known.reading = true;
            self.later(READING, Msg::TellRead);
        }
    }

    pub(super) fn tell_read(&mut self) {
        self.known.reading = false;
        if let Some(session) = self.seen.as_ref().map(Seen::id) {
            let seq = self.known.read;
            self.send(&Up::Read { session, seq });
        }
    }

    pub(super) fn command(&self, session: SessionId, command: Command) -> bool {
        let id = dom::new_id();
        self.send(&Up::Command {
            id,
            session,
            command,
        })
    }

    pub(super) fn post(&mut self, session: SessionId, text: String, delivery: Delivery) {
        self.outbox.push(dom::new_id(), session, text, delivery);
        self.flush();
    }

    /// Sends what waits, if it can be sent.
    pub(super) fn flush(&mut self) {
        use crate::model::outbox::Progress;
        for message in self.outbox.messages.clone() {
            if message.state != Progress::Waiting {
                continue;
            }
            let (session, text) = (message.session, message.text);
            let delivery = message.delivery;
            let command = Command::PostMessage { text, delivery };
            let id = message.id.clone();
            if self.send(&Up::Command {
                id,
                session,
                command,
            }) {
                self.outbox.sent(&message.id);
            }
        }
        self.keep_outbox();
    }

    pub(super) fn keep_outbox(&mut self) {
        let empty = self.outbox.messages.is_empty();
        let text = serde_json::to_string(&self.outbox).ok();
        dom::store(OUTBOX, text.filter(|_| !empty));
        self.dirty();
    }

    pub(super) fn interrupt(&self, session: SessionId) {
        let shared = self.shared;
        if !self.command(session, Command::Interrupt { turn: None }) {
            shared.please(session, Command::Interrupt { turn: None });
        }
    }

    pub(super) fn older(&mut self, session: SessionId, items: Vec<Item>, more: bool) {
        self.with(session, |seen| seen.prepend(items, more));
    }
}
