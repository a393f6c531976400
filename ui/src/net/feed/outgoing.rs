//! What the page wants of the server.

use super::{Feed, OUTBOX};
use crate::interop::dom;
use crate::interop::terminal::Drawn;
use crate::net::link::Link;
use crate::net::seen::Seen;
use dioxus::prelude::*;
use duplex_domain::{Blob, Command, Delivery, Item, SessionId, Size, TerminalId};
use duplex_wire::Up;

impl Feed {
    pub(super) fn watch(&mut self, session: SessionId) {
        if !self.watches(session) {
            self.seen = Some(Seen::new(session));
            let mut missing = self.shared.missing;
            missing.set(None);
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
    pub(super) fn resume(&self) {
        if !self.welcome {
            return;
        }
        match &self.seen {
            Some(seen) => {
                self.link(Link::CatchingUp);
                self.send(&Up::Watch {
                    session: seen.id(),
                    after: seen.cursor(),
                });
            }
            None => self.link(Link::Live),
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

    pub(super) fn type_keys(&mut self, session: SessionId, terminal: TerminalId, keys: &[u8]) {
        self.keys.push(session, terminal, keys);
        self.press_on();
    }

    /// Sends the keys that may go now. Those that cannot be sent must not arrive later: they are dropped, and the
    /// pane says that it is cut off.
    pub(super) fn press_on(&mut self) {
        loop {
            let id = dom::new_id();
            let Some(piece) = self.keys.send(&id) else {
                return;
            };
            let (session, terminal) = (piece.session, piece.terminal);
            let data = Blob(piece.bytes);
            let command = Command::Type { terminal, data };
            if !self.send(&Up::Command {
                id,
                session,
                command,
            }) {
                self.keys.disconnected();
                return;
            }
        }
    }

    /// Only who has the keyboard decides a terminal's size.
    pub(super) fn fit(&self, terminal: TerminalId, size: Size) {
        let Some(seen) = &self.seen else { return };
        let session = &seen.picture.session;
        let me = self.shared.me.peek().as_ref().map(|me| me.id);
        let mine =
            me.is_some_and(|me| duplex_domain::work::may_type(session, me, terminal).is_ok());
        let now = session
            .terminals
            .get(&terminal)
            .map(|terminal| terminal.size);
        let size = size.clamped();
        if mine && now != Some(size) {
            self.command(seen.id(), Command::Resize { terminal, size });
        }
    }

    pub(super) fn attach(&mut self, terminal: TerminalId, drawn: Drawn) {
        let whole = self
            .seen
            .as_mut()
            .is_none_or(|seen| seen.attach(terminal, drawn));
        if !whole {
            self.watch_afresh();
        }
        self.allow_keys();
    }

    pub(super) fn older(&mut self, session: SessionId, items: Vec<Item>, more: bool) {
        self.with(session, |seen| seen.prepend(items, more));
    }
}
