//! A user of its own for each session: which ids there are, and who has which.

use std::fmt;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

/// The file in a session's folder that names its user.
const OWN: &str = "user";
/// The file beside the sessions' folders with the next place in the range, and how many were given. No session can be
/// called so.
const COUNTER: &str = ".users";
/// Where ids are that others on this machine use, or may use: a file, and which columns hold the first id and how many
/// there are. A user or group is one.
const TAKEN: [(&str, [usize; 2]); 3] = [
    ("/etc/passwd", [2, usize::MAX]),
    ("/etc/group", [2, usize::MAX]),
    ("/etc/subuid", [1, 2]),
];

/// The user ids that sessions may be given; the same numbers are their groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Users(Option<RangeInclusive<u32>>);

impl Users {
    /// Sessions run as the server's user.
    pub const NONE: Self = Self(None);

    /// The first id, which no session gets: the sandbox is tried out with it.
    pub(super) fn trial(&self) -> Option<u32> {
        self.0.as_ref().map(|range| *range.start())
    }

    /// The user of the session in `folder`, beneath `under`, chosen once. Ids in use on this machine are left out, and
    /// where in the range a data folder begins depends on its name, so that two servers hardly ever use the same.
    pub(crate) fn assign(&self, under: &Path, folder: &Path) -> io::Result<u32> {
        if let Some(user) = assigned(folder) {
            return Ok(user);
        }
        let range = self
            .0
            .as_ref()
            .ok_or_else(|| io::Error::other("no users"))?;
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(under.join(COUNTER))?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut counter = Counter::read(&text).unwrap_or_else(|| Counter::new(under));
        let user = counter.next(range, &taken()).ok_or_else(|| {
            io::Error::other(format!("all of {range:?} are given: allow more users"))
        })?;
        file.rewind()?;
        file.set_len(0)?;
        write!(file, "{} {}", counter.place, counter.given)?;
        let spare = folder.join("user.new");
        fs::write(&spare, user.to_string())?;
        fs::rename(&spare, folder.join(OWN))?;
        Ok(user)
    }
}

impl Default for Users {
    fn default() -> Self {
        Self(Some(2_000_000_000..=2_000_999_999))
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(range) => write!(f, "{}-{}", range.start(), range.end()),
            None => f.write_str("none"),
        }
    }
}

impl FromStr for Users {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "none" {
            return Ok(Self::NONE);
        }
        let ends = word.split_once('-');
        let ends = ends.and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match ends {
            Some((first, last)) if 0 < first && first < last && last < u32::MAX => {
                Ok(Self(Some(first..=last)))
            }
            _ => Err(format!(
                "{word:?} is no range of user ids: write it as 2000000000-2000999999, or none"
            )),
        }
    }
}

/// The user the session in `folder` was given.
pub(crate) fn assigned(folder: &Path) -> Option<u32> {
    let text = fs::read_to_string(folder.join(OWN)).ok()?;
    text.trim().parse().ok()
}

/// Where the next id is taken from.
struct Counter {
    /// Counted from the start of the range, and over its end again.
    place: u64,
    given: u64,
}

impl Counter {
    fn read(text: &str) -> Option<Self> {
        let (place, given) = text.trim().split_once(' ')?;
        Some(Self {
            place: place.parse().ok()?,
            given: given.parse().ok()?,
        })
    }

    fn new(under: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        under.hash(&mut hasher);
        Self {
            place: hasher.finish() >> 32,
            given: 0,
        }
    }

    fn next(&mut self, range: &RangeInclusive<u32>, taken: &[(u64, u64)]) -> Option<u32> {
        // The first is for trials.
        let first = u64::from(*range.start()) + 1;
        let size = u64::from(*range.end()) + 1 - first;
        while self.given < size {
            let id = first + self.place % size;
            self.place += 1;
            self.given += 1;
            if !taken.iter().any(|(from, to)| (*from..*to).contains(&id)) {
                return u32::try_from(id).ok();
            }
        }
        None
    }
}

/// The first id and the one behind the last of each range in use.
fn taken() -> Vec<(u64, u64)> {
    let mut taken = Vec::new();
    for (file, columns) in TAKEN {
        let text = fs::read_to_string(file).unwrap_or_default();
        taken.extend(text.lines().filter_map(|line| ids(line, columns)));
    }
    taken
}

fn ids(line: &str, [first, number]: [usize; 2]) -> Option<(u64, u64)> {
    let words: Vec<&str> = line.split(':').collect();
    let first: u64 = words.get(first)?.parse().ok()?;
    let number = words
        .get(number)
        .map_or(Some(1), |word| word.parse().ok())?;
    Some((first, first.saturating_add(number)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_written() {
        for word in ["2000000000-2000999999", "none", "60000-64000"] {
            assert_eq!(word.parse::<Users>().unwrap().to_string(), word);
        }
        for wrong in ["", "5", "0-9", "9-5", "1-4294967295", "a-b"] {
            assert!(wrong.parse::<Users>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_id_is_given_once_and_ids_in_use_never() {
        let mut counter = Counter { place: 2, given: 0 };
        let taken = [(12, 13), (14, 16)];

        let given: Vec<_> = std::iter::from_fn(|| counter.next(&(10..=17), &taken)).collect();

        assert_eq!(given, [13, 16, 17, 11]);
    }

    #[test]
    fn a_session_keeps_its_user() {
        let folder = tempfile::TempDir::new().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::create_dir_all(&one).unwrap();
        fs::create_dir_all(&two).unwrap();
        let users = Users::default();

        let first = users.assign(folder.path(), &one).unwrap();

        assert_ne!(users.assign(folder.path(), &two).unwrap(), first);
        assert_eq!(users.assign(folder.path(), &one).unwrap(), first);
        assert_eq!(assigned(&one), Some(first));
    }

    #[test]
    fn ids_of_the_machines_own_files_are_understood() {
        assert_eq!(
            ids("ada:x:1000:1000::/home/ada:/bin/sh", TAKEN[0].1),
            Some((1000, 1001))
        );
        assert_eq!(
            ids("ada:100000:65536", TAKEN[2].1),
            Some((100_000, 165_536))
        );
        assert_eq!(ids("# nothing", TAKEN[0].1), None);
    }
}
