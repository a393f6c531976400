//! Makes up what programs write to a terminal, the same for the same seed.

use crate::chance::Chance;
use crate::xterm::{Part, Shown};
use duplex_terminal::{Gate, Size};

/// What one terminal gets. Known differences (see `known.rs`) are kept apart by what a case may contain.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a kind of output of its own"
)]
pub struct Traffic {
    chance: Chance,
    /// Line drawing, or else a cursor that is saved.
    draws: bool,
    /// Bold, or else faint.
    bold: bool,
    /// The ordinary screen's cursor is saved and restored.
    saves: bool,
    /// Lines are scrolled off the top by sequences that leave no history in xterm.js.
    scrolls: bool,
    /// Wrapping is switched off, and all characters are narrow.
    narrow: bool,
    /// Tab stops are changed, and there is one screen only.
    stops: bool,
    alternate: bool,
}

/// What happens to a terminal before somebody joins, and after.
#[derive(Clone, Debug)]
pub struct Case {
    pub size: Size,
    pub before: Vec<Part>,
    pub after: Vec<Part>,
    /// Lines are scrolled off the top by sequences that leave no history in xterm.js.
    pub scrolls: bool,
}

impl Case {
    pub fn new(size: Size, before: Vec<Part>, after: Vec<Part>) -> Self {
        Self {
            size,
            before,
            after,
            scrolls: false,
        }
    }

    pub fn all(&self) -> Vec<Part> {
        [self.before.as_slice(), &self.after].concat()
    }

    /// Some output to use a terminal with.
    pub fn used(&self) -> Part {
        let output = self.after.iter().filter_map(|part| match part {
            Part::Output(bytes) => Some(bytes.as_slice()),
            Part::Resized(_) => None,
        });
        Part::Output(output.collect::<Vec<_>>().concat())
    }

    /// Overlooks what is known to differ in this case.
    pub fn tolerate(&self, one: &Shown, other: &mut Shown) {
        if self.scrolls {
            other.history.clone_from(&one.history);
            other.history_looks.clone_from(&one.history_looks);
        }
    }
}

