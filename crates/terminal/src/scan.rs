//! Finds the control sequences in terminal output that may be cut anywhere.
//!
//! The rules are those of the VT500 state machine as xterm.js runs it: controls inside a sequence act at once
//! and leave it open, escape or a C1 control breaks into anything, and bytes that are no UTF-8 vanish. The last
//! means that a sequence with a byte above 127 inside it is never complete here: it is broken.

/// The longest sequence that is waited for, in bytes; xterm.js itself reads 32 parameters.
const LONGEST: usize = 256;
const ESC: u8 = 0x1b;
/// First byte of the C1 controls U+0080 to U+009F in UTF-8.
pub(crate) const LEAD: u8 = 0xc2;
/// Cancels any sequence or string, shows nothing.
pub(crate) const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
pub(crate) const BEL: u8 = 0x07;

/// A piece of terminal output. Together the pieces are the whole output, but for over-long sequences.
#[derive(Debug)]
pub(crate) enum Token<'a> {
    /// Text, controls, and the controls that end a string.
    Text(&'a [u8]),
    /// A complete control sequence, introducer to final byte.
    Csi(&'a [u8]),
    /// A complete escape sequence or C1 control.
    Escape(&'a [u8]),
    /// Opens a string: OSC, DCS, APC, PM or SOS.
    Opener(&'a [u8]),
    /// A piece of what is inside a string.
    Payload(&'a [u8]),
    /// A sequence that was given up: something broke into it, or it grew too long.
    Broken(&'a [u8]),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The one kind of string that a bell ends.
    Osc,
    Other,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Plain,
    Payload(Kind),
    /// After the first byte of what may be a C1 control.
    Lead(Option<Kind>),
    Escape,
    /// Inside an escape sequence, after its first intermediate.
    Intermediate,
    Csi,
    /// Inside a sequence that grew too long.
    Skip,
}

/// A place in terminal output.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    state: State,
    held: Vec<u8>,
}

impl Scanner {
    /// Cuts `bytes` into tokens; each comes with the number of bytes read so far.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut on: impl FnMut(Token<'_>, usize)) {
        let mut at = 0;
        while at < bytes.len() {
            let run = self.run(&bytes[at..]);
            if run > 0 {
                let end = at + run;
                match self.state {
                    State::Payload(_) => on(Token::Payload(&bytes[at..end]), end),
                    _ => on(Token::Text(&bytes[at..end]), end),
                }
                at = end;
            } else if self.step(bytes[at], &mut |token| on(token, at + 1)) {
                at += 1;
            }
        }
    }

    /// How many bytes of an unfinished sequence are held.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// What brings a fresh scanner to this place, if a string is begun besides.
    pub(crate) fn begun(&self) -> &[u8] {
        match self.state {
            // A sequence that is passed over whatever else it says.
            State::Skip => b"\x1b[0<",
            _ => &self.held,
        }
    }

    /// What was begun and never finished; the scanner starts anew.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.state = State::Plain;
        std::mem::take(&mut self.held)
    }

    /// How many of the next bytes are nothing special.
    fn run(&self, bytes: &[u8]) -> usize {
        let special = match self.state {
            State::Plain => bytes.iter().position(|b| matches!(*b, ESC | LEAD)),
            State::Payload(Kind::Osc) => bytes
                .iter()
                .position(|b| matches!(*b, ESC | LEAD | CAN | SUB | BEL)),
            State::Payload(Kind::Other) => bytes
                .iter()
                .position(|b| matches!(*b, ESC | LEAD | CAN | SUB)),
            _ => Some(0),
        };
        special.unwrap_or(bytes.len())
    }

    /// Takes one byte; false if it must be looked at again in the new state.
    fn step(&mut self, byte: u8, on: &mut impl FnMut(Token<'_>)) -> bool {
        match self.state {
            State::Plain => self.begin(byte, None),
            State::Payload(kind) => self.in_payload(byte, kind, on),
            State::Lead(kind) => return self.after_lead(byte, kind, on),
            State::Escape => return self.in_escape(byte, on),
            State::Intermediate => return self.in_intermediate(byte, on),
            State::Csi => return self.in_csi(byte, on),
            State::Skip => return self.in_skip(byte, on),
        }
        true
    }

    fn begin(&mut self, byte: u8, kind: Option<Kind>) {
        self.held.push(byte);
        self.state = if byte == ESC {
            State::Escape
        } else {
            State::Lead(kind)
        };
    }

    fn in_payload(&mut self, byte: u8, kind: Kind, on: &mut impl FnMut(Token<'_>)) {
        if matches!(byte, ESC | LEAD) {
            self.begin(byte, Some(kind));
        } else {
            self.state = State::Plain;
            on(Token::Text(&[byte]));
        }
    }

    fn after_lead(&mut self, byte: u8, kind: Option<Kind>, on: &mut impl FnMut(Token<'_>)) -> bool {
        match byte {
            0x9b => self.hold(byte, State::Csi, on),
            0x9d => self.open(byte, Kind::Osc, on),
            0x90 | 0x98 | 0x9e | 0x9f => self.open(byte, Kind::Other, on),
            0x80..=0x9f => self.complete(byte, on, |held| Token::Escape(held)),
            _ => {
                self.held.clear();
                self.state = kind.map_or(State::Plain, State::Payload);
                on(kind.map_or(Token::Text(&[LEAD]), |_| Token::Payload(&[LEAD])));
                return false;
            }
        }
        true
    }

    fn in_escape(&mut self, byte: u8, on: &mut impl FnMut(Token<'_>)) -> bool {
        match byte {
            ESC | CAN | SUB | 0x80.. => return self.broken(on),
            0x00..=0x1f | 0x7f => self.hold(byte, State::Escape, on),
            0x20..=0x2f => self.hold(byte, State::Intermediate, on),
            b'[' => self.hold(byte, State::Csi, on),
            b']' => self.open(byte, Kind::Osc, on),
            b'P' | b'X' | b'^' | b'_' => self.open(byte, Kind::Other, on),
            _ => self.complete(byte, on, |held| Token::Escape(held)),
        }
        true
    }

    fn in_intermediate(&mut self, byte: u8, on: &mut impl FnMut(Token<'_>)) -> bool {
        match byte {
            ESC | CAN | SUB | 0x80.. => return self.broken(on),
            0x30..=0x7e => self.complete(byte, on, |held| Token::Escape(held)),
            _ => self.hold(byte, State::Intermediate, on),
        }
        true
    }

    fn in_csi(&mut self, byte: u8, on: &mut impl FnMut(Token<'_>)) -> bool {
        match byte {
            ESC | CAN | SUB | 0x80.. => return self.broken(on),
            0x40..=0x7e => self.complete(byte, on, |held| Token::Csi(held)),
            _ => self.hold(byte, State::Csi, on),
        }
        true
    }

    fn in_skip(&mut self, byte: u8, on: &mut impl FnMut(Token<'_>)) -> bool {
        match byte {
            ESC | CAN | SUB | 0x80.. => {
                self.state = State::Plain;
                return false;
            }
            0x00..=0x1f => on(Token::Text(&[byte])),
            0x40..=0x7e => self.state = State::Plain,
            _ => {}
        }
        true
    }

    fn hold(&mut self, byte: u8, next: State, on: &mut impl FnMut(Token<'_>)) {
        self.held.push(byte);
        self.state = next;
        if self.held.len() >= LONGEST {
            self.broken(on);
            if matches!(next, State::Csi) {
                self.state = State::Skip;
            }
        }
    }

    fn open(&mut self, byte: u8, kind: Kind, on: &mut impl FnMut(Token<'_>)) {
        self.complete(byte, on, |held| Token::Opener(held));
        self.state = State::Payload(kind);
    }

    fn complete(
        &mut self,
        byte: u8,
        on: &mut impl FnMut(Token<'_>),
        token: impl for<'a> FnOnce(&'a [u8]) -> Token<'a>,
    ) {
        self.held.push(byte);
        on(token(&self.held));
        self.held.clear();
        self.state = State::Plain;
    }

    fn broken(&mut self, on: &mut impl FnMut(Token<'_>)) -> bool {
        on(Token::Broken(&self.held));
        self.held.clear();
        self.state = State::Plain;
        false
    }
}

/// Whether a byte inside a sequence belongs to it, rather than being a control that acts on its own.
pub(crate) fn belongs(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f
}

/// A sequence without its introducer (`CSI`, `ESC`) and without the controls inside it.
pub(crate) fn body(sequence: &[u8]) -> Vec<u8> {
    let c1 = sequence.first() == Some(&LEAD);
    let rest = sequence
        .iter()
        .copied()
        .skip(if c1 { 2 } else { 1 })
        .filter(|b| belongs(*b));
    let bracket = usize::from(!c1 && sequence.contains(&b'['));
    rest.skip(bracket).collect()
}

/// The controls inside a sequence, which act although it may not.
pub(crate) fn controls(sequence: &[u8]) -> impl Iterator<Item = u8> {
    sequence.iter().copied().skip(1).filter(|byte| *byte < 0x20)
}
