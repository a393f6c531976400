//! Keys typed while nobody has the keyboard: they wait until it is ours, and until the terminal has our size.

use super::keys::Piece;
use duplex_domain::{SessionId, TerminalId};

/// The keyboard while it is being taken.
#[derive(Default)]
pub struct Grip {
    asked: Option<Asked>,
    held: Vec<Piece>,
}

/// A command whose answer the held keys wait for.
struct Asked {
    id: String,
    step: Step,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The keyboard.
    Keyboard,
    /// Our size for the terminal that was typed into.
    Size,
}

impl Grip {
    /// A command is under way; keys wait for its answer.
    pub fn ask(&mut self, id: String, step: Step) {
        self.asked = Some(Asked { id, step });
    }

    /// Keeps keys back, if they have to wait.
    pub fn hold(&mut self, session: SessionId, terminal: TerminalId, keys: &[u8]) -> bool {
        if self.asked.is_some() {
            self.held.push(Piece {
                session,
                terminal,
                bytes: keys.to_vec(),
            });
        }
        self.asked.is_some()
    }

    /// A command was answered: what it asked for, if it is ours.
    pub fn answered(&mut self, id: &str) -> Option<Step> {
        let asked = self.asked.take_if(|asked| asked.id == id);
        asked.map(|asked| asked.step)
    }

    /// The terminal that was typed into first.
    #[must_use]
    pub fn terminal(&self) -> Option<TerminalId> {
        self.held.first().map(|piece| piece.terminal)
    }

    /// The keys that need wait no longer.
    pub fn release(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.held)
    }

    /// Forgets everything: what could not be typed now must not be typed later.
    pub fn let_go(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_wait_for_the_keyboard_and_for_the_size() {
        let (session, terminal) = (SessionId::default(), TerminalId::default());
        let mut grip = Grip::default();
        assert!(!grip.hold(session, terminal, b"x"), "nothing was asked for");

        grip.ask("a".to_owned(), Step::Keyboard);
        assert!(grip.hold(session, terminal, b"l"));
        assert_eq!(grip.answered("b"), None);
        assert_eq!(grip.answered("a"), Some(Step::Keyboard));
        grip.ask("c".to_owned(), Step::Size);
        assert!(grip.hold(session, terminal, b"s"));
        assert_eq!(grip.terminal(), Some(terminal));
        assert_eq!(grip.answered("c"), Some(Step::Size));

        let keys: Vec<Vec<u8>> = grip
            .release()
            .into_iter()
            .map(|piece| piece.bytes)
            .collect();
        assert_eq!(keys, [b"l".to_vec(), b"s".to_vec()]);
        assert!(!grip.hold(session, terminal, b"x"));
    }

    #[test]
    fn keys_that_cannot_be_typed_are_not_typed_later() {
        let mut grip = Grip::default();
        grip.ask("a".to_owned(), Step::Keyboard);
        grip.hold(SessionId::default(), TerminalId::default(), b"rm");
        grip.let_go();
        assert_eq!(grip.answered("a"), None);
        assert_eq!(grip.release(), []);
    }
}
