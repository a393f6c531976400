//! Takes out of terminal output what would hang, fill or abuse the one who shows it.
//!
//! xterm.js counts down from a sequence's parameter without a limit, so `CSI 2147483647 L` freezes a browser tab
//! for hours, and, once stored, freezes the tab of everybody who joins later. The gate stands before the screen
//! and before the log. What passes and what does not is listed in `docs/terminal.md`.

mod counts;
mod strings;
mod text;

use crate::Size;
use crate::scan::{BEL, CAN, LEAD, Scanner, Token, body, controls};
use strings::Open;
use text::Text;

const ENQ: u8 = 0x05;
/// The C1 control that ends a string.
const C1_ST: &[u8] = &[LEAD, 0x9c];

/// A place in terminal output, behind which everything is safe to show.
///
/// Any split of the output gives the same bytes, and gating twice changes nothing. Text is never held back;
/// held back until it is complete is a sequence (at most 256 bytes) and a string (at most 64 KiB). What does not pass
/// becomes a `CAN`, which shows nothing and keeps the bytes around it from making something new.
#[derive(Debug)]
pub struct Gate {
    scanner: Scanner,
    sieve: Sieve,
}

#[derive(Debug)]
struct Sieve {
    text: Text,
    open: Option<Open>,
    /// The most that a count may be.
    side: u32,
    clipboard: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A gate at the beginning of a terminal's output. Counts may be up to the larger side of the largest screen, until
    /// [`resize`](Self::resize) tells the size; programs may not write to the clipboard.
    #[must_use]
    pub fn new() -> Self {
        Self {
            scanner: Scanner::default(),
            sieve: Sieve {
                text: Text::default(),
                open: None,
                side: side(Size::LARGEST),
                clipboard: false,
            },
        }
    }

    /// From here on counts may be up to the larger side of this screen. The size is clamped.
    pub fn resize(&mut self, size: Size) {
        self.sieve.side = side(size.clamped());
    }

    /// From here on programs may or may not write to the clipboard (`OSC 52`). Reading it never passes.
    pub fn allow_clipboard(&mut self, allowed: bool) {
        self.sieve.clipboard = allowed;
    }

    /// What may be shown and kept of the next piece of output.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let sieve = &mut self.sieve;
        self.scanner
            .feed(bytes, |token, _| sieve.pass(&token, &mut out));
        out
    }

    /// What may be shown of a sequence that the end of the output cut off. The gate is as new afterwards, but for what
    /// it was told.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let held = self.scanner.finish();
        self.sieve.end(&held, &mut out);
        out
    }

    /// How many bytes are held back, waiting for the end of a sequence; never more than 64 KiB and a few.
    #[must_use]
    pub fn held(&self) -> usize {
        let open = self.sieve.open.as_ref().map_or(0, Open::held);
        self.scanner.held() + self.sieve.text.held() + open
    }
}

impl Sieve {
    fn pass(&mut self, token: &Token<'_>, out: &mut Vec<u8>) {
        match token {
            Token::Text([BEL]) if self.open.is_some() => self.close(&[BEL], out),
            Token::Text(bytes) => {
                self.abandon(out);
                self.text.pass(bytes, out);
            }
            Token::Opener(bytes) => {
                self.abandon(out);
                self.text.interrupt(false, out);
                out.extend(controls(bytes).filter(|control| *control != ENQ));
                self.open = Some(Open::new(bytes));
            }
            Token::Payload(bytes) => {
                if let Some(open) = &mut self.open {
                    open.add(bytes);
                }
            }
            Token::Escape(bytes) => self.escape(bytes, out),
            Token::Csi(bytes) => {
                self.abandon(out);
                self.csi(bytes, out);
            }
            Token::Broken(bytes) => {
                self.abandon(out);
                self.give_up(bytes, out);
            }
        }
    }

    fn end(&mut self, held: &[u8], out: &mut Vec<u8>) {
        match held {
            [] => {}
            [LEAD] if self.open.is_none() => self.text.pass(held, out),
            _ => self.give_up(held, out),
        }
        self.abandon(out);
        self.text.interrupt(false, out);
        self.text = Text::default();
    }

    fn escape(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let ends = *bytes == *C1_ST || (bytes.first() != Some(&LEAD) && body(bytes) == b"\\");
        if ends && self.open.is_some() {
            let end = if *bytes == *C1_ST { C1_ST } else { b"\x1b\\" };
            self.close(end, out);
            out.extend(controls(bytes).filter(|control| *control != ENQ));
            return;
        }
        self.abandon(out);
        let stays = matches!(body(bytes).first(), Some(b'(' | b')' | b'=' | b'>' | b'\\'));
        self.text.interrupt(!stays, out);
        out.extend(bytes.iter().filter(|byte| **byte != ENQ));
    }

    fn csi(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let busy = controls(bytes).next().is_some();
        let clamped = counts::clamped(bytes, self.side);
        if !may_pass(&body(bytes)) {
            return self.give_up(bytes, out);
        }
        if clamped.is_some() && busy {
            self.give_up(bytes, out);
        }
        let stays = !busy && matches!(bytes.last(), Some(b'm' | b'K'));
        self.text.interrupt(!stays, out);
        let passing = clamped.as_deref().unwrap_or(bytes);
        out.extend(passing.iter().filter(|byte| **byte != ENQ));
    }

    fn close(&mut self, end: &[u8], out: &mut Vec<u8>) {
        let passing = self
            .open
            .take()
            .and_then(|open| open.passes(self.clipboard));
        match passing {
            Some(string) => {
                out.extend_from_slice(&string);
                out.extend_from_slice(end);
            }
            None => out.push(CAN),
        }
    }

    /// A string without an end does not pass.
    fn abandon(&mut self, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            out.push(CAN);
        }
    }

    /// `CAN` leaves every terminal in the state the gate is in, whatever it made of the broken sequence. It comes
    /// first, or the controls would go into a string that the sequence broke into.
    fn give_up(&mut self, sequence: &[u8], out: &mut Vec<u8>) {
        self.text.interrupt(true, out);
        out.push(CAN);
        out.extend(controls(sequence).filter(|control| *control != ENQ));
    }
}

fn side(size: Size) -> u32 {
    size.cols.max(size.rows).into()
}

/// Whether a control sequence may pass: all but printing (`i`) and what is done to the window (`t`). Of the latter a
/// title may be pushed and popped.
fn may_pass(body: &[u8]) -> bool {
    let Some((last, parameters)) = body.split_last() else {
        return true;
    };
    let first = || parameters.split(|byte| *byte == b';').next().unwrap_or(&[]);
    match last {
        b'i' => false,
        b't' if parameters.last().is_some_and(|b| matches!(b, 0x20..=0x2f)) => true,
        b't' => matches!(first(), b"22" | b"23") && !parameters.contains(&b':'),
        _ => true,
    }
}
