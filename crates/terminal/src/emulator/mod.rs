//! Makes the emulator do what xterm.js does.
//!
//! A viewer's terminal is xterm.js, so what the server takes for the screen must be what xterm.js would show. Where the two
//! differ, a sequence is said in other words, or taken apart.

mod control;
mod cursor;
mod dump;
mod print;
mod sgr;
mod stand_ins;
mod width;

use crate::Size;
use crate::scan::{LEAD, body, controls};
use avt::{Line, Observation, Observer, Pen, ScreenKind, Terminal};
use cursor::{Margins, Saved};
pub(crate) use sgr::{has_more_than_background, write_pen};
pub(crate) use stand_ins::StandIns;

const _: () = assert!(Size::SMALLEST.cols > 0 && Size::SMALLEST.rows > 0);

/// A terminal that takes its output in whole sequences and in whole characters.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mode that programs switch on its own"
)]
pub(crate) struct Emulator {
    pub(super) terminal: Terminal,
    pub(super) stand_ins: StandIns,
    /// A terminal of one cell that is told all that changes the pen: the emulator itself does not tell.
    mirror: Terminal,
    pen: Pen,
    /// Blanks must not look like the pen.
    fancy: bool,
    scrollback: usize,
    /// How many of the oldest lines of history the program cleared.
    forgotten: usize,
    /// A character came last: a mark joins it, `REP` repeats it.
    printed: bool,
    margins: Margins,
    /// The margins of the ordinary screen, while the other one shows.
    below: Margins,
    saved: Saved,
    /// The cursor that was saved on the screen that does not show.
    saved_other: Saved,
    origin: bool,
    autowrap: bool,
    insert: bool,
    newline: bool,
}

/// Counts the lines that fall off the history.
struct Evicted(usize);

impl Observer for Evicted {
    type Output = usize;

    fn evicted(&mut self, _: &mut Observation<'_>, _: &Line) {
        self.0 += 1;
    }

    fn end(&mut self, _: &mut Observation<'_>) -> usize {
        self.0
    }
}

impl Emulator {
    /// An empty screen of a clamped size.
    pub(crate) fn new(size: Size, scrollback: usize) -> Self {
        Self {
            terminal: terminal(size, scrollback),
            stand_ins: StandIns::default(),
            mirror: terminal(Size { cols: 1, rows: 1 }, 0),
            pen: Pen::default(),
            fancy: false,
            scrollback,
            forgotten: 0,
            printed: false,
            margins: Margins::whole(size.rows.into()),
            below: Margins::whole(size.rows.into()),
            saved: Saved::default(),
            saved_other: Saved::default(),
            origin: false,
            autowrap: true,
            insert: false,
            newline: false,
        }
    }

    /// Takes a complete escape sequence or C1 control.
    pub(crate) fn escape(&mut self, sequence: &[u8]) {
        for control in controls(sequence).filter(|_| sequence.first() != Some(&LEAD)) {
            self.control(control.into());
        }
        self.printed = false;
        match (sequence.first(), body(sequence).as_slice()) {
            (Some(&LEAD), _) if sequence.len() == 2 => self.c1(sequence[1]),
            (_, b"D") => self.c1(0x84),
            (_, b"E") => self.c1(0x85),
            (_, b"H") => self.c1(0x88),
            (_, b"M") => self.reverse_index(),
            (_, b"7") => self.save_cursor(),
            (_, b"8") => self.restore_cursor(),
            (_, b"c") => self.reset(),
            (_, b"#8") => self.align(),
            (_, b"%G" | b"%@") => self.say("\x0f\x1b(B"),
            (_, [slot @ (b'(' | b')'), set]) => self.choose_set(*slot, *set),
            _ => {}
        }
    }

    /// Line drawing, or ASCII for all the others that xterm.js knows.
    fn choose_set(&mut self, slot: u8, set: u8) {
        if b"0AB4C5RQKYE6ZH7=".contains(&set) {
            self.say(&format!("\x1b{}{}", char::from(slot), char::from(set)));
        }
    }

