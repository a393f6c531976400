//! Files of a worktree, opened so that no path and no symbolic link leads out of it.

mod place;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, DirEntry, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2,
    readlinkat, statat,
};
use rustix::io::Errno;

use crate::names::visible;

pub(crate) use place::belong;

/// Why a path cannot be used, worded for the model that gave it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error("the path is empty: give one relative to the worktree, like src/main.rs")]
    Empty,
    #[error("{0} leads outside the worktree: only files inside it can be used")]
    Outside(String),
    #[error("{0} belongs to git: change it with git commands through bash")]
    Git(String),
    #[error("there is no file {0}: use glob to find the right name")]
    Missing(String),
    #[error("{0} is a folder, not a file: list it with glob")]
    Folder(String),
    #[error("{0} is not a regular file and cannot be used")]
    Special(String),
    #[error("{0} cannot be there: a file or a link is where a folder must be")]
    InTheWay(String),
    #[error(
        "this kernel has no openat2 call (Linux 5.6 or newer has), so files cannot be opened safely: use bash"
    )]
    Unsupported,
    #[error("{path} could not be used: {source}")]
    Io { path: String, source: io::Error },
}

impl PathError {
    fn of(path: &Path) -> impl FnOnce(Errno) -> Self {
        let path = Self::name(path);
        move |errno| match errno {
            Errno::XDEV | Errno::LOOP => Self::Outside(path),
            Errno::NOENT => Self::Missing(path),
            Errno::ISDIR => Self::Folder(path),
            Errno::NOTDIR | Errno::EXIST => Self::InTheWay(path),
            Errno::NXIO => Self::Special(path),
            Errno::NOSYS => Self::Unsupported,
            other => Self::Io {
                path,
                source: other.into(),
            },
        }
    }

    fn folder(path: &Path) -> Self {
        Self::Folder(Self::name(path))
    }

    /// A path as it is shown in messages.
    fn name(path: &Path) -> String {
        visible(&path.to_string_lossy())
    }
}

/// What lies in a folder.
pub(crate) struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is; a link is a link.
    pub kind: FileType,
}

/// The root of a worktree, held open.
pub(crate) struct Beneath {
    root: PathBuf,
    folder: OwnedFd,
}

