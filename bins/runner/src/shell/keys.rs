//! What is typed into a shell: it reaches the program at most once, and only then is it decided what may be kept.

use super::Outlets;
use crate::scribe::{Lost, Scribe};
use duplex_domain::{Blob, Event, Refusal, TerminalId, UserId};
use duplex_eventlog::PressedKey;
use duplex_terminal::{Echo, Input, Keeper, Kept, SealKey};
use std::collections::HashMap;
use std::time::Instant;

pub(super) struct Typing {
    terminal: TerminalId,
    /// The output lane, where people are told that what they type is hidden.
    output: Scribe,
    input: Scribe,
    key: Option<SealKey>,
    /// What each person typed and may be kept.
    keepers: HashMap<UserId, Keeper>,
    /// Whether somebody asked that nothing be kept.
    private: bool,
    /// Whether people were told that the program hides what is typed.
    hidden: bool,
}

impl Typing {
    pub fn new(terminal: TerminalId, outlets: &Outlets) -> Self {
        Self {
            terminal,
            output: outlets.output.clone(),
            input: outlets.input.clone(),
            key: outlets.key.clone(),
            keepers: HashMap::new(),
            private: false,
            hidden: false,
        }
    }

    pub async fn type_keys(&mut self, input: &Input, keys: PressedKey) -> Result<(), Lost> {
        let echo = input.echo();
        let (user, bytes) = (keys.press.user, keys.press.bytes.clone());
        if input.write(bytes.clone()).await.is_err() {
            keys.refused(Refusal::NoTerminal).await;
            return Ok(());
        }
        keys.typed().await;
        let now = Instant::now();
        let private = self.private;
        let keeper = self.keepers.entry(user).or_insert_with(|| {
            let mut keeper = Keeper::new();
            keeper.private(private, now);
            keeper
        });
        keeper.typed(&bytes, echo, now);
        self.tell(echo).await
    }

    /// From here on only counts are kept, or no longer so.
    pub fn private(&mut self, private: bool) {
        self.private = private;
        let now = Instant::now();
        for keeper in self.keepers.values_mut() {
            keeper.private(private, now);
        }
    }

    /// From here on only counts are kept, for good.
    pub fn forget(&mut self) {
        self.key = None;
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.keepers.values().filter_map(Keeper::next_due).min()
    }

    /// Looks whether the program hides what is typed, and says so.
    pub async fn look(&mut self, input: &Input) -> Result<(), Lost> {
        self.tell(input.echo()).await
    }

    async fn tell(&mut self, echo: Echo) -> Result<(), Lost> {
        let on = echo == Echo::Hidden;
        if on == self.hidden {
            return Ok(());
        }
        self.hidden = on;
        let terminal = self.terminal;
        let hidden = Event::InputHidden { terminal, on };
        self.output.write(None, hidden).await.map(drop)
    }

    /// Writes what may be kept by now.
    pub async fn keep(&mut self, input: &Input) -> Result<(), Lost> {
        let (echo, now) = (input.echo(), Instant::now());
        for keeper in self.keepers.values_mut() {
            keeper.saw(echo, now);
        }
        let due = self.keepers.iter_mut();
        let due: Vec<_> = due.map(|(user, keeper)| (*user, keeper.due(now))).collect();
        self.record(due).await?;
        self.tell(echo).await
    }

    /// Writes what may be kept of everything typed.
    pub async fn finish(&mut self) -> Result<(), Lost> {
        let kept = self.keepers.iter_mut();
        let kept: Vec<_> = kept
            .map(|(user, keeper)| (*user, keeper.finish()))
            .collect();
        self.record(kept).await?;
        self.tell(Echo::Raw).await
    }

    async fn record(&mut self, kept: Vec<(UserId, Vec<Kept>)>) -> Result<(), Lost> {
        for (user, kept) in kept {
            for kept in kept {
                let (count, bytes) = self.sealed(kept);
                let terminal = self.terminal;
                let typed = Event::Typed {
                    terminal,
                    user,
                    count,
                    bytes,
                };
                self.input.write(None, typed).await?;
            }
        }
        Ok(())
    }

    fn sealed(&self, kept: Kept) -> (u32, Blob) {
        match (kept, &self.key) {
            (Kept::Count(count), _) => (count, Blob::default()),
            (Kept::Bytes(bytes), Some(key)) => (length(&bytes), Blob(key.seal(&bytes))),
            (Kept::Bytes(bytes), None) => (length(&bytes), Blob::default()),
        }
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
