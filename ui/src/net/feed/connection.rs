//! The connection: opened, watched, and opened again, unlimited times.

use super::{Feed, Msg, PING, SILENCE, TICK};
use crate::interop::dom;
use crate::model::retry;
use crate::net::link::Link;
use dioxus::prelude::*;
use duplex_wire::{Close, Up};

impl Feed {
    pub(super) fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.connect();
            self.dirty();
        }
    }

    pub(super) fn stop(&mut self) {
        self.started = false;
        self.hang_up();
        self.seen = None;
    }

    pub(super) fn connect(&mut self) {
        if !self.started {
            return;
        }
        self.hang_up();
        if self.attempt == 0 {
            self.link(Link::Connecting);
        }
        self.heard = dom::now();
        self.socket = Some(dom::open_socket(self.generation, "/api/feed", &self.report));
    }

    /// Lets go of the socket; what it still says is not heard.
    pub(super) fn hang_up(&mut self) {
        self.generation += 1;
        self.welcome = false;
        if let Some(socket) = self.socket.take() {
            socket.close();
        }
        self.outbox.disconnected();
        self.grip.let_go();
        if self.keys.disconnected() > 0 {
            self.shared
                .toast("the connection was lost, and the paste stopped half-way");
        }
    }

    pub(super) fn lost(&mut self, code: u16) {
        let knew = self.welcome;
        self.hang_up();
        match Close::from_code(code) {
            // The cookie may have been renewed a moment ago, with its answer still on the way.
            Some(Close::SignedOut) => self.probe(300),
            Some(close) if !close.retryable() => {
                return self.link(Link::Refused(close.reason().to_owned()));
            }
            Some(_) | None => {}
        }
        self.link(Link::Offline);
        self.keep_outbox();
        if !knew && self.attempt == 0 {
            self.probe(0);
        }
        self.later(
            retry::wait(self.attempt, js_sys::Math::random()),
            Msg::Retry(self.generation),
        );
        self.attempt += 1;
    }

    /// A socket refused before it spoke may mean that nobody is signed in; only the server's word decides.
    pub(super) fn probe(&self, wait: u32) {
        let shared = self.shared;
        spawn(async move {
            dom::sleep(wait).await;
            if crate::net::api::me()
                .await
                .is_err_and(|failure| failure.signed_out())
            {
                shared.sign_out();
            }
        });
    }

    pub(super) fn page(&mut self, what: &str) {
        self.shared.nudge();
        let down = self.socket.is_none() || !self.welcome;
        let mut hidden = self.shared.company.hidden;
        match what {
            "hidden" => hidden.set(true),
            "visible" => hidden.set(false),
            _ => {}
        }
        match what {
            "offline" if self.started => self.lost(1006),
            "online" | "visible" if down && self.attempt > 0 => self.connect(),
            _ => {}
        }
    }

    pub(super) fn tick(&mut self) {
        self.later(TICK, Msg::Tick);
        let now = dom::now();
        if self.socket.is_none() {
            return;
        }
        if now.since(self.heard) > SILENCE {
            return self.lost(1006);
        }
        self.tell_again();
        if self.welcome && now.since(self.pinged) > PING {
            self.pinged = now;
            self.send(&Up::Ping {});
        }
    }

    pub(super) fn send(&self, up: &Up) -> bool {
        let (Some(socket), Ok(text)) = (&self.socket, serde_json::to_string(up)) else {
            return false;
        };
        self.welcome && socket.send(&text)
    }

    pub(super) fn link(&self, link: Link) {
        let mut shown = self.shared.link;
        if *shown.peek() != link {
            shown.set(link);
        }
    }
}