impl Beneath {
    pub(crate) fn open(root: &Path) -> Result<Self, PathError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, root, flags, Mode::empty()).map_err(PathError::of(root))?;
        Ok(Self {
            root: root.to_owned(),
            folder,
        })
    }

    /// The path as seen from the worktree, with `.` and `..` taken out of it.
    pub(crate) fn relative(&self, path: &str) -> Result<PathBuf, PathError> {
        let outside = || PathError::Outside(visible(path));
        let inner = Path::new(path);
        let inner = if inner.is_absolute() {
            inner.strip_prefix(&self.root).map_err(|_| outside())?
        } else {
            inner
        };
        let mut clean = PathBuf::new();
        for part in inner.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                Component::ParentDir if clean.pop() => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                    return Err(outside());
                }
            }
        }
        if clean.as_os_str().is_empty() {
            Err(PathError::Empty)
        } else {
            Ok(clean)
        }
    }

    /// Opens a regular file for reading, through links that stay inside.
    pub(crate) fn read(&self, path: &Path) -> Result<File, PathError> {
        self.open_file(path, ResolveFlags::empty())
    }

    /// Opens a regular file for reading, through no link at all.
    pub(crate) fn read_plain(&self, path: &Path) -> Result<File, PathError> {
        self.open_file(path, ResolveFlags::NO_SYMLINKS)
    }

    /// Where a link leads, reached through no other link.
    pub(crate) fn link(&self, path: &Path) -> Result<PathBuf, PathError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let parent = self
            .path_to(parent.unwrap_or(Path::new(".")), ResolveFlags::NO_SYMLINKS)
            .map_err(PathError::of(path))?;
        let name = path.file_name().ok_or(PathError::Empty)?;
        let link = openat(&parent, name, flags, Mode::empty()).map_err(PathError::of(path))?;
        let target = readlinkat(&link, "", Vec::new()).map_err(PathError::of(path))?;
        Ok(PathBuf::from(OsStr::from_bytes(target.to_bytes())))
    }

    /// Never waits, as opening a pipe would.
    fn open_file(&self, path: &Path, how: ResolveFlags) -> Result<File, PathError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = resolve(&self.folder, path, flags, how).map_err(PathError::of(path))?;
        let stat = fstat(&file).map_err(PathError::of(path))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            FileType::Directory => Err(PathError::folder(path)),
            _ => Err(PathError::Special(PathError::name(path))),
        }
    }

    /// The real path a write to `path` would go to: through links that stay inside, and never into git's own.
    pub(crate) fn target(&self, path: &Path) -> Result<PathBuf, PathError> {
        let real = self.real(path)?;
        if real.starts_with(".git") {
            return Err(PathError::Git(PathError::name(path)));
        }
        Ok(real)
    }

    /// What is at `path`, wherever links that stay inside lead: its real path, and whether it is a folder.
    pub(crate) fn find(&self, path: &Path) -> Result<(PathBuf, bool), PathError> {
        let here = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let found = self
            .path_to(here, ResolveFlags::empty())
            .map_err(PathError::of(path))?;
        let stat = fstat(&found).map_err(PathError::of(path))?;
        let folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        Ok((self.name_of(&found, path)?, folder))
    }

    /// When a file was last changed, in seconds and nanoseconds since 1970; of a link nothing is said.
    pub(crate) fn modified(&self, path: &Path) -> Option<(i64, u64)> {
        let file = self.path_to(path, ResolveFlags::NO_SYMLINKS).ok()?;
        let stat = fstat(&file).ok()?;
        Some((stat.st_mtime, stat.st_mtime_nsec))
    }

    /// At most `most` of a folder's entries, by name. No link is followed.
    pub(crate) fn list(&self, path: &Path, most: usize) -> Result<Vec<Entry>, PathError> {
        let here = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = resolve(&self.folder, here, flags, ResolveFlags::NO_SYMLINKS)
            .map_err(PathError::of(path))?;
        let entries = Dir::read_from(&folder).map_err(PathError::of(path))?;
        let mut found: Vec<Entry> = entries
            .filter_map(|entry| entry_of(&folder, &entry.ok()?))
            .take(most)
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    fn path_to(&self, path: &Path, how: ResolveFlags) -> rustix::io::Result<OwnedFd> {
        resolve(&self.folder, path, OFlags::PATH | OFlags::CLOEXEC, how)
    }

    fn real(&self, path: &Path) -> Result<PathBuf, PathError> {
        if path.as_os_str().is_empty() {
            return Ok(PathBuf::new());
        }
        match resolve(
            &self.folder,
            path,
            OFlags::PATH | OFlags::CLOEXEC,
            ResolveFlags::empty(),
        ) {
            Ok(file) => self.name_of(&file, path),
            Err(Errno::NOENT) => {
                let parent = self.real(path.parent().unwrap_or(Path::new("")))?;
                Ok(parent.join(path.file_name().unwrap_or_default()))
            }
            Err(errno) => Err(PathError::of(path)(errno)),
        }
    }

    fn name_of(&self, file: &OwnedFd, asked: &Path) -> Result<PathBuf, PathError> {
        let asked = || PathError::name(asked);
        let full = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).map_err(
            |source| PathError::Io {
                path: asked(),
                source,
            },
        )?;
        full.strip_prefix(&self.root)
            .map(Path::to_owned)
            .map_err(|_| PathError::Outside(asked()))
    }
}

/// Opens beneath the folder, whatever links say. The kernel asks to try again when names moved meanwhile.
fn resolve(
    folder: &OwnedFd,
    path: &Path,
    flags: OFlags,
    more: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | more;
    let mut tries = 0;
    loop {
        match openat2(folder.as_fd(), path, flags, Mode::empty(), how) {
            Err(Errno::AGAIN) if tries < 16 => tries += 1,
            other => return other,
        }
    }
}

fn entry_of(folder: &OwnedFd, entry: &DirEntry) -> Option<Entry> {
    let name = entry.file_name();
    if matches!(name.to_bytes(), b"." | b"..") {
        return None;
    }
    let mut kind = entry.file_type();
    if kind == FileType::Unknown {
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        kind = FileType::from_raw_mode(stat.st_mode);
    }
    let name = OsStr::from_bytes(name.to_bytes()).to_owned();
    Some(Entry { name, kind })
}
