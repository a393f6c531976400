//! The session on this page: its picture, and the terminals drawn from it.

use crate::interop::terminal::Drawn;
use crate::model::rows::{self, Row};
use duplex_domain::{Item, Picture, Seq, Session, SessionId, Size, TerminalId};
use duplex_wire::mirror::{Shown, Step};
use duplex_wire::{Frame, Screenful};
use std::collections::HashMap;

/// The most bytes kept for a terminal that is not drawn yet.
const MOST_KEPT: usize = 4 * 1024 * 1024;

/// The session on this page.
pub struct Seen {
    /// The session as folded so far.
    pub picture: Picture,
    /// Whether a snapshot has come.
    pub known: bool,
    /// Whether all has come that was asked for with the last watch.
    pub synced: bool,
    /// The transcript's rows.
    pub rows: Vec<Row>,
    terminals: HashMap<TerminalId, Slot>,
}

#[derive(Default)]
struct Slot {
    shown: Shown,
    size: Option<Size>,
    drawn: Option<Drawn>,
    kept: Vec<u8>,
    /// Bytes handed to the drawn terminal that it has not drawn yet.
    drawing: u64,
    /// Something that should be on the screen was let go.
    lost: bool,
}

impl Seen {
    /// A session of which nothing is known yet.
    #[must_use]
    pub fn new(id: SessionId) -> Self {
        Self {
            picture: Picture::new(id),
            known: false,
            synced: false,
            rows: Vec::new(),
            terminals: HashMap::new(),
        }
    }

    /// The session.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.picture.session.id
    }

    /// The newest frame taken in; nothing before the first snapshot.
    #[must_use]
    pub fn cursor(&self) -> Option<Seq> {
        self.known.then_some(self.picture.session.seq)
    }

    /// Takes a snapshot in place of what was known. Older items that were loaded stay, if nothing lies between.
    pub fn replace(&mut self, picture: Picture) {
        let old = std::mem::replace(&mut self.picture, picture);
        let transcript = &mut self.picture.transcript;
        let begins = transcript.items.first().map(|item| item.place);
        let joins = old.transcript.items.last().map(|item| item.place) >= begins;
        if let (true, true, Some(begins)) = (self.known, joins, begins) {
            let items = old.transcript.items.into_iter();
            let mut items: Vec<Item> = items.take_while(|item| item.place < begins).collect();
            if !items.is_empty() {
                transcript.older = old.transcript.older;
                items.append(&mut transcript.items);
                transcript.items = items;
            }
        }
        self.known = true;
        for slot in self.terminals.values_mut() {
            slot.shown = Shown::default();
        }
        self.resize_terminals();
    }

    /// Takes in what happened.
    pub fn apply(&mut self, frames: Vec<Frame>) {
        let id = self.id();
        for frame in frames {
            self.picture.apply(&frame.recorded(id));
        }
    }

    /// Puts older items before those known.
    pub fn prepend(&mut self, mut older: Vec<Item>, more: bool) {
        let transcript = &mut self.picture.transcript;
        let begins = transcript.items.first().map(|item| item.place);
        older.retain(|item| begins.is_none_or(|begins| item.place < begins));
        older.append(&mut transcript.items);
        transcript.items = older;
        transcript.older = more;
    }

    /// Brings the rows up to date.
    pub fn refresh(&mut self) {
        rows::refresh(&mut self.rows, &self.picture.transcript.items);
    }

    /// Takes in a terminal's bytes: whether all is well, or a new snapshot is needed; and how many of the bytes are done
    /// with. Of the others the terminal tells once it has drawn them.
    pub fn screen(&mut self, frame: &Screenful<'_>) -> (bool, u64) {
        let slot = self.terminals.entry(frame.terminal).or_default();
        let before = slot.drawing;
        match slot.shown.take(frame) {
            Step::Draw => slot.draw(frame.bytes),
            Step::Write(without) => slot.write(frame.bytes.get(without..).unwrap_or_default()),
            Step::Resize(size) => slot.resize(size),
            Step::Skip => {}
            Step::Gap => return (false, frame.bytes.len() as u64),
        }
        let handed = slot.drawing.saturating_sub(before);
        let done = (frame.bytes.len() as u64).saturating_sub(handed);
        (!(slot.lost && slot.drawn.is_some()), done)
    }

    /// A terminal has drawn so many bytes. Answers how many of them count: what was kept from before it was drawn does not.
    pub fn has_drawn(&mut self, terminal: TerminalId, bytes: u64) -> u64 {
        let slot = self.terminals.entry(terminal).or_default();
        let counts = bytes.min(slot.drawing);
        slot.drawing -= counts;
        counts
    }

    /// The session is asked for anew: what was handed over to be drawn until now counts no more.
    pub fn ask_anew(&mut self) {
        self.synced = false;
        for slot in self.terminals.values_mut() {
            slot.drawing = 0;
        }
    }

    /// Draws a terminal from now on. False when a new snapshot is needed for it.
    pub fn attach(&mut self, terminal: TerminalId, drawn: Drawn) -> bool {
        let slot = self.terminals.entry(terminal).or_default();
        drawn.draw(&std::mem::take(&mut slot.kept));
        slot.drawn = Some(drawn);
        slot.size = None;
        let whole = !std::mem::take(&mut slot.lost);
        self.resize_terminals();
        whole
    }

    /// Draws a terminal no more. Answers how many bytes it will not draw.
    pub fn detach(&mut self, terminal: TerminalId) -> u64 {
        let Some(slot) = self.terminals.get_mut(&terminal) else {
            return 0;
        };
        slot.lost |= slot.drawn.take().is_some();
        std::mem::take(&mut slot.drawing)
    }

    /// A terminal, if it is drawn.
    #[must_use]
    pub fn drawn(&self, terminal: TerminalId) -> Option<&Drawn> {
        self.terminals.get(&terminal)?.drawn.as_ref()
    }

    /// What of the session the page shows: without the counters that every frame moves.
    #[must_use]
    pub fn still(&self) -> Session {
        let mut session = self.picture.session.clone();
        (session.seq, session.fact) = (Seq(0), Seq(0));
        (session.output, session.input) = (Seq(0), Seq(0));
        session.active_at = session.opened_at;
        session.posted.clear();
        for terminal in session.terminals.values_mut() {
            (terminal.offset, terminal.saved) = (0, 0);
        }
        session
    }

    /// Terminals have the size that their screens were drawn for.
    fn resize_terminals(&mut self) {
        for (id, terminal) in &self.picture.session.terminals {
            let slot = self.terminals.entry(*id).or_default();
            if slot.drawn.is_some() && slot.size != Some(terminal.drawn) {
                slot.resize(terminal.drawn);
            }
        }
    }
}

impl Slot {
    /// Gives the terminal a size at this point of its output. One that is not drawn is drawn anew later.
    fn resize(&mut self, size: Size) {
        match &self.drawn {
            Some(drawn) => {
                drawn.resize(size);
                self.size = Some(size);
            }
            None => self.lost = true,
        }
    }

    fn draw(&mut self, bytes: &[u8]) {
        self.lost = false;
        match &self.drawn {
            Some(drawn) => {
                self.drawing += bytes.len() as u64;
                drawn.draw(bytes);
            }
            None => self.kept = bytes.to_vec(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        match &self.drawn {
            Some(drawn) if drawn.write(bytes) => self.drawing += bytes.len() as u64,
            Some(_) => self.lost = true,
            None if self.kept.len() + bytes.len() > MOST_KEPT => {
                self.kept.clear();
                self.lost = true;
            }
            None => self.kept.extend_from_slice(bytes),
        }
    }
}