    /// `RIS`. xterm.js leaves the cursor hidden and keeps what a line feed does.
    fn reset(&mut self) {
        let (hidden, newline) = (!self.terminal.cursor().visible, self.newline);
        *self = Self::new(self.size(), self.scrollback);
        if hidden {
            self.say("\x1b[?25l");
        }
        if newline {
            self.control_sequence("20h");
        }
    }

    /// Takes a complete control sequence.
    pub(crate) fn csi(&mut self, sequence: &[u8]) {
        for control in controls(sequence) {
            self.control(control.into());
        }
        let body = body(sequence);
        if let Ok(body) = std::str::from_utf8(&body) {
            self.control_sequence(body);
        }
        self.printed = false;
    }

    /// Something came that shows nothing: a mark after it joins no character.
    pub(crate) fn interrupted(&mut self) {
        self.printed = false;
    }

    /// The size now.
    pub(crate) fn size(&self) -> Size {
        let (cols, rows) = self.terminal.size();
        let cell = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        Size {
            cols: cell(cols),
            rows: cell(rows),
        }
    }

    /// Changes the size to a clamped one.
    pub(crate) fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        self.drop_forgotten();
        let (cols, rows) = (size.cols.into(), size.rows.into());
        let evicted = self.terminal.resize_with(cols, rows, Evicted(0));
        self.forgotten = self.forgotten.saturating_sub(evicted);
        self.below = Margins::whole(rows);
        self.set_margins(Margins::whole(rows));
        self.printed = false;
    }

    /// The lines above the ordinary screen, oldest first.
    pub(crate) fn history(&self) -> impl Iterator<Item = &Line> {
        let lines = self.terminal.primary_screen().all_lines();
        lines.take(self.above()).skip(self.forgotten)
    }

    fn above(&self) -> usize {
        let all = self.terminal.primary_screen().all_lines().count();
        all.saturating_sub(self.terminal.size().1)
    }

    /// Clearing the history leaves lines in the emulator that would come back on a larger screen.
    fn drop_forgotten(&mut self) {
        if self.forgotten == 0 {
            return;
        }
        let dump = self.own_dump();
        self.terminal = terminal(self.size(), self.scrollback);
        self.forgotten = 0;
        self.say(&dump);
    }

    fn forget_history(&mut self) {
        if !self.is_alternate() {
            self.forgotten = self.above();
        }
    }

    fn is_alternate(&self) -> bool {
        self.terminal.active_screen_kind() == ScreenKind::Alternate
    }

    fn say(&mut self, text: &str) {
        let evicted = self.terminal.feed_with(text, Evicted(0));
        self.forgotten = self.forgotten.saturating_sub(evicted);
    }

    /// Says what may change the pen.
    fn say_of_pen(&mut self, text: &str) {
        self.say(text);
        self.mirror.feed([text, "\rX"]);
        let cell = self
            .mirror
            .screen()
            .line(0)
            .and_then(|line| line.cells().first());
        self.pen = cell.map_or_else(Pen::default, |cell| *cell.pen());
        self.fancy = has_more_than_background(&self.pen);
    }

    /// Says what may draw blanks: of the pen they have the background alone.
    fn say_blank(&mut self, text: &str) {
        if self.fancy {
            let mut blank = String::new();
            sgr::write_blank(&mut blank, &self.pen);
            self.say_with(&blank, text);
        } else {
            self.say(text);
        }
    }

    /// Says what draws blanks without any colour.
    fn say_plain(&mut self, text: &str) {
        self.say_with("\x1b[m", text);
    }

    fn say_with(&mut self, pen: &str, text: &str) {
        let mut whole = format!("{pen}{text}");
        write_pen(&mut whole, &self.pen);
        self.say(&whole);
    }
}

/// Whether a character joins the one before it.
pub(crate) fn is_mark(char: char) -> bool {
    width::width(char) == 0
}

/// A terminal of this size; one of the smallest size if this one is none at all.
fn terminal(size: Size, scrollback: usize) -> Terminal {
    Terminal::with_scrollback(size.cols.into(), size.rows.into(), Some(scrollback))
        .unwrap_or_else(|_| terminal(Size::SMALLEST, scrollback))
}
