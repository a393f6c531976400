//! Where a file is or will be, and putting a new one there in one step.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat, fchmod, fchown, fstat, mkdirat, openat,
    renameat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::{Beneath, PathError, resolve};

/// Where a file is or will be: its real path in the worktree, and its folder.
pub(crate) struct Place {
    /// Relative to the worktree, with no symbolic links left in it.
    pub path: PathBuf,
    folder: OwnedFd,
    name: OsString,
}

impl Beneath {
    /// Where a write to `path` goes: through links that stay inside, into folders made as needed.
    pub(crate) fn place(&self, path: &Path) -> Result<Place, PathError> {
        let real = self.target(path)?;
        let name = real.file_name().ok_or(PathError::Empty)?.to_owned();
        let folder = self.make_folders(real.parent().unwrap_or(Path::new("")))?;
        Ok(Place {
            path: real,
            folder,
            name,
        })
    }

    /// Takes a file of this folder itself away, if it is there.
    pub(crate) fn remove(&self, name: &Path) {
        let _ = unlinkat(&self.folder, name, AtFlags::empty());
    }

    /// Opens a folder and those above it, made where they are missing; no link is followed.
    pub(crate) fn make_folders(&self, path: &Path) -> Result<OwnedFd, PathError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = self.folder.try_clone().map_err(|source| PathError::Io {
            path: String::new(),
            source,
        })?;
        for name in path.components() {
            let name = Path::new(name.as_os_str());
            let open = || resolve(&folder, name, flags, ResolveFlags::NO_SYMLINKS);
            let next = match open() {
                Err(Errno::NOENT) => make_folder(&folder, name).and_then(|()| open()),
                other => other,
            };
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
        belong(&file, fstat(&self.folder));
        if let Ok(stat) = openat(&self.folder, &self.name, flags, Mode::empty()).and_then(fstat) {
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    belong(&file, Ok(stat));
                    fchmod(&file, Mode::from_raw_mode(stat.st_mode & 0o777))
                        .map_err(PathError::of(&self.path))?;
                }
                FileType::Directory => return Err(PathError::folder(&self.path)),
                _ => {}
            }
        }
        file.write_all(bytes).map_err(|source| PathError::Io {
            path: PathError::name(&self.path),
            source,
        })
    }
}

fn make_folder(folder: &OwnedFd, name: &Path) -> rustix::io::Result<()> {
    mkdirat(folder, name, Mode::from_raw_mode(0o755))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if let Ok(made) = openat(folder, name, flags, Mode::empty()) {
        belong(&made, fstat(folder));
    }
    Ok(())
}

/// What is made belongs to whoever owns its surroundings: the server may be another user than the session's
/// processes, which must be able to change it. Only root can give files away, and only root needs to.
pub(crate) fn belong(made: impl AsFd, like: rustix::io::Result<Stat>) {
    if let Ok(like) = like {
        let (user, group) = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
        let _ = fchown(made, Some(user), Some(group));
    }
}

/// A name nobody can foresee, so that nothing waits behind it.
fn spare_name() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!(
        ".duplex-{:016x}.tmp",
        RandomState::new().hash_one(std::process::id())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_spare_names_are_the_same() {
        assert_ne!(spare_name(), spare_name());
    }
}
