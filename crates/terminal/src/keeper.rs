//! Decides what of the typed keys may be kept.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long keys wait before they may be kept, so that those typed just before a password prompt are redacted.
const WAIT: Duration = Duration::from_millis(150);
/// How many waiting bytes are remembered; of what is typed beyond, only the number is kept.
const MOST_WAITING: usize = 1024 * 1024;

/// What a terminal does with typed keys, as its settings say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Echo {
    /// Shows them.
    Echo,
    /// Reads lines and does not show them: a password prompt (`ICANON` without `ECHO`).
    Hidden,
    /// Leaves them to the program: a line editor or a full-screen program.
    Raw,
}

/// What may be kept of typed keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// The keys themselves.
    Bytes(Vec<u8>),
    /// About how many there were: rounded up to a multiple of 8.
    Count(u32),
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    what: What,
}

#[derive(Debug)]
enum What {
    Bytes(Vec<u8>),
    Secret { bytes: usize, done: bool },
}

/// One typist's keys at one terminal, waiting to be kept.
///
/// While the terminal hides what is typed, only a count is kept, one for the whole line, since a count for each
/// key would tell the length. It stays so until a newline was typed and the terminal no longer hides. Redacted
/// too is what was typed in the 150 ms before. A program that reads keys itself (`Raw`) cannot be told from any
/// other, so for its passwords there is [`private`](Self::private).
#[derive(Debug, Default)]
pub struct Keeper {
    waiting: VecDeque<Waiting>,
    /// Keys are secret until a newline is typed and the terminal no longer hides.
    secret: bool,
    /// The last secret key was a newline.
    ended: bool,
    /// The typist asked that nothing be kept.
    private: bool,
}

impl Keeper {
    /// Nothing typed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on, of all keys only a count is kept whatever the terminal does, or no longer so. Redacted too is what
    /// was typed in the 150 ms before it was switched on; switching it off ends a count, but not a password prompt's.
    pub fn private(&mut self, private: bool, now: Instant) {
        if private {
            self.redact(now);
        } else if self.private && !self.secret {
            self.end_line();
        }
        self.private = private;
    }

    /// Whether only a count is kept of what is typed now: viewers are to see it.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.private || self.secret
    }

    /// Takes typed keys, and what the terminal did with keys just before they were written to it.
    pub fn typed(&mut self, bytes: &[u8], echo: Echo, now: Instant) {
        self.saw(echo, now);
        if bytes.is_empty() {
            return;
        }
        if self.secret {
            self.ended = if echo == Echo::Hidden {
                ends_line(bytes)
            } else {
                bytes.iter().any(|byte| is_newline(*byte))
            };
            self.hide(bytes.len(), self.ended, now);
        } else if self.private {
            self.hide(bytes.len(), ends_line(bytes), now);
        } else if self.waiting_bytes() + bytes.len() > MOST_WAITING {
            self.hide(bytes.len(), true, now);
        } else {
            self.waiting.push_back(Waiting {
                since: now,
                what: What::Bytes(bytes.to_vec()),
            });
        }
    }

    /// Takes note of what the terminal does with keys. Call it before [`due`](Self::due) as well: a prompt may have
    /// come up after the last key.
    pub fn saw(&mut self, echo: Echo, now: Instant) {
        if echo == Echo::Hidden {
            self.redact(now);
            self.secret = true;
        } else if self.secret && self.ended {
            self.secret = false;
            self.ended = false;
        }
    }

    /// What may be kept by now, in the order it was typed.
    pub fn due(&mut self, now: Instant) -> Vec<Kept> {
        let mut kept = Vec::new();
        while self.next_due().is_some_and(|due| due <= now) {
            kept.extend(self.waiting.pop_front().map(|waiting| waiting.what.kept()));
        }
        kept
    }

    /// When [`due`](Self::due) will next have something, if no more keys come.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let first = self.waiting.front()?;
        let open = matches!(first.what, What::Secret { done: false, .. });
        (!open).then(|| first.since + WAIT)
    }

    /// What may be kept of everything that still waits, since the terminal is gone.
    pub fn finish(&mut self) -> Vec<Kept> {
        *self = Self {
            waiting: std::mem::take(&mut self.waiting),
            private: self.private,
            ..Self::default()
        };
        self.waiting
            .drain(..)
            .map(|waiting| waiting.what.kept())
            .collect()
    }

    fn end_line(&mut self) {
        if let Some(Waiting {
            what: What::Secret { done, .. },
            ..
        }) = self.waiting.back_mut()
        {
            *done = true;
        }
    }

    fn waiting_bytes(&self) -> usize {
        self.waiting
            .iter()
            .map(|waiting| waiting.what.open_bytes())
            .sum()
    }

    /// Adds to the secret line that is being typed, or begins one.
    fn hide(&mut self, count: usize, line_ends: bool, now: Instant) {
        if let Some(Waiting {
            since,
            what: What::Secret { bytes, done },
        }) = self.waiting.back_mut()
            && !*done
        {
            (*since, *done, *bytes) = (now, line_ends, bytes.saturating_add(count));
            return;
        }
        self.waiting.push_back(Waiting {
            since: now,
            what: What::Secret {
                bytes: count,
                done: line_ends,
            },
        });
    }

    /// Makes secret what was typed in the last moments.
    fn redact(&mut self, now: Instant) {
        let fresh = |waiting: &Waiting| {
            matches!(waiting.what, What::Bytes(_))
                && now.saturating_duration_since(waiting.since) < WAIT
        };
        let Some(first) = self.waiting.iter().position(fresh) else {
            return;
        };
        let bytes = self
            .waiting
            .drain(first..)
            .map(|waiting| waiting.what.len())
            .sum();
        self.waiting.push_back(Waiting {
            since: now,
            what: What::Secret { bytes, done: false },
        });
    }
}

impl What {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Secret { bytes, .. } => *bytes,
        }
    }

    /// Bytes held in memory.
    fn open_bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Secret { .. } => 0,
        }
    }

    fn kept(self) -> Kept {
        match self {
            Self::Bytes(bytes) => Kept::Bytes(bytes),
            Self::Secret { bytes, .. } => {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX - 7);
                Kept::Count(bytes.checked_next_multiple_of(8).unwrap_or(u32::MAX - 7))
            }
        }
    }
}

fn ends_line(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|byte| is_newline(*byte))
}

/// Enter sends a carriage return.
fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}
