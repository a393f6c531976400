//! What all of the page shares: who is signed in, the connection, the session shown.

use crate::interop::dom;
use crate::model::outbox::{Outbox, Outgoing};
use crate::model::rows::Row;
use crate::net::api::{self, Failure};
use crate::net::feed::Msg;
use crate::net::link::Link;
use crate::net::seen::Seen;
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId, State, TerminalId};
use duplex_wire::{Me, TeamRole};
use futures_channel::mpsc::UnboundedSender;
use std::collections::BTreeSet;
use std::rc::Rc;

mod company;
pub mod prefs;
pub use company::Company;

/// A session that cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub session: SessionId,
    /// A word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
}

/// A sentence that shows for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Which one it is.
    pub id: u32,
    /// The sentence.
    pub text: String,
}

/// A session, compared by identity.
#[derive(Clone, Debug)]
pub struct Shown(pub Rc<Session>);

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// What all of the page shares. Each part is read by those who show it.
#[derive(Clone, Copy, PartialEq)]
pub struct Shared {
    /// How the connection stands.
    pub link: Signal<Link>,
    /// Who is signed in.
    pub me: Signal<Option<Me>>,
    /// Nobody is signed in: the sign-in page shall show.
    pub signed_out: Signal<bool>,
    /// The session shown.
    pub session: Signal<Option<Shown>>,
    /// Its transcript's rows.
    pub rows: Signal<Rc<Vec<Row>>>,
    /// Whether older rows can be asked for.
    pub older: Signal<bool>,
    /// Messages on their way.
    pub outgoing: Signal<Vec<Outgoing>>,
    /// Why the session cannot be shown.
    pub missing: Signal<Option<Missing>>,
    /// Sentences that show for a while.
    pub toasts: Signal<Vec<Toast>>,
    /// Counts moments at which the page should look at the server again.
    pub nudges: Signal<u32>,
    /// Counts moments at which the chat should go to its end.
    pub ends: Signal<u32>,
    /// Who else is at the session shown, and where.
    pub company: Company,
    /// Terminals whose code could not be loaded.
    pub broken: Signal<BTreeSet<TerminalId>>,
}

impl Shared {
    /// Nothing is known yet. To be called in the page's outermost component.
    #[must_use]
    pub fn provide() -> Self {
        Self {
            link: Signal::new(Link::default()),
            me: Signal::new(None),
            signed_out: Signal::new(false),
            session: Signal::new(None),
            rows: Signal::new(Rc::default()),
            older: Signal::new(false),
            outgoing: Signal::new(Vec::new()),
            missing: Signal::new(None),
            toasts: Signal::new(Vec::new()),
            nudges: Signal::new(0),
            ends: Signal::new(0),
            company: Company::new(),
            broken: Signal::new(BTreeSet::new()),
        }
    }

    /// A person is signed in.
    pub fn signed_in(mut self, user: Me) {
        if self.me.peek().as_ref() != Some(&user) {
            self.me.set(Some(user));
        }
    }

    /// Whether the person at the page is a guest of the team, who opens nothing.
    #[must_use]
    pub fn is_guest(self) -> bool {
        let me = self.me.read();
        me.as_ref().is_some_and(|me| me.role == TeamRole::Guest)
    }

    /// Asks the server who is signed in, where that may have changed.
    pub async fn look_at_me(self) {
        if let Ok(me) = api::me().await {
            self.signed_in(me);
        }
    }

    /// Nobody is signed in.
    pub fn sign_out(mut self) {
        self.me.set(None);
        self.signed_out.set(true);
    }

    /// A request failed: shows it, or the sign-in page.
    pub fn failed(self, failure: &Failure) {
        if failure.signed_out() {
            self.sign_out();
        } else {
            self.toast(&failure.message);
        }
    }

    /// Asks something of a session. False if it was refused, which is shown.
    pub async fn ask(self, session: SessionId, command: Command) -> bool {
        self.ask_as(dom::new_id(), session, command).await
    }

    /// Asks something of a session and goes on, also when what asked goes away. If it is refused, that is shown.
    pub fn please(self, session: SessionId, command: Command) {
        dioxus::core::spawn_forever(async move {
            self.ask(session, command).await;
        });
    }

    /// Asks something of a session, under an id of one's own. False if it was refused, which is shown.
    pub async fn ask_as(self, id: String, session: SessionId, command: Command) -> bool {
        let answer = api::command(session, id, command).await;
        answer.inspect_err(|failure| self.failed(failure)).is_ok()
    }

    /// Shows a sentence for a while; the same one only once at a time.
    pub fn toast(mut self, text: &str) {
        if self.toasts.peek().iter().any(|toast| toast.text == text) {
            return;
        }
        let id = self.toasts.peek().last().map_or(0, |toast| toast.id + 1);
        let text = text.to_owned();
        self.toasts.write().push(Toast { id, text });
        dioxus::core::spawn_forever(async move {
            dom::sleep(7_000).await;
            self.dismiss(id);
        });
    }

    /// Takes a sentence away.
    pub fn dismiss(mut self, id: u32) {
        self.toasts.write().retain(|toast| toast.id != id);
    }

    /// The page should look at the server again.
    pub fn nudge(mut self) {
        *self.nudges.write() += 1;
    }

    /// Shows the session as it is now.
    pub fn show(mut self, seen: &Seen) {
        self.company.newest.set(seen.picture.session.seq);
        let still = seen.still();
        let same = self
            .session
            .peek()
            .as_ref()
            .is_some_and(|shown| *shown.0 == still);
        if !same {
            self.session.set(Some(Shown(Rc::new(still))));
        }
        if **self.rows.peek() != seen.rows {
            self.rows.set(Rc::new(seen.rows.clone()));
        }
        let older = seen.picture.transcript.older;
        if *self.older.peek() != older {
            self.older.set(older);
        }
    }

    /// Shows no session.
    pub fn show_nothing(mut self) {
        if self.session.peek().is_some() {
            self.session.set(None);
            self.rows.set(Rc::default());
            self.older.set(false);
        }
    }

    /// Shows the messages on their way.
    pub fn show_outbox(mut self, outbox: &Outbox) {
        if *self.outgoing.peek() != outbox.messages {
            self.outgoing.set(outbox.messages.clone());
        }
    }

    /// What the person at the page may do in a session.
    #[must_use]
    pub fn role(self, session: &Session) -> Option<Role> {
        let me = self.me.read().as_ref().map(|me| me.id)?;
        session
            .role_of(me)
            .filter(|_| session.state != State::Ended)
    }
}

/// What all of the page shares; no hook, so it may be asked for in a handler or under a condition.
#[must_use]
pub fn shared() -> Shared {
    consume_context()
}

/// The way to the page's connection.
#[derive(Clone, Copy, PartialEq)]
pub struct Line(CopyValue<UnboundedSender<Msg>>);

impl Line {
    /// The way to the connection that reads from this sender's other end.
    #[must_use]
    pub fn new(tx: UnboundedSender<Msg>) -> Self {
        Self(CopyValue::new(tx))
    }

    /// Tells the connection something.
    pub fn send(self, msg: Msg) {
        // It reads as long as the page lives.
        let _ = self.0.read().unbounded_send(msg);
    }
}

/// The way to the page's connection.
#[must_use]
pub fn feed() -> Line {
    consume_context()
}
