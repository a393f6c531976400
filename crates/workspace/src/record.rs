//! The output of a call: head and tail for the model, the whole of a long one in a file that can be read on.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};
use tokio::io::AsyncWriteExt;

use crate::beneath::{Beneath, Entry, belong};
use crate::clip::{Kept, MAX_BYTES};

/// The folder of kept outputs, in the session's home, where commands find it too.
pub(crate) const FOLDER: &str = "outputs";

/// More files than this are not looked at.
const MOST_FILES: usize = 10_000;

/// How much is kept of outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes of one output.
    pub call: usize,
    /// Bytes of all outputs of a session; the oldest go first.
    pub session: u64,
}

/// What is kept of an output.
pub(crate) struct Record {
    kept: Kept,
    full: Full,
    home: PathBuf,
    room: Room,
}

/// The whole text, as far as there is room.
enum Full {
    /// Short so far.
    Held(Vec<u8>),
    Filed {
        file: tokio::fs::File,
        name: String,
        written: usize,
    },
    /// There is no file to be had.
    Lost,
}

impl Record {
    pub(crate) fn new(home: &Path, room: Room) -> Self {
        Self {
            kept: Kept::default(),
            full: Full::Held(Vec::new()),
            home: home.to_owned(),
            room,
        }
    }

    /// Like [`Self::new`], for an output that is in its file from the start.
    pub(crate) async fn filed(home: &Path, room: Room) -> Self {
        let mut record = Self::new(home, room);
        record.file().await;
        record
    }

    /// The file the whole text is in, as `read` takes it.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.full {
            Full::Filed { name, .. } => Some(name),
            Full::Held(_) | Full::Lost => None,
        }
    }

    /// Takes the next bytes of the output.
    pub(crate) async fn push(&mut self, bytes: &[u8]) {
        self.kept.push(bytes);
        if let Full::Held(held) = &mut self.full {
            held.extend_from_slice(bytes);
            if held.len() > MAX_BYTES {
                self.file().await;
            }
            return;
        }
        self.write(bytes).await;
    }

    /// What the model reads; if that is not all, it names the file with the rest.
    pub(crate) async fn text(mut self) -> String {
        let shown = self.kept.text();
        if shown.cut && matches!(self.full, Full::Held(_)) {
            self.file().await;
        }
        if let Full::Filed { file, .. } = &mut self.full {
            let _ = file.flush().await;
        }
        match self.name() {
            Some(name) if shown.cut => self.kept.text_with(&advice(name)).text,
            _ => shown.text,
        }
    }

    /// Puts on disk what was only held.
    async fn file(&mut self) {
        let Full::Held(held) = std::mem::replace(&mut self.full, Full::Lost) else {
            return;
        };
        let (home, room) = (self.home.clone(), self.room);
        let made = tokio::task::spawn_blocking(move || create(&home, room)).await;
        if let Ok(Ok((name, file))) = made {
            self.full = Full::Filed {
                file: file.into(),
                name,
                written: 0,
            };
            self.write(&held).await;
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        let Full::Filed { file, written, .. } = &mut self.full else {
            return;
        };
        let left = self.room.call.saturating_sub(*written);
        if left == 0 || bytes.is_empty() {
            return;
        }
        let part = &bytes[..bytes.len().min(left)];
        *written += part.len();
        let mut done = file.write_all(part).await;
        if done.is_ok() && *written == self.room.call {
            let notice = format!("\n[only the first {written} bytes are kept]\n");
            done = file.write_all(notice.as_bytes()).await;
        }
        if done.is_err() {
            self.full = Full::Lost;
        }
    }
}

/// Where to find what was cut.
pub(crate) fn advice(name: &str) -> String {
    format!("all of it is in {name}, page it with read")
}

/// A new file in the folder of outputs, named by the next number; old ones go where there is no room. The folder is
/// as the session's processes left it, so no link in it is followed.
pub(crate) fn create(home: &Path, room: Room) -> io::Result<(String, File)> {
    let beneath = Beneath::open(home).map_err(io::Error::other)?;
    let folder = beneath
        .make_folders(Path::new(FOLDER))
        .map_err(io::Error::other)?;
    let listed = beneath
        .list(Path::new(FOLDER), MOST_FILES)
        .map_err(io::Error::other)?;
    let mut files: Vec<Numbered> = listed.iter().filter_map(numbered).collect();
    files.sort_unstable();
    for file in &mut files {
        let stat = statat(&folder, &file.name, AtFlags::SYMLINK_NOFOLLOW)?;
        file.size = u64::try_from(stat.st_size).unwrap_or(0);
    }
    let mut total: u64 = files.iter().map(|file| file.size).sum();
    for file in &files {
        if total + room.call as u64 <= room.session {
            break;
        }
        unlinkat(&folder, &file.name, AtFlags::empty())?;
        total -= file.size;
    }
    let next = files.last().map_or(1, |file| file.number.saturating_add(1));
    let name = format!("{next:04}.txt");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&folder, &name, flags, Mode::from_raw_mode(0o644))?;
    belong(&file, fstat(&folder));
    Ok((format!("~/{FOLDER}/{name}"), file.into()))
}

/// A kept output.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Numbered {
    number: u64,
    name: String,
    size: u64,
}

fn numbered(entry: &Entry) -> Option<Numbered> {
    let name = entry.name.to_str()?;
    let number = u64::from_str(name.strip_suffix(".txt")?).ok()?;
    (entry.kind == FileType::RegularFile).then(|| Numbered {
        number,
        name: name.to_owned(),
        size: 0,
    })
}