impl Traffic {
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let kind = chance.below(4);
        Self {
            draws: chance.below(3) == 0,
            bold: chance.below(2) == 0,
            saves: kind < 2,
            scrolls: kind == 2,
            narrow: chance.below(6) == 0,
            stops: chance.below(4) == 0,
            alternate: false,
            chance,
        }
    }

    /// All kinds of output.
    pub fn case(mut self) -> Case {
        let size = self.size();
        let mut gate = Gate::new();
        gate.resize(size);
        let mut before = self.parts(&mut gate);
        let mut after = self.parts(&mut gate);
        if let Some(Part::Output(bytes)) = before.last_mut()
            && !bytes.is_empty()
            && self.chance.below(3) == 0
        {
            // Whoever joins does so in the middle of something.
            let rest = bytes.split_off(self.chance.below(bytes.len()));
            after.insert(0, Part::Output(rest));
        }
        Case {
            scrolls: self.scrolls,
            ..Case::new(size, before, after)
        }
    }

    /// Lines that fit, a screen of its own for a program, and other sizes in between.
    pub fn resized_case(mut self) -> Case {
        let size = self.size();
        let before = self.resized_parts();
        let after = self.resized_parts();
        Case::new(size, before, after)
    }

    fn resized_parts(&mut self) -> Vec<Part> {
        let many = 1 + self.chance.below(10);
        (0..many).map(|_| self.resized_part()).collect()
    }

    fn resized_part(&mut self) -> Part {
        let piece = match self.chance.below(8) {
            0..=1 if self.alternate || !self.saves => return Part::Resized(self.size()),
            0..=2 if self.saves => {
                let mode = self.other_screen("1049", false);
                format!("\x1b[{mode}{}", if self.alternate { 'h' } else { 'l' })
            }
            _ => self
                .chance
                .one_of(&[
                    "$ \x1b[1;32mls\x1b[m\r\n",
                    "\x1b[44m日本語\x1b[m\r\n",
                    "one e\u{301} two\r\n",
                    "\r\n",
                ])
                .to_owned(),
        };
        Part::Output(piece.into_bytes())
    }

    fn size(&mut self) -> Size {
        Size {
            cols: self.chance.one_of(&[20, 24, 40]),
            rows: self.chance.one_of(&[5, 6, 12]),
        }
    }

    fn parts(&mut self, gate: &mut Gate) -> Vec<Part> {
        let many = 1 + self.chance.below(16);
        let parts: Vec<Vec<u8>> = (0..many).map(|_| self.part()).collect();
        let gated = |part: Vec<u8>| Part::Output(gate.feed(&part));
        parts.into_iter().map(gated).collect()
    }

    fn part(&mut self) -> Vec<u8> {
        let piece = self.piece();
        let c1 = self.chance.below(16) == 0;
        let piece = if c1 {
            piece.replace("\x1b[", "\u{9b}")
        } else {
            piece
        };
        let mut bytes = piece.into_bytes();
        if self.chance.below(40) == 0 {
            let bad: &[u8] = self.chance.one_of(&[
                b"\xff".as_slice(),
                b"\xe2\x82",
                b"\xc0\x80",
                b"\xed\xa0\x80",
                b"\xc2",
            ]);
            bytes.splice(0..0, bad.iter().copied());
        }
        bytes
    }

    fn piece(&mut self) -> String {
        match self.chance.below(24) {
            0..=6 => self.text(),
            7 => "\r\n".repeat(1 + self.chance.below(4)),
            8 => self.control(),
            9..=11 => self.moved(),
            12..=13 => self.erased(),
            14..=15 => self.shifted(),
            16 => self.region(),
            17..=18 => self.look(),
            19 => self.saved(),
            20 => self.mode(),
            21 => self.tabs(),
            22 => self.reset(),
            _ => self.ignored(),
        }
    }

    fn text(&mut self) -> String {
        const NARROW: [&str; 7] = [
            "a",
            "word",
            "two words",
            "  ",
            "für",
            "lqqk",
            "A very long line that wraps around the right edge of a small screen",
        ];
        const ANY: [&str; 13] = [
            "├──",
            "日本語",
            "한국",
            "😀",
            "🚀x",
            "e\u{301}",
            "n\u{303}o",
            "👨\u{200d}👩",
            "❤\u{fe0f}",
            "🫠",
            "\u{feff}",
            "ก็",
            "e\u{301}\u{302}",
        ];
        let many = 1 + self.chance.below(4);
        let mut text = String::new();
        for _ in 0..many {
            let narrow = self.narrow || self.chance.below(2) == 0;
            text.push_str(self.chance.one_of(if narrow { &NARROW } else { &ANY }));
        }
        text
    }

    fn control(&mut self) -> String {
        let all = [
            "\r", "\n", "\x08", "\t", "\x1bD", "\x1bE", "\x1bM", "\x0b", "\u{84}", "\u{85}",
            "\u{8d}", "\x7f",
        ];
        self.chance.one_of(&all).to_owned()
    }

    fn count(&mut self) -> String {
        match self.chance.below(4) {
            0 => String::new(),
            1 => "1".to_owned(),
            2 => (2 + self.chance.below(8)).to_string(),
            _ => self.chance.below(60).to_string(),
        }
    }

    fn moved(&mut self) -> String {
        let (count, other) = (self.count(), self.count());
        match self.chance.below(6) {
            0..=1 => format!("\x1b[{count};{other}H"),
            2 => format!("\x1b[{count};{other}f"),
            _ => {
                let all = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'd', '`', 'a', 'e'];
                format!("\x1b[{count}{}", self.chance.one_of(&all))
            }
        }
    }

    fn erased(&mut self) -> String {
        let what = self
            .chance
            .one_of(&["J", "0J", "1J", "2J", "3J", "K", "1K", "2K", "?J", "?2K"]);
        match self.chance.below(3) {
            0 => format!("\x1b[{}X", self.count()),
            _ => format!("\x1b[{what}"),
        }
    }

    fn shifted(&mut self) -> String {
        let all: &[char] = if self.scrolls {
            &['M', 'S', 'L', 'T']
        } else {
            &['@', 'P', 'L', 'T', 'b']
        };
        let last = self.chance.one_of(all);
        format!("\x1b[{}{last}", self.count())
    }

    fn region(&mut self) -> String {
        match self.chance.below(4) {
            0 => "\x1b[r".to_owned(),
            1 => self.chance.one_of(&["\x1b[?6h", "\x1b[?6l"]).to_owned(),
            _ => format!("\x1b[{};{}r", self.chance.below(6), self.chance.below(14)),
        }
    }

    fn look(&mut self) -> String {
        let many = 1 + self.chance.below(3);
        let all: Vec<String> = (0..many).map(|_| self.one_look()).collect();
        format!("\x1b[{}m", all.join(";"))
    }

    fn one_look(&mut self) -> String {
        match self.chance.below(9) {
            0 => "0".to_owned(),
            1 => (30 + self.chance.below(8)).to_string(),
            2 => (40 + self.chance.below(8)).to_string(),
            3 => self
                .chance
                .one_of(&["39", "49", "91", "105", ""])
                .to_owned(),
            4 => format!("38;5;{}", self.chance.below(256)),
            5 => format!(
                "48;2;{};{};3",
                self.chance.below(256),
                self.chance.below(256)
            ),
            6 => self
                .chance
                .one_of(&["38:2::1:2:3", "58;5;9", "58:2::1:2:3", "48:5:7", "21"])
                .to_owned(),
            _ => {
                let one = self.chance.one_of(&[
                    "1", "3", "4", "5", "7", "9", "22", "23", "24", "25", "27", "29",
                ]);
                if one == "1" && !self.bold {
                    "2".to_owned()
                } else {
                    one.to_owned()
                }
            }
        }
    }

    fn saved(&mut self) -> String {
        if self.draws || !(self.saves || self.alternate) {
            return self.text();
        }
        let all = [
            "\x1b7",
            "\x1b8",
            "\x1b[s",
            "\x1b[u",
            "\x1b[?1048h",
            "\x1b[?1048l",
        ];
        self.chance.one_of(&all).to_owned()
    }

    fn mode(&mut self) -> String {
        const MODES: [&str; 11] = [
            "?1", "?25", "?66", "?1000", "?1002", "?1003", "?1004", "?1006", "?2004", "4", "20",
        ];
        let on = self.chance.below(2) == 0;
        let mode = match self.chance.below(4) {
            0..=1 if self.stops => "?25".to_owned(),
            0 if self.draws => self.other_screen("47", on),
            0 => self.other_screen("1049", on),
            1 => self.other_screen("1047", on),
            2 if self.narrow => "?7".to_owned(),
            _ => self.chance.one_of(&MODES).to_owned(),
        };
        let on = if mode == "?1049" { self.alternate } else { on };
        format!("\x1b[{mode}{}", if on { 'h' } else { 'l' })
    }

    /// Programs leave with 1049 the screen they came to with it, or they would restore a cursor of long ago.
    fn other_screen(&mut self, mode: &str, on: bool) -> String {
        self.alternate = if mode == "1049" { !self.alternate } else { on };
        format!("?{mode}")
    }

    fn tabs(&mut self) -> String {
        match self.chance.below(7) {
            0 if self.stops => "\x1bH".to_owned(),
            1 if self.stops => "\x1b[g".to_owned(),
            2 if self.stops => "\x1b[3g".to_owned(),
            3 => format!("\x1b[{}I", self.count()),
            4 => format!("\x1b[{}Z", self.count()),
            _ => "\t\t".to_owned(),
        }
    }

    fn reset(&mut self) -> String {
        let one = if self.draws {
            self.chance.one_of(&[
                "\x1b(0", "\x1b(B", "\x1b)0", "\x0e", "\x0f", "\x1b[!p", "\x1bc", "\x1b%G",
            ])
        } else {
            self.chance.one_of(&["\x1b[!p", "\x1bc", "\x1b#8"])
        };
        self.alternate &= one != "\x1bc";
        one.to_owned()
    }

    /// What shows nothing.
    fn ignored(&mut self) -> String {
        let all = [
            "\x1b]0;a title\x07",
            "\x1b]133;A\x1b\\",
            "\x1bP$qm\x1b\\",
            "\x1b[6n",
            "\x1b[c",
            "\x1b[5 q",
            "\x1b=",
            "\x1b>",
            "\x07",
            "\0",
            "\x1b[?2026h\x1b[?2026l",
            "\x1b[>4;1m",
            "\x1b[22;0;0t",
            "\x1b_apc\x1b\\",
            "\x1b[12",
            "\x1b]2;cut",
            "\x1b[5W",
            "\x1b[1;2<m",
            "\x18",
        ];
        self.chance.one_of(&all).to_owned()
    }
}
