//! Folders and files that only their owner reads.

use crate::StartError;
use rand::RngExt;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// A new temporary folder, gone when dropped, into which Postgres' own user can look when a test runs as root.
pub fn scratch_dir() -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new()
        .prefix("duplex-")
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
}

/// Makes a folder that others may pass through but not list.
pub(crate) fn make_folder(path: &Path) -> Result<(), StartError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(path)
        .map_err(StartError::io(format!(
            "make the folder {}",
            path.display()
        )))
}

/// Writes a file whole, readable by its owner alone.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

/// The password kept in `path`, made at the first call.
pub(crate) fn password(path: &Path) -> Result<String, StartError> {
    let doing = || StartError::io(format!("keep the password in {}", path.display()));
    match fs::read_to_string(path) {
        Ok(kept) => Ok(kept.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Letters and digits that need no quoting in an address; the `p` keeps nats.conf from reading a number.
            let fresh = format!("p{:032x}", rand::rng().random::<u128>());
            write_private(path, fresh.as_bytes()).map_err(doing())?;
            Ok(fresh)
        }
        Err(error) => Err(doing()(error)),
    }
}

/// What a server's log says about its end: its last fatal line, else its last one.
pub(crate) fn last_words(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let fatal = |line: &&str| line.contains("FATAL:") || line.contains("[FTL]");
    let Some(line) = text.lines().rev().find(fatal) else {
        return last_line_of(text.as_bytes());
    };
    let words = line.split_once("FATAL:").or(line.split_once("[FTL]"));
    words.map_or(line, |(_, words)| words).trim().to_owned()
}

/// The last line that says something.
pub(crate) fn last_line_of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").trim().to_owned()
}
