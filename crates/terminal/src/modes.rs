//! The terminal modes a viewer must know and the emulator does not.

use crate::scan::{Token, body};
use std::fmt::Write as _;

/// Modes that are simply on or off: cursor blink, application keypad, focus reports, bracketed paste.
const SWITCHES: [u16; 4] = [12, 66, 1004, 2004];
const PASTE: usize = 3;
const KEYPAD: usize = 1;

/// What programs switched on beyond text and cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modes {
    switches: [bool; SWITCHES.len()],
    /// Which mouse events are reported; the last one set wins.
    mouse: Option<u16>,
    /// How mouse events are written.
    encoding: Option<u16>,
    /// The cursor's shape as `DECSCUSR` numbers it; 0 is the viewer's own.
    shape: u16,
}

impl Modes {
    /// Takes note of one piece of output.
    pub(crate) fn see(&mut self, token: &Token<'_>) {
        match token {
            Token::Csi(sequence) => self.csi(&body(sequence)),
            Token::Escape(sequence) => match body(sequence).as_slice() {
                b"c" => *self = Self::default(),
                b"=" => self.switches[KEYPAD] = true,
                b">" => self.switches[KEYPAD] = false,
                _ => {}
            },
            Token::Text(_) | Token::Payload(_) | Token::Opener(_) | Token::Broken(_) => {}
        }
    }

    /// Whether pasted text is to be wrapped in markers.
    pub(crate) fn bracketed_paste(&self) -> bool {
        self.switches[PASTE]
    }

    /// The sequences that bring a fresh terminal into these modes.
    pub(crate) fn dump(&self) -> String {
        let switched = SWITCHES
            .iter()
            .zip(self.switches)
            .filter_map(|(mode, on)| on.then_some(*mode));
        let mut out = String::new();
        for mode in switched.chain(self.mouse).chain(self.encoding) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\x1b[?{mode}h");
        }
        if self.shape > 0 {
            let _ = write!(out, "\x1b[{} q", self.shape);
        }
        out
    }

    fn csi(&mut self, body: &[u8]) {
        match body {
            [b'?', modes @ .., b'h'] => numbers(modes).for_each(|mode| self.set(mode, true)),
            [b'?', modes @ .., b'l'] => numbers(modes).for_each(|mode| self.set(mode, false)),
            b"!p" => self.switches = Self::default().switches,
            [shape @ .., b' ', b'q'] => self.shape = numbers(shape).next().unwrap_or(0),
            _ => {}
        }
    }

    fn set(&mut self, mode: u16, on: bool) {
        match mode {
            9 | 1000 | 1002 | 1003 => self.mouse = on.then_some(mode),
            1005 | 1006 | 1015 | 1016 => self.encoding = on.then_some(mode),
            _ => {
                if let Some(place) = SWITCHES.iter().position(|known| *known == mode) {
                    self.switches[place] = on;
                }
            }
        }
    }
}

fn numbers(params: &[u8]) -> impl Iterator<Item = u16> {
    params
        .split(|byte| *byte == b';')
        .filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
}
