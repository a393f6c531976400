//! The session's terminals: their bytes, their keys, their sizes.

use super::{Feed, Msg};
use crate::interop::dom;
use crate::interop::terminal::{Drawn, Told};
use crate::model::grip::Step;
use crate::net::seen::Seen;
use dioxus::prelude::*;
use duplex_domain::{Blob, Command, Refusal, Session, SessionId, TerminalId, Time, UserId, work};
use duplex_wire::{Screenful, Up};

/// How long a size holds before the next is given, in milliseconds: a window that is being dragged asks for many.
const SIZE_HOLDS: u64 = 1_000;

impl Feed {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let Ok(frame) = Screenful::decode(bytes) else {
            return;
        };
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.id() == frame.session) else {
            return;
        };
        let (whole, done) = seen.screen(&frame);
        self.drew(done);
        if !whole {
            self.watch_afresh();
        }
    }

    /// So many bytes need no more waiting for.
    fn drew(&mut self, bytes: u64) {
        let Some(session) = self.seen.as_ref().map(Seen::id) else {
            return;
        };
        if let Some(bytes) = self.drawing.more(bytes) {
            self.send(&Up::Drawn { session, bytes });
        }
    }

    /// A drawn terminal tells something.
    pub(super) fn told(&mut self, session: SessionId, terminal: TerminalId, told: Told) {
        match told {
            Told::Keys(keys) => {
                self.shared.company.types();
                self.type_keys(session, terminal, &keys);
            }
            Told::Fit(size) => {
                self.fits.insert(terminal, size.clamped());
                self.resize(terminal);
            }
            Told::Drawn(bytes) => {
                let counts = self.seen.as_mut();
                let counts = counts.map_or(0, |seen| seen.has_drawn(terminal, bytes));
                self.drew(counts);
            }
            Told::Denied => self.deny(terminal),
            Told::Said(sentence) => self.shared.toast(&sentence),
            Told::Failed => {
                let mut broken = self.shared.broken;
                broken.write().insert(terminal);
            }
        }
    }

    /// Says why somebody's keys are not taken.
    fn deny(&self, terminal: TerminalId) {
        let Some((session, me)) = self.here() else {
            return;
        };
        let Err(refusal) = work::may_type(session, me, terminal) else {
            return;
        };
        let driver = session.driver.filter(|driver| *driver != me);
        match driver.and_then(|driver| session.members.get(&driver)) {
            Some(driver) if refusal == Refusal::NotDriving => self.shared.toast(&format!(
                "{} has the keyboard; take it to type",
                driver.name
            )),
            _ => self.shared.toast(&refusal.to_string()),
        }
    }

    /// The session on the page, and who is signed in.
    fn here(&self) -> Option<(&Session, UserId)> {
        let me = self.shared.me.peek().as_ref().map(|me| me.id)?;
        Some((&self.seen.as_ref()?.picture.session, me))
    }

    /// Keys go to the terminal; the first ones take a keyboard that nobody has, and wait until it is ours.
    fn type_keys(&mut self, session: SessionId, terminal: TerminalId, keys: &[u8]) {
        if self.grip.hold(session, terminal, keys) {
            return;
        }
        if self.here().is_some_and(|(now, _)| now.driver.is_some()) {
            self.keys.push(session, terminal, keys);
            return self.press_on();
        }
        if self.ask_for(session, Command::TakeControl, Step::Keyboard) {
            self.grip.hold(session, terminal, keys);
        }
    }

    /// Asks for what held keys wait for. False if it cannot be sent.
    fn ask_for(&mut self, session: SessionId, command: Command, step: Step) -> bool {
        let id = dom::new_id();
        let sent = self.send(&Up::Command {
            id: id.clone(),
            session,
            command,
        });
        if sent {
            self.grip.ask(id, step);
        }
        sent
    }

    /// A command was accepted, perhaps one that keys wait for.
    pub(super) fn accepted(&mut self, id: &str) {
        if self.keys.answered(id) {
            return self.press_on();
        }
        match self.grip.answered(id) {
            Some(Step::Keyboard) if self.size_first() => {}
            Some(_) => {
                self.refit();
                for piece in self.grip.release() {
                    let (session, terminal) = (piece.session, piece.terminal);
                    self.keys.push(session, terminal, &piece.bytes);
                }
                self.press_on();
            }
            None => {}
        }
    }

    /// What the first key runs shall find our size: asks for it, if the terminal has another.
    fn size_first(&mut self) -> bool {
        let wanted = self.grip.terminal().and_then(|terminal| {
            let size = *self.fits.get(&terminal)?;
            let (session, _) = self.here()?;
            let differs = session.terminals.get(&terminal)?.size != size;
            differs.then_some((session.id, Command::Resize { terminal, size }))
        });
        let Some((session, resize)) = wanted else {
            return false;
        };
        self.resized = dom::now();
        self.ask_for(session, resize, Step::Size)
    }

    /// Sends the keys that may go now. Those that cannot be sent must not arrive later: they are dropped, and the
    /// pane says that it is cut off.
    fn press_on(&mut self) {
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

    /// Gives a terminal the size that fits here, if it is ours to give.
    fn resize(&mut self, terminal: TerminalId) {
        let (Some(size), Some((session, me))) = (self.fits.get(&terminal), self.here()) else {
            return;
        };
        let now = session.terminals.get(&terminal).map(|known| known.size);
        if now == Some(*size) || work::may_resize(session, me, terminal).is_err() {
            return;
        }
        let (id, size) = (session.id, *size);
        let rests = dom::now().since(self.resized);
        if let Some(wait) = SIZE_HOLDS.checked_sub(rests).filter(|wait| *wait > 0) {
            return self.later(u32::try_from(wait).unwrap_or(u32::MAX), Msg::Refit);
        }
        self.resized = dom::now();
        self.command(id, Command::Resize { terminal, size });
    }

    /// Gives every terminal here the size that fits.
    pub(super) fn refit(&mut self) {
        let terminals: Vec<TerminalId> = self.fits.keys().copied().collect();
        for terminal in terminals {
            self.resize(terminal);
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
        self.show_terminals();
    }

    pub(super) fn detach(&mut self, terminal: TerminalId) {
        let undrawn = self.seen.as_mut().map_or(0, |seen| seen.detach(terminal));
        self.drew(undrawn);
        self.fits.remove(&terminal);
        let mut broken = self.shared.broken;
        broken.write().remove(&terminal);
    }

    /// Does something with a terminal that is drawn.
    pub(super) fn with_drawn(&self, terminal: TerminalId, act: impl FnOnce(&Drawn)) {
        let drawn = self.seen.as_ref().and_then(|seen| seen.drawn(terminal));
        if let Some(drawn) = drawn {
            act(drawn);
        }
    }

    /// Tells the drawn terminals their names and whether keys are taken, and gives them our size when we got the keyboard.
    pub(super) fn show_terminals(&mut self) {
        let Some((session, me)) = self.here() else {
            return;
        };
        let driver = session.driver;
        for terminal in session.terminals.keys().copied() {
            let allowed = work::may_type(session, me, terminal).is_ok();
            self.with_drawn(terminal, |drawn| {
                drawn.allow(allowed);
                drawn.call(&session.terminal_name(terminal));
            });
        }
        let before = std::mem::replace(&mut self.driver, driver);
        // A keyboard that nobody had went to the page that typed, perhaps another one of the same person.
        if driver == Some(me) && before.is_some_and(|before| before != me) {
            self.refit();
        }
    }

    /// Forgets what the terminals of another session were.
    pub(super) fn clear_terminals(&mut self) {
        self.fits.clear();
        self.grip.let_go();
        self.driver = None;
        self.resized = Time(0);
    }
}
