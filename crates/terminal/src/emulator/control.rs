//! Control sequences (`CSI`), each as xterm.js takes it.

use super::cursor::{Margins, Saved};
use super::{Emulator, sgr};

impl Emulator {
    /// Takes a sequence without its introducer and without controls inside.
    pub(super) fn control_sequence(&mut self, body: &str) {
        let Some(last) = body.chars().next_back() else {
            return;
        };
        let parameters = &body[..body.len() - last.len_utf8()];
        if let Some(modes) = parameters.strip_prefix('?') {
            return self.private(modes, last);
        }
        match (parameters, last) {
            ("!", 'p') => return self.soft_reset(),
            (_, 'm') if is_plain(parameters) => {
                let known = sgr::known(parameters);
                return self.say_of_pen(&format!("\x1b[{known}m"));
            }
            _ => {}
        }
        if is_plain(parameters) {
            self.plain_sequence(parameters, last);
        }
    }

    fn plain_sequence(&mut self, parameters: &str, last: char) {
        let first = number(parameters, 0);
        let count = first.max(1);
        match last {
            'H' | 'f' => {
                let col = number(parameters, 1).max(1) - 1;
                self.ask_position(col, count - 1);
            }
            'd' => self.ask_position(self.col(), count - 1),
            'A'..='G' | '`' | 'a' => {
                self.say(&format!("\x1b[{count}{last}"));
                self.after_move();
            }
            'g' => self.say(&format!("\x1b[{first}g")),
            'T' => self.say_plain(&format!("\x1b[{count}T")),
            '@' | 'P' | 'S' => self.say_blank(&format!("\x1b[{count}{last}")),
            'X' => {
                self.restrict();
                self.say_blank(&format!("\x1b[{count}X"));
            }
            'J' => self.erase_screen(first),
            'K' => self.erase_line(first),
            'I' | 'Z' if self.col() < self.cols() => self.say(&format!("\x1b[{count}{last}")),
            'L' | 'M' => self.shift_lines(count, last),
            'b' => self.repeat(count),
            'e' => {
                self.go_to(self.col(), (self.row() + count).min(self.lowest()));
                self.after_move();
            }
            'h' | 'l' => self.ansi_modes(parameters, last == 'h'),
            'r' => self.ask_margins(first, number(parameters, 1)),
            's' => self.save_cursor(),
            'u' => self.restore_cursor(),
            _ => {}
        }
    }

    fn lowest(&self) -> usize {
        if self.origin {
            self.margins.bottom
        } else {
            self.rows() - 1
        }
    }

    /// `ED`. The whole screen is erased in two halves, since the emulator would move it into the history.
    fn erase_screen(&mut self, what: usize) {
        match what {
            0 | 1 => self.say_blank(&format!("\x1b[{what}J")),
            2 => self.say_blank("\x1b[1J\x1b[J"),
            3 => self.forget_history(),
            _ => {}
        }
    }

    fn erase_line(&mut self, what: usize) {
        if what <= 2 {
            self.say_blank(&format!("\x1b[{what}K"));
        }
    }

    /// `IL` and `DL`: nothing outside the margins.
    fn shift_lines(&mut self, count: usize, last: char) {
        self.restrict();
        if self.margins.contain(self.row()) {
            self.say_blank(&format!("\x1b[{count}{last}"));
            self.say("\r");
        }
    }

    fn ansi_modes(&mut self, parameters: &str, on: bool) {
        for mode in parameters.split(';') {
            match mode {
                "4" => self.insert = on,
                "20" => {
                    self.newline = on;
                    self.say(if on { "\x1b[20h" } else { "\x1b[20l" });
                }
                _ => {}
            }
        }
    }

    fn private(&mut self, parameters: &str, last: char) {
        match last {
            'h' | 'l' => {
                for mode in parameters.split(';') {
                    self.private_mode(mode, last == 'h');
                }
            }
            'J' => self.erase_screen(number(parameters, 0)),
            'K' => self.erase_line(number(parameters, 0)),
            _ => {}
        }
    }

    fn private_mode(&mut self, mode: &str, on: bool) {
        let mode = mode.split(':').next().unwrap_or_default();
        match (mode, on) {
            ("1" | "25", _) => self.say(&format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' })),
            ("6", _) => self.set_origin(on),
            ("7", _) => self.autowrap = on,
            ("47" | "1047", true) => self.show_alternate(),
            ("47" | "1047", false) => self.show_ordinary(),
            ("1048", true) => self.save_cursor(),
            ("1048", false) => self.restore_cursor(),
            ("1049", true) => {
                self.save_cursor();
                self.show_alternate();
            }
            ("1049", false) => {
                self.show_ordinary();
                self.restore_cursor();
            }
            _ => {}
        }
    }

    /// `DECSTR`.
    fn soft_reset(&mut self) {
        self.say_of_pen("\x1b[!p");
        self.say("\x1b[?1l");
        self.margins = Margins::whole(self.rows());
        self.saved = Saved::at(0, self.base());
        (self.origin, self.autowrap, self.insert) = (false, true, false);
    }
}

/// Whether these are numbers and nothing else.
fn is_plain(parameters: &str) -> bool {
    parameters.bytes().all(|byte| matches!(byte, b'0'..=b';'))
}

/// A parameter by its place; 0 if it is not there.
fn number(parameters: &str, place: usize) -> usize {
    let one = parameters.split(';').nth(place).unwrap_or_default();
    let digits = one.split(':').next().unwrap_or_default();
    digits.parse().unwrap_or(0).min(usize::from(u16::MAX))
}
