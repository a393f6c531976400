//! What is shown, once a frame.

use super::{Feed, Msg};
use crate::interop::dom;
use dioxus::prelude::*;

impl Feed {
    /// Something changed: show it with the next frame.
    pub(super) fn dirty(&mut self) {
        if self.asked {
            return;
        }
        self.asked = true;
        let tx = self.tx.clone();
        dom::next_frame(move || {
            let _ = tx.unbounded_send(Msg::Frame);
        });
    }

    pub(super) fn show(&mut self) {
        self.asked = false;
        let shared = self.shared;
        shared.show_outbox(&self.outbox);
        match &mut self.seen {
            Some(seen) if seen.known => {
                seen.refresh();
                shared.show(seen);
            }
            Some(_) | None => shared.show_nothing(),
        }
        self.allow_keys();
    }

    pub(super) fn allow_keys(&self) {
        let Some(seen) = &self.seen else { return };
        let session = &seen.picture.session;
        let me = self.shared.me.peek().as_ref().map(|me| me.id);
        for terminal in session.terminals.keys() {
            let allowed =
                me.is_some_and(|me| duplex_domain::work::may_type(session, me, *terminal).is_ok());
            if let Some(drawn) = seen.drawn(*terminal) {
                drawn.allow(allowed);
            }
        }
    }
}
