//! Who else is at the session shown, and where the person at this page is.

use crate::interop::dom;
use dioxus::prelude::*;
use duplex_domain::{Place, Seq, UserId};
use duplex_wire::{CatchUp, Here, Pane, Present};

/// For how long somebody counts as typing after a key, in milliseconds.
const TYPING: u32 = 4_000;

/// The company at a session.
#[derive(Clone, Copy, PartialEq)]
pub struct Company {
    /// Everybody who has the session on a page.
    pub present: Signal<Vec<Present>>,
    /// The pane that the person at this page used last.
    pub pane: Signal<Pane>,
    /// The topmost item of the chat on this page; none while it follows the end.
    pub top: Signal<Option<Place>>,
    /// Whether this page is off the screen.
    pub hidden: Signal<bool>,
    /// Counts keys while they come; zero when none came for a while.
    typed: Signal<u32>,
    /// Whom this page follows.
    pub following: Signal<Option<UserId>>,
    /// What happened since the person last looked, once that is known.
    pub missed: Signal<Option<CatchUp>>,
    /// An item that the chat shall show.
    pub jump: Signal<Option<Place>>,
    /// The newest frame shown. It grows with each frame of a stream: to be looked at, not waited for.
    pub newest: Signal<Seq>,
}

impl Company {
    /// Nobody is here yet.
    pub(super) fn new() -> Self {
        Self {
            present: Signal::new(Vec::new()),
            pane: Signal::new(Pane::Chat),
            top: Signal::new(None),
            hidden: Signal::new(false),
            typed: Signal::new(0),
            following: Signal::new(None),
            missed: Signal::new(None),
            jump: Signal::new(None),
            newest: Signal::new(Seq(0)),
        }
    }

    /// Another session is shown.
    pub fn leave(mut self) {
        self.present.set(Vec::new());
        self.pane.set(Pane::Chat);
        self.top.set(None);
        self.following.set(None);
        self.missed.set(None);
        self.jump.set(None);
    }

    /// The person used a pane.
    pub fn uses(mut self, pane: Pane) {
        if *self.pane.peek() != pane {
            self.pane.set(pane);
        }
    }

    /// Who does something themselves follows nobody any more.
    pub fn goes_own_way(mut self) {
        if self.following.peek().is_some() {
            self.following.set(None);
        }
    }

    /// The person pressed a key in the pane they use.
    pub fn types(mut self) {
        self.goes_own_way();
        let typed = self.typed.peek().wrapping_add(1).max(1);
        self.typed.set(typed);
        dioxus::core::spawn_forever(async move {
            dom::sleep(TYPING).await;
            if *self.typed.peek() == typed {
                self.typed.set(0);
            }
        });
    }

    /// What this page tells the others.
    #[must_use]
    pub fn here(self) -> Here {
        let pane = if (self.hidden)() {
            Pane::Away
        } else {
            (self.pane)()
        };
        Here {
            pane,
            typing: (self.typed)() > 0,
            top: (self.top)(),
        }
    }
}
