//! Files written into a tree that somebody else may be changing: no link leads the way.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, fchmod, fstat, mkdirat, openat, openat2, renameat,
    symlinkat, unlinkat,
};
use rustix::io::Errno;

use crate::WorkspaceError;
use crate::beneath::belong;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// One file as it is to be.
pub(super) struct Content {
    pub(super) path: PathBuf,
    /// Git's mode: `100644`, `100755`, or `120000` for a link, whose target is `bytes`.
    pub(super) mode: String,
    pub(super) bytes: Vec<u8>,
}

/// Removes files, and the folders that are empty then.
pub(super) fn remove(tree: &Path, paths: &[PathBuf]) -> Result<(), WorkspaceError> {
    let root = root(tree)?;
    for path in paths {
        let removed = remove_one(&root, path);
        removed.map_err(|error| failed("remove", path, error))?;
    }
    Ok(())
}

/// Writes files, each whole or not at all.
pub(super) fn replace(tree: &Path, files: &[Content]) -> Result<(), WorkspaceError> {
    let root = root(tree)?;
    for file in files {
        let written = replace_one(&root, file);
        written.map_err(|error| failed("restore", &file.path, error))?;
    }
    Ok(())
}

fn root(tree: &Path) -> Result<OwnedFd, WorkspaceError> {
    openat(CWD, tree, FOLDER, Mode::empty()).map_err(|error| failed("open", tree, error))
}

fn failed(doing: &'static str, path: &Path, error: Errno) -> WorkspaceError {
    WorkspaceError::io(doing, path)(error.into())
}

/// A folder beneath the tree, reached without any link.
fn folder(root: &OwnedFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, FOLDER, Mode::empty(), how)
}

fn remove_one(root: &OwnedFd, path: &Path) -> rustix::io::Result<()> {
    let Some((parent, name)) = path.parent().zip(path.file_name()) else {
        return Ok(());
    };
    match folder(root, parent).and_then(|parent| unlinkat(parent, name, AtFlags::empty())) {
        // Gone, or something else is there by now, which is not what was to be removed.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP) | Ok(()) => {}
        Err(error) => return Err(error),
    }
    for empty in parent.ancestors() {
        let Some((above, name)) = empty.parent().zip(empty.file_name()) else {
            break;
        };
        let gone = folder(root, above).and_then(|above| unlinkat(above, name, AtFlags::REMOVEDIR));
        if gone.is_err_and(|error| error != Errno::NOENT) {
            break;
        }
    }
    Ok(())
}

fn replace_one(root: &OwnedFd, file: &Content) -> rustix::io::Result<()> {
    let Some((parent, name)) = file.path.parent().zip(file.path.file_name()) else {
        return Err(Errno::INVAL);
    };
    let parent = make_folders(root, parent)?;
    let spare = format!(".duplex-{}.tmp", spare());
    let made = fill(&parent, &spare, file).and_then(|()| {
        match renameat(&parent, &spare, &parent, name) {
            // An empty folder is no content; one that is not empty stays, and this is an error.
            Err(Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY) => {
                unlinkat(&parent, name, AtFlags::REMOVEDIR)?;
                renameat(&parent, &spare, &parent, name)
            }
            other => other,
        }
    });
    if made.is_err() {
        let _ = unlinkat(&parent, &spare, AtFlags::empty());
    }
    made
}

fn fill(parent: &OwnedFd, spare: &str, content: &Content) -> rustix::io::Result<()> {
    if content.mode == "120000" {
        return symlinkat(content.bytes.as_slice(), parent, spare);
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(parent, spare, flags, Mode::from_raw_mode(0o600))?;
    belong(&file, fstat(parent));
    let mode = if content.mode == "100755" {
        0o755
    } else {
        0o644
    };
    fchmod(&file, Mode::from_raw_mode(mode))?;
    let written = File::from(file).write_all(&content.bytes);
    written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

fn make_folders(root: &OwnedFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    match folder(root, path) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::NOENT);
    };
    let above = make_folders(root, parent)?;
    mkdirat(&above, name, Mode::from_raw_mode(0o755))?;
    let made = folder(root, path)?;
    belong(&made, fstat(&above));
    Ok(made)
}

/// A word nobody can foresee, so that nothing waits behind it.
fn spare() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
