//! Whether a chain of records is whole.

use super::{Hash, Record, VERSION};
use crate::TeamId;

/// How far a chain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub team: Option<TeamId>,
    /// The newest record; zero before the first.
    pub n: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first record.
    #[must_use]
    pub fn start(team: Option<TeamId>) -> Self {
        let hash = Hash::before_first(team);
        Self { team, n: 0, hash }
    }
}

impl From<&Record> for Head {
    fn from(record: &Record) -> Self {
        let (team, n, hash) = (record.team, record.n, record.hash.clone());
        Self { team, n, hash }
    }
}

/// Where a chain breaks: the line, counted from 1, and what was done there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cut}")]
pub struct Break {
    /// Which line.
    pub line: u64,
    /// What is wrong with it.
    pub cut: Cut,
}

/// How a chain can be broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// What it says is not what was written.
    #[error("record {n} was changed: it does not have the hash of what it says")]
    Changed {
        /// The record that belongs here.
        n: u64,
    },
    /// Records that must come before it are nowhere.
    #[error("records {from} to {to} were removed")]
    Removed {
        /// The first that is gone.
        from: u64,
        /// The last that is gone.
        to: u64,
    },
    /// The chain does not begin with its first record.
    #[error("the beginning was cut off: records 1 to {to} are missing")]
    Beheaded {
        /// The last that is gone.
        to: u64,
    },
    /// It stands elsewhere than where it was written.
    #[error("record {n} is out of its order: record {expected} belongs here, and comes later")]
    Reordered {
        /// The record that stands here.
        n: u64,
        /// The one that belongs here.
        expected: u64,
    },
    /// It does not belong to this chain at this place.
    #[error("record {n} was put in: it does not follow the record before it")]
    Inserted {
        /// Its number.
        n: u64,
    },
    /// It belongs to another team's chain.
    #[error("record {n} is of another team's chain")]
    Foreign {
        /// Its number.
        n: u64,
    },
    /// A newer program wrote it.
    #[error("record {n} was written by a newer version of Duplex; check it with that one")]
    Newer {
        /// Its number.
        n: u64,
    },
}

/// What is wrong with a record, as far as it can be told without those behind it.
enum Found {
    Cut(Cut),
    /// One or more before it are missing here.
    Gap(u64),
}

/// Checks one chain, record by record.
#[derive(Clone, Debug)]
pub struct Checker {
    head: Option<Head>,
}

impl Checker {
    /// From the first record on, of whichever team comes.
    #[must_use]
    pub fn new() -> Self {
        Self { head: None }
    }

    /// From behind a record that is known to be right.
    #[must_use]
    pub fn behind(head: Head) -> Self {
        Self { head: Some(head) }
    }

    /// How far the chain is right; nothing before its first line.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes in the next record, as it was written.
    ///
    /// # Errors
    /// What is wrong with it. A record that is missing counts as removed: whether it comes later, [`check`] tells.
    pub fn take(&mut self, line: &str) -> Result<&Head, Cut> {
        match self.look(line) {
            Ok(record) => Ok(self.head.insert(Head::from(&record))),
            Err(Found::Cut(cut)) => Err(cut),
            Err(Found::Gap(n)) => Err(self.gap(n)),
        }
    }

    fn expected(&self) -> u64 {
        self.head.as_ref().map_or(1, |head| head.n + 1)
    }

    fn gap(&self, n: u64) -> Cut {
        match self.expected() {
            1 => Cut::Beheaded { to: n - 1 },
            from => Cut::Removed { from, to: n - 1 },
        }
    }

    fn look(&self, line: &str) -> Result<Record, Found> {
        let expected = self.expected();
        let changed = || Found::Cut(Cut::Changed { n: expected });
        let record: Record = serde_json::from_str(line).map_err(|_| changed())?;
        let n = record.n;
        if record.v > VERSION {
            return Err(Found::Cut(Cut::Newer { n }));
        }
        if record.line() != line || record.right_hash() != record.hash {
            return Err(changed());
        }
        let start = || Head::start(record.team);
        let head = self.head.clone().unwrap_or_else(start);
        if head.team != record.team {
            return Err(Found::Cut(Cut::Foreign { n }));
        }
        if n > expected {
            return Err(Found::Gap(n));
        }
        if n < expected || record.prev != head.hash {
            return Err(Found::Cut(Cut::Inserted { n }));
        }
        Ok(record)
    }
}

impl Default for Checker {
    fn default() -> Self {
        Self::new()
    }
}

/// Checks a whole chain: how far it goes, or where it breaks first. Nothing is wrong with no records at all.
///
/// # Errors
/// The first record that is wrong, and why.
pub fn check(lines: impl IntoIterator<Item = String>) -> Result<Option<Head>, Break> {
    let mut checker = Checker::new();
    let mut lines = (1..).zip(lines);
    while let Some((line, text)) = lines.next() {
        let cut = match checker.look(&text) {
            Ok(record) => {
                checker.head = Some(Head::from(&record));
                continue;
            }
            Err(Found::Cut(cut)) => cut,
            Err(Found::Gap(n)) => {
                let expected = checker.expected();
                let later = lines.any(|(_, text)| is(&text, expected));
                if later {
                    Cut::Reordered { n, expected }
                } else {
                    checker.gap(n)
                }
            }
        };
        return Err(Break { line, cut });
    }
    Ok(checker.head)
}

/// Whether a line is a record with this number that nobody changed.
fn is(line: &str, n: u64) -> bool {
    let record = serde_json::from_str::<Record>(line);
    record.is_ok_and(|record| record.n == n && record.right_hash() == record.hash)
}
