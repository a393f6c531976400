//! Files of a worktree, opened so that no path and no symbolic link leads out of it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fchmod, fstat, mkdirat, openat, openat2,
    renameat, unlinkat,
};
use rustix::io::Errno;

/// Why a path cannot be used, worded for the model that gave it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PathError {
    #[error("the path is empty: give one relative to the worktree, like src/main.rs")]
    Empty,
    #[error("{0} leads outside the worktree: only files inside it can be used")]
    Outside(String),
    #[error("{0} belongs to git: change it with git commands through bash")]
    Git(String),
    #[error("there is no file {0}: list the folder with bash to find the right name")]
    Missing(String),
    #[error("{0} is a folder, not a file: list it with bash")]
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
        let path = path.display().to_string();
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
}

/// The root of a worktree, held open.
pub(crate) struct Beneath {
    root: PathBuf,
    folder: OwnedFd,
}

/// Where a file is or will be: its real path in the worktree, and its folder.
pub(crate) struct Place {
    /// Relative to the worktree, with no symbolic links left in it.
    pub path: PathBuf,
    folder: OwnedFd,
    name: OsString,
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
        let outside = || PathError::Outside(path.to_owned());
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

    /// Opens a regular file for reading. Never waits, as opening a pipe would.
    pub(crate) fn read(&self, path: &Path) -> Result<File, PathError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = resolve(&self.folder, path, flags, ResolveFlags::empty())
            .map_err(PathError::of(path))?;
        let stat = fstat(&file).map_err(PathError::of(path))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(File::from(file)),
            FileType::Directory => Err(PathError::Folder(path.display().to_string())),
            _ => Err(PathError::Special(path.display().to_string())),
        }
    }

    /// Where a write to `path` goes: through links that stay inside, into folders made as needed.
    pub(crate) fn place(&self, path: &Path) -> Result<Place, PathError> {
        let real = self.real(path)?;
        if real.starts_with(".git") {
            return Err(PathError::Git(path.display().to_string()));
        }
        let name = real.file_name().ok_or(PathError::Empty)?.to_owned();
        let folder = self.make_folders(real.parent().unwrap_or(Path::new("")))?;
        Ok(Place {
            path: real,
            folder,
            name,
        })
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
        let asked = || asked.display().to_string();
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

    fn make_folders(&self, path: &Path) -> Result<OwnedFd, PathError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = self.folder.try_clone().map_err(|source| PathError::Io {
            path: String::new(),
            source,
        })?;
        for name in path.components() {
            let name = Path::new(name.as_os_str());
            let next = resolve(&folder, name, flags, ResolveFlags::NO_SYMLINKS).or_else(|errno| {
                if errno != Errno::NOENT {
                    return Err(errno);
                }
                mkdirat(&folder, name, Mode::from_raw_mode(0o755))?;
                resolve(&folder, name, flags, ResolveFlags::NO_SYMLINKS)
            });
            folder = next.map_err(PathError::of(path))?;
        }
        Ok(folder)
    }
}

impl Place {
    /// Puts `bytes` there in one step: who reads sees the old file or the new one, whole. Keeps the file's mode.
    pub(crate) fn replace(&self, bytes: &[u8]) -> Result<(), PathError> {
        let spare = spare_name();
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, &spare, flags, Mode::from_raw_mode(0o644))
            .map_err(PathError::of(&self.path))?;
        let done = self.fill(File::from(file), bytes).and_then(|()| {
            renameat(&self.folder, &spare, &self.folder, &self.name)
                .map_err(PathError::of(&self.path))
        });
        if done.is_err() {
            let _ = unlinkat(&self.folder, &spare, AtFlags::empty());
        }
        done
    }

    fn fill(&self, mut file: File, bytes: &[u8]) -> Result<(), PathError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if let Ok(stat) = openat(&self.folder, &self.name, flags, Mode::empty()).and_then(fstat) {
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    fchmod(&file, Mode::from_raw_mode(stat.st_mode & 0o777))
                        .map_err(PathError::of(&self.path))?;
                }
                FileType::Directory => {
                    return Err(PathError::Folder(self.path.display().to_string()));
                }
                _ => {}
            }
        }
        file.write_all(bytes).map_err(|source| PathError::Io {
            path: self.path.display().to_string(),
            source,
        })
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

fn spare_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!(
        ".duplex-{:016x}.tmp",
        RandomState::new().hash_one(std::process::id())
    )
}
