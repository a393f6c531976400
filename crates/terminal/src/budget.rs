//! Decides how much of a terminal's output the log keeps.

use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// What was left out is told so often at most: what people see of a flood is the screens told with it.
const TELL_EVERY: Duration = Duration::from_millis(100);
/// However large a screen is, the next one comes after so long.
const LONGEST_QUIET: Duration = Duration::from_secs(2);
/// Output that stops for so long has come to its end, such as a prompt.
const RESTS: Duration = Duration::from_millis(10);
/// How often what a key does is told early.
const HURRIES: u8 = 3;
const NANOS: u128 = 1_000_000_000;

/// How much output is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowance {
    /// Bytes that may come at once.
    pub burst: u64,
    /// Bytes a second that are allowed besides.
    pub refill: u64,
    /// Bytes that must be allowed again before output is kept after some was left out, so that a flood becomes one gap
    /// rather than a thousand.
    pub resume: u64,
}

impl Default for Allowance {
    /// 16 MiB at once, 256 KiB a second, and a quarter of a second before output is kept again.
    fn default() -> Self {
        Self {
            burst: 16 * 1024 * 1024,
            refill: 256 * 1024,
            resume: 64 * 1024,
        }
    }
}

/// Output that the log does not have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Elided {
    /// How many bytes of output came before it.
    pub from: u64,
    /// How many had come after it.
    pub to: u64,
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
}

impl Elided {
    /// How many bytes were left out.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.to - self.from
    }

    /// The digest in hexadecimal.
    #[must_use]
    pub fn digest_hex(&self) -> String {
        let digits = self.digest.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<Vec<_>>().concat()
    }
}

/// What is to be done with a piece of output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Keep it. If something was left out just before, that is told first, with a screen.
    Keep(Option<Elided>),
    /// Leave it out.
    Elide,
}

#[derive(Debug)]
struct Gap {
    from: u64,
    since: Instant,
    digest: Sha256,
}

/// One terminal's allowance: a token bucket. It knows no clock and no log.
///
/// Whenever it gives an [`Elided`], that is to be appended, and a screen saved that stands for it; [`told`](Self::told)
/// then takes note of the screen's size, so that screens take no more room in the log than output may.
#[derive(Debug)]
pub struct Budget {
    allowance: Allowance,
    tokens: u64,
    filled: Instant,
    /// Bytes of output so far.
    offset: u64,
    gap: Option<Gap>,
    /// Output is being left out, until enough is allowed again.
    over: bool,
    /// Before this, nothing is told unless it must be.
    quiet_until: Instant,
    /// When output was last left out.
    latest: Instant,
    /// How many more times what somebody's keys do is told as soon as output rests.
    hurried: u8,
}

impl Budget {
    /// A full allowance for a terminal that has put out `offset` bytes.
    #[must_use]
    pub fn new(allowance: Allowance, offset: u64, now: Instant) -> Self {
        Self {
            allowance,
            tokens: allowance.burst,
            filled: now,
            offset,
            gap: None,
            over: false,
            quiet_until: now,
            latest: now,
            hurried: 0,
        }
    }

    /// Decides about the next piece of output, as a whole.
    pub fn take(&mut self, bytes: &[u8], now: Instant) -> Verdict {
        self.fill(now);
        if bytes.is_empty() && !self.over {
            return Verdict::Keep(None);
        } else if bytes.is_empty() {
            return Verdict::Elide;
        }
        let (length, from) = (bytes.len() as u64, self.offset);
        self.offset += length;
        let needed = if self.over {
            length.max(self.allowance.resume.min(self.allowance.burst))
        } else {
            length
        };
        if self.tokens >= needed {
            self.tokens -= length;
            (self.over, self.hurried) = (false, 0);
            return Verdict::Keep(self.close(from));
        }
        let gap = self.gap.get_or_insert_with(|| Gap {
            from,
            since: now,
            digest: Sha256::new(),
        });
        gap.digest.update(bytes);
        (self.over, self.latest) = (true, now);
        Verdict::Elide
    }

    /// What is to be told by now of what was left out.
    pub fn due(&mut self, now: Instant) -> Option<Elided> {
        let due = self.next_due().is_some_and(|due| due <= now);
        due.then(|| self.finish()).flatten()
    }

    /// When [`due`](Self::due) will next have something.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let gap = self.gap.as_ref()?;
        let turn = self.quiet_until.max(gap.since + TELL_EVERY);
        let rest = (self.hurried > 0).then_some(self.latest + RESTS);
        Some(rest.map_or(turn, |rest| turn.min(rest)))
    }

    /// Somebody typed, and waits for what it does, such as an end of the flood: what is left out is told as soon as output
    /// rests. A few times, since an echo may rest before the prompt comes.
    pub fn hurry(&mut self, now: Instant) {
        (self.hurried, self.latest) = (HURRIES, now);
    }

    /// The piece that was left out is drawn now; that takes time in which more may have come.
    pub fn drawn(&mut self, now: Instant) {
        self.latest = now;
    }

    /// What was left out was told with a screen of so many bytes. The larger the screen, the later the next.
    pub fn told(&mut self, screen: usize, now: Instant) {
        let nanos = screen as u128 * NANOS / u128::from(self.allowance.refill).max(1);
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        self.quiet_until = now + Duration::from_nanos(nanos).clamp(TELL_EVERY, LONGEST_QUIET);
        if now >= self.latest + RESTS {
            self.hurried = self.hurried.saturating_sub(1);
        }
    }

    /// Everything left out that was not told, at once: since the terminal ends, or a screen is to be saved.
    pub fn finish(&mut self) -> Option<Elided> {
        self.close(self.offset)
    }

    /// Whether output is being left out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    fn close(&mut self, to: u64) -> Option<Elided> {
        self.gap.take().map(|gap| Elided {
            from: gap.from,
            to,
            digest: gap.digest.finalize().into(),
        })
    }

    /// Adds what time has allowed; the part of a byte is left for later.
    fn fill(&mut self, now: Instant) {
        let Allowance { burst, refill, .. } = self.allowance;
        let passed = now.saturating_duration_since(self.filled).as_nanos();
        let gained = passed * u128::from(refill) / NANOS;
        let missing = u128::from(burst - self.tokens);
        if gained >= missing {
            (self.tokens, self.filled) = (burst, self.filled.max(now));
            return;
        }
        self.tokens += u64::try_from(gained).unwrap_or(u64::MAX);
        let used = (gained * NANOS).div_ceil(u128::from(refill).max(1));
        self.filled += Duration::from_nanos(u64::try_from(used).unwrap_or(u64::MAX));
    }
}
