//! What is shown, once a frame.

use super::{Feed, Msg};
use crate::interop::dom;

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
        self.show_terminals();
    }
}
