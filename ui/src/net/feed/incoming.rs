//! What comes down from the server.

use super::{AFRESH, Feed};
use crate::interop::dom;
use crate::net::link::Link;
use crate::net::seen::Seen;
use crate::state::Missing;
use dioxus::prelude::*;
use duplex_domain::{Seq, SessionId};
use duplex_wire::Down;
use wasm_bindgen::JsValue;

impl Feed {
    pub(super) fn socket_says(&mut self, kind: &str, data: &JsValue) {
        self.heard = dom::now();
        match kind {
            "text" => self.text(&data.as_string().unwrap_or_default()),
            "bytes" => self.bytes(&js_sys::Uint8Array::new(data).to_vec()),
            "close" => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "close codes have four digits"
                )]
                let code = data.as_f64().unwrap_or(1006.0) as u16;
                self.lost(code);
            }
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(down) => self.down(down),
            Err(error) => {
                // A message of a newer server: the page has to be loaded anew.
                web_sys::console::warn_1(&format!("a message is not understood: {error}").into());
            }
        }
    }

    pub(super) fn down(&mut self, down: Down) {
        match down {
            Down::Welcome { build, user } => {
                self.welcome = true;
                self.attempt = 0;
                self.shared.signed_in(user);
                self.built(build);
                self.resume();
                self.flush();
            }
            Down::Snapshot {
                session, picture, ..
            } => {
                self.skipped(session);
                self.with(session, |seen| seen.replace(*picture));
            }
            Down::Events { session, events } => self.with(session, |seen| seen.apply(events)),
            Down::Synced { session, .. } => {
                if let Some(seen) = self.seen.as_mut().filter(|seen| seen.id() == session) {
                    seen.synced = true;
                    self.link(Link::Live);
                }
            }
            Down::Presence { session, people } => {
                let mut present = self.shared.company.present;
                if self.watches(session) && *present.peek() != people {
                    present.set(people);
                }
            }
            Down::Accepted { id, .. } => self.accepted(&id),
            Down::Pong {} => {}
            Down::Refused {
                id,
                code,
                message,
                session,
            } => self.refused(&id, code, &message, session),
            Down::Beat { seqs } => self.beat(&seqs),
        }
    }

    /// Says so when a snapshot comes unasked: the page could not keep up, and was moved to the newest screens.
    fn skipped(&self, session: SessionId) {
        let seen = self.seen.as_ref();
        if seen.is_some_and(|seen| seen.synced && seen.id() == session) {
            let said =
                "a terminal puts out more than this page can draw; it skipped to the newest screen";
            self.shared.toast(said);
        }
    }

    pub(super) fn built(&mut self, build: String) {
        match &self.build {
            Some(known) if *known != build => {
                self.shared
                    .toast("the server was updated; reload the page to use the new version");
            }
            _ => self.build = Some(build),
        }
    }

    pub(super) fn with(&mut self, session: SessionId, change: impl FnOnce(&mut Seen)) {
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.id() == session) else {
            return;
        };
        change(seen);
        if self.outbox.settle(&seen.picture) {
            self.keep_outbox();
        }
        self.dirty();
    }

    pub(super) fn watches(&self, session: SessionId) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.id() == session)
    }

    pub(super) fn refused(
        &mut self,
        id: &str,
        code: String,
        message: &str,
        session: Option<SessionId>,
    ) {
        if self.keys.answered(id) && self.keys.stop() > 0 {
            return self
                .shared
                .toast(&format!("the paste stopped half-way: {message}"));
        }
        if self.grip.answered(id).is_some() {
            self.grip.let_go();
            return self.shared.toast(message);
        }
        if self.outbox.failed(id, message) {
            return self.keep_outbox();
        }
        match session.filter(|session| id.is_empty() && self.watches(*session)) {
            Some(session) => {
                let (code, message) = (code, message.to_owned());
                let mut missing = self.shared.missing;
                missing.set(Some(Missing {
                    session,
                    code,
                    message,
                }));
            }
            None => self.shared.toast(message),
        }
    }

    /// The last frame of a burst leaves no gap to see; the beat tells.
    pub(super) fn beat(&mut self, seqs: &[(SessionId, Seq)]) {
        let Some(seen) = &self.seen else { return };
        let (id, cursor) = (seen.id(), seen.cursor());
        let behind = seqs
            .iter()
            .any(|(session, seq)| *session == id && Some(*seq) > cursor);
        if behind && cursor.is_some() {
            self.send_watch(id, cursor);
        }
    }

    /// Asks for a snapshot, since something is missing.
    pub(super) fn watch_afresh(&mut self) {
        let now = dom::now();
        if now.since(self.afresh) < AFRESH {
            return;
        }
        self.afresh = now;
        if let Some(session) = self.seen.as_ref().map(Seen::id) {
            self.send_watch(session, None);
        }
    }
}
