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
/// too is what was typed in the 150 ms before.
#[derive(Debug, Default)]
pub struct Keeper {
    waiting: VecDeque<Waiting>,
    /// Keys are secret until a newline is typed and the terminal no longer hides.
    secret: bool,
    /// The last secret key was a newline.
    ended: bool,
}

impl Keeper {
    /// Nothing typed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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
            ..Self::default()
        };
        self.waiting
            .drain(..)
            .map(|waiting| waiting.what.kept())
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    fn bytes(text: &str) -> Kept {
        Kept::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn keys_are_kept_after_a_wait_and_in_order() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"l", Echo::Raw, start);
        keeper.typed(b"s", Echo::Echo, at(start, 100));
        assert_eq!(keeper.due(at(start, 149)), []);
        assert_eq!(keeper.next_due(), Some(at(start, 150)));
        assert_eq!(keeper.due(at(start, 150)), [bytes("l")]);
        assert_eq!(keeper.due(at(start, 999)), [bytes("s")]);
        assert_eq!(keeper.next_due(), None);
    }

    #[test]
    fn a_password_typed_key_by_key_is_one_rounded_count() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        for key in b"hunter2" {
            keeper.typed(&[*key], Echo::Hidden, start);
        }
        assert_eq!(keeper.due(at(start, 5_000)), [], "the line is not over");
        keeper.typed(b"\r", Echo::Hidden, at(start, 5_000));
        keeper.typed(b"ls\r", Echo::Raw, at(start, 5_100));
        assert_eq!(
            keeper.due(at(start, 9_000)),
            [Kept::Count(8), bytes("ls\r")]
        );
    }

    #[test]
    fn keys_stay_secret_until_newline_and_echo_is_back() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"pass", Echo::Hidden, start);
        keeper.typed(b"word", Echo::Echo, at(start, 200));
        keeper.typed(b"s\r", Echo::Echo, at(start, 400));
        keeper.typed(b"ls", Echo::Echo, at(start, 600));
        assert_eq!(keeper.due(at(start, 9_000)), [Kept::Count(16), bytes("ls")]);
    }

    #[test]
    fn keys_typed_just_before_the_prompt_are_redacted() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"sudo id\r", Echo::Raw, start);
        keeper.typed(b"hun", Echo::Raw, at(start, 500));
        keeper.typed(b"ter2\r", Echo::Hidden, at(start, 600));
        assert_eq!(
            keeper.due(at(start, 9_000)),
            [bytes("sudo id\r"), Kept::Count(8)]
        );
    }

    #[test]
    fn a_prompt_seen_without_a_key_redacts_too() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"hunter2xy\r", Echo::Raw, start);
        keeper.saw(Echo::Hidden, at(start, 149));
        assert_eq!(keeper.due(at(start, 150)), []);
        assert_eq!(keeper.finish(), [Kept::Count(16)]);
    }

    #[test]
    fn two_passwords_are_two_counts() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"first\r", Echo::Hidden, start);
        keeper.typed(b"a longer second\r", Echo::Hidden, at(start, 200));
        assert_eq!(
            keeper.due(at(start, 999)),
            [Kept::Count(8), Kept::Count(16)]
        );
    }

    #[test]
    fn of_a_huge_paste_only_the_size_is_kept() {
        let (mut keeper, start) = (Keeper::new(), Instant::now());
        keeper.typed(b"a", Echo::Raw, start);
        keeper.typed(&vec![b'x'; MOST_WAITING], Echo::Raw, start);
        assert_eq!(
            keeper.due(at(start, 150)),
            [bytes("a"), Kept::Count(1024 * 1024)]
        );
    }
}
