//! Which rows a batch of frames touches, found from its events so that nothing has to be compared.

use crate::pictures::Folded;
use crate::spent::{Asking, Spent};
use duplex_domain::{CallId, Event, Item, Place, Recorded, Seq, Session, TerminalId, Transcript};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a frame carries nothing but growth of something already there, which may be written a moment later.
#[must_use]
pub fn can_wait(recorded: &Recorded) -> bool {
    let growth = |event: &Event| {
        matches!(
            event,
            Event::TextDelta { .. }
                | Event::ThinkingDelta { .. }
                | Event::ToolInputDelta { .. }
                | Event::ToolOutput { .. }
                | Event::Printed { .. }
                | Event::ScreenSaved { .. }
                | Event::Typed { .. }
        )
    };
    let mut events = recorded.events.iter();
    events.all(|envelope| growth(&envelope.event))
}

/// What a batch did to one session. It may name too much; that costs a row written as it was.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// The newest frame before the batch: items after it are new.
    since: Seq,
    blocks: BTreeSet<u64>,
    calls: BTreeSet<CallId>,
    /// Items that were open when a turn ended.
    stopped: BTreeSet<Place>,
    /// Terminals named by an event.
    pub terminals: BTreeMap<TerminalId, Screen>,
    /// Model calls that were paid for.
    pub spent: Vec<Spent>,
}

/// What a batch did to one terminal.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// The newest frame with output of it.
    pub printed: Option<Seq>,
    /// The newest saved screen.
    pub saved: Option<Saved>,
}

/// A screen to start from.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// Bytes that draw it.
    pub bytes: Vec<u8>,
    /// How much of the terminal's output they contain.
    pub offset: u64,
    /// Frames after this one may hold output that they do not contain.
    pub seq: Seq,
}

impl Change {
    /// Nothing yet, in a session as it was before the batch.
    pub fn since(seq: Seq) -> Self {
        Self {
            since: seq,
            ..Self::default()
        }
    }

    /// Takes a frame into what is folded, and notes what it touches.
    pub fn apply(&mut self, folded: &mut Folded, recorded: &Recorded) {
        let Folded { picture, payer } = folded;
        if recorded.seq <= picture.session.seq {
            return;
        }
        if ends_turn(recorded) {
            let open = picture.transcript.items.iter().filter(|i| i.is_open());
            self.stopped.extend(open.map(|item| item.place));
        }
        let asking = Asking::before(&picture.session, recorded);
        picture.apply(recorded);
        let spent = payer.take(&asking, &picture.session, recorded);
        self.spent.extend(spent);
        self.note(&picture.session, recorded);
    }

    /// The items to write, each with its number among those that the same event began.
    pub fn items<'a>(
        &'a self,
        transcript: &'a Transcript,
    ) -> impl Iterator<Item = (i32, &'a Item)> {
        numbered(&transcript.items).filter(|(_, item)| self.touches(item))
    }

    fn touches(&self, item: &Item) -> bool {
        let named = |block: &u64| self.blocks.contains(block);
        item.place.seq > self.since
            || self.stopped.contains(&item.place)
            || item.kind.block().as_ref().is_some_and(named)
            || matches!(&item.kind, duplex_domain::ItemKind::Tool { call, .. } if self.calls.contains(call))
    }

    /// Notes what a frame's events name. `session` is the state after them.
    fn note(&mut self, session: &Session, recorded: &Recorded) {
        for envelope in &recorded.events {
            match &envelope.event {
                Event::TextDelta { block, .. }
                | Event::ThinkingDelta { block, .. }
                | Event::ToolInputDelta { block, .. }
                | Event::BlockClosed { block, .. } => {
                    self.blocks.insert(*block);
                }
                Event::ToolStarted { call, .. }
                | Event::ToolOutput { call, .. }
                | Event::ToolFinished { call, .. } => {
                    self.calls.insert(call.clone());
                }
                Event::TerminalResized { terminal, .. }
                | Event::TerminalRenamed { terminal, .. }
                | Event::PrivateInputSet { terminal, .. }
                | Event::InputHidden { terminal, .. }
                | Event::TerminalClosed { terminal }
                | Event::TerminalExited { terminal, .. } => {
                    self.terminals.entry(*terminal).or_default();
                }
                Event::TerminalOpened { terminal, .. } => {
                    let screen = self.terminals.entry(*terminal).or_default();
                    screen.printed = Some(recorded.seq);
                    screen.saved = Some(Saved {
                        seq: recorded.seq,
                        ..Saved::default()
                    });
                }
                Event::Printed { terminal, .. }
                | Event::TerminalSized { terminal, .. }
                | Event::OutputElided { terminal, .. }
                    if session.heeds(envelope) =>
                {
                    self.terminals.entry(*terminal).or_default().printed = Some(recorded.seq);
                }
                Event::ScreenSaved {
                    terminal,
                    offset,
                    bytes,
                    ..
                } if session.heeds(envelope) => {
                    // Output of this very frame may come after the screen, so reading begins with the frame itself.
                    let saved = Saved {
                        bytes: bytes.0.clone(),
                        offset: *offset,
                        seq: Seq(recorded.seq.0.saturating_sub(1)),
                    };
                    self.terminals.entry(*terminal).or_default().saved = Some(saved);
                }
                // The rest begins items, which are found by their place, or changes only the session.
                _ => {}
            }
        }
    }
}

fn ends_turn(recorded: &Recorded) -> bool {
    let mut events = recorded.events.iter();
    events.any(|envelope| matches!(envelope.event, Event::TurnEnded { .. }))
}

/// Items with their number among those of the same place: one turn begins several messages at once.
pub(crate) fn numbered(items: &[Item]) -> impl Iterator<Item = (i32, &Item)> {
    let mut last = None;
    let mut part = 0;
    items.iter().map(move |item| {
        part = if last == Some(item.place) {
            part + 1
        } else {
            0
        };
        last = Some(item.place);
        (part, item)
    })
}
