//! What a shell puts out: without secrets, through the gate, onto the screen, and into the log as far as its budget goes.

use super::{Outlets, Reading, screen_size};
use crate::scribe::{Lost, Scribe};
use duplex_domain::{Blob, Event, Size, TerminalId};
use duplex_terminal::{Answers, Budget, Commands, Elided, Gate, Input, Screen, Scrubber, Verdict};
use std::time::{Duration, Instant};

/// How many lines above the screen are remembered.
const SCROLLBACK: usize = 1000;
/// A screen is saved after so many bytes of output,
const SAVE_AFTER: u64 = 1024 * 1024;
/// or so long after the last one.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// The largest piece of output in one event.
const PIECE: usize = 64 * 1024;
/// What may be the beginning of a secret is shown after so long, if nothing follows it;
const HOLD: Duration = Duration::from_millis(20);
/// so few bytes are shown at once: the echo of a letter must not wait.
const SHORT: usize = 3;

pub(super) struct Printer {
    terminal: TerminalId,
    output: Scribe,
    scrubber: Scrubber,
    gate: Gate,
    answers: Answers,
    screen: Screen,
    /// What the shell told of its commands.
    pub commands: Commands,
    budget: Budget,
    /// Bytes put out so far.
    offset: u64,
    /// How many of them the newest saved screen contains.
    saved: u64,
    saved_at: Instant,
    /// Since when something is held back that may be the beginning of a secret.
    held: Option<Instant>,
}

impl Printer {
    pub fn new(terminal: TerminalId, size: Size, outlets: &Outlets) -> Self {
        let now = Instant::now();
        let mut gate = Gate::new();
        gate.resize(screen_size(size));
        Self {
            terminal,
            output: outlets.output.clone(),
            scrubber: Scrubber::new(outlets.secrets.iter().map(String::as_str)),
            gate,
            answers: Answers::new(),
            screen: Screen::new(screen_size(size), SCROLLBACK),
            commands: Commands::new(),
            budget: Budget::new(outlets.allowance, 0, now),
            offset: 0,
            saved: 0,
            saved_at: now,
            held: None,
        }
    }

    /// Takes output; `more`: the next piece is at hand already. Questions in it are answered here, once.
    pub async fn print(&mut self, input: &Input, out: &[u8], more: bool) -> Result<(), Lost> {
        let mut clean = self.scrubber.feed(out);
        if !more {
            clean.extend(self.scrubber.release(SHORT));
        }
        self.note_held();
        self.put(Some(input), &clean).await
    }

    /// What the terminal shows.
    pub fn reading(&self) -> Reading {
        Reading {
            screen: self.screen.text(),
            last: self.commands.last(),
        }
    }

    /// Somebody typed, and waits for what it does.
    pub fn hurry(&mut self) {
        self.budget.hurry(Instant::now());
    }

    /// Whether output came that no saved screen has.
    pub fn is_unsaved(&self) -> bool {
        self.saved < self.offset
    }

    pub fn next_due(&self) -> Option<Instant> {
        let held = self.held.map(|since| since + HOLD);
        let elided = self.budget.next_due();
        held.into_iter().chain(elided).min()
    }

    /// Shows what was held back long enough, and tells what was left out.
    pub async fn tick(&mut self, input: &Input) -> Result<(), Lost> {
        if self.held.is_some_and(|since| since.elapsed() >= HOLD) {
            let rest = self.scrubber.release(usize::MAX);
            self.held = None;
            self.put(Some(input), &rest).await?;
        }
        match self.budget.due(Instant::now()) {
            Some(elided) => self.tell(elided).await,
            None => Ok(()),
        }
    }

    pub async fn save(&mut self) -> Result<(), Lost> {
        // What was left out is told before a screen that contains it.
        if let Some(elided) = self.budget.finish() {
            return self.tell(elided).await;
        }
        self.save_screen(false).await
    }

    /// From here on output is drawn for another size; a screen is saved with it, so that whoever begins there has it.
    pub async fn resize(&mut self, input: &Input, size: Size) -> Result<(), Lost> {
        if let Some(elided) = self.budget.finish() {
            self.tell(elided).await?;
        }
        self.screen.resize(screen_size(size));
        self.gate.resize(screen_size(size));
        input.resize(screen_size(size));
        let sized = Event::TerminalSized {
            terminal: self.terminal,
            offset: self.offset,
            size,
        };
        self.output.write(None, sized).await?;
        self.save().await
    }

    /// Writes what is left.
    pub async fn finish(&mut self) -> Result<(), Lost> {
        let rest = self.scrubber.finish();
        self.put(None, &rest).await?;
        let rest = self.gate.finish();
        self.show(None, &rest).await?;
        self.save().await
    }

    fn note_held(&mut self) {
        self.held = match self.scrubber.held() {
            0 => None,
            _ => self.held.or_else(|| Some(Instant::now())),
        };
    }

    async fn put(&mut self, input: Option<&Input>, clean: &[u8]) -> Result<(), Lost> {
        let out = self.gate.feed(clean);
        self.show(input, &out).await
    }

    async fn show(&mut self, input: Option<&Input>, out: &[u8]) -> Result<(), Lost> {
        if out.is_empty() {
            return Ok(());
        }
        match self.budget.take(out, Instant::now()) {
            Verdict::Keep(elided) => {
                if let Some(elided) = elided {
                    self.tell(elided).await?;
                }
                self.draw(input, out);
                self.append(out).await?;
                if self.is_save_due() {
                    self.save().await?;
                }
                Ok(())
            }
            Verdict::Elide => {
                self.draw(input, out);
                self.budget.drawn(Instant::now());
                self.offset += out.len() as u64;
                Ok(())
            }
        }
    }

    fn draw(&mut self, input: Option<&Input>, out: &[u8]) {
        self.commands.feed(out);
        let answer = self.answers.feed(&mut self.screen, out);
        if let Some(input) = input.filter(|_| !answer.is_empty()) {
            // A program that asks and does not read goes without an answer.
            let _ = input.try_write(answer.into());
        }
    }

    async fn append(&mut self, out: &[u8]) -> Result<(), Lost> {
        for piece in out.chunks(PIECE) {
            let printed = Event::Printed {
                terminal: self.terminal,
                offset: self.offset,
                bytes: Blob::from(piece),
            };
            self.offset += piece.len() as u64;
            self.output.write(None, printed).await?;
        }
        Ok(())
    }

    fn is_save_due(&self) -> bool {
        self.offset - self.saved > SAVE_AFTER || self.saved_at.elapsed() > SAVE_EVERY
    }

    /// Output that the log does not have is named, and a screen stands for it: readers go on from there.
    async fn tell(&mut self, elided: Elided) -> Result<(), Lost> {
        let left_out = Event::OutputElided {
            terminal: self.terminal,
            from: elided.from,
            to: elided.to,
            digest: elided.digest_hex(),
        };
        self.output.write(None, left_out).await?;
        self.save_screen(true).await
    }

    async fn save_screen(&mut self, elided: bool) -> Result<(), Lost> {
        let screen = self.screen.dump();
        if elided {
            self.budget.told(screen.len(), Instant::now());
        }
        (self.saved, self.saved_at) = (self.offset, Instant::now());
        let saved = Event::ScreenSaved {
            terminal: self.terminal,
            offset: self.offset,
            bytes: Blob(screen),
            elided,
        };
        self.output.write(None, saved).await.map(drop)
    }
}
