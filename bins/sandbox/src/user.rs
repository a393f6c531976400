//! Becoming a session's own user, who owns nothing but the session's files and can reach nothing but what it is shown.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fchown, fstat, openat2};
use rustix::io::Errno;
use rustix::termios::isatty;

use crate::Error;

/// Where things are shown, each in a place named by its number. In a mount namespace of this process alone; bubblewrap
/// needs this folder too, so it is there.
const PLACES: &str = "/tmp";
const NOTHING: Option<&str> = None;

/// Shows files and folders that the user could not reach where they lie, since a folder above them is closed to it.
/// What is not there is left out. No link is followed: the session may have made it.
pub fn show(shown: &[PathBuf]) -> Result<(), Error> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(Error::doing("make a mount namespace"))?;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    mount(NOTHING, "/", NOTHING, private, NOTHING)
        .map_err(Error::doing("keep mounts to this process"))?;
    // In this namespace, since mounts of another one cannot be shown; and before something may cover them.
    let opened = open_all(shown).map_err(Error::doing("open what the session's user is to see"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(
        Some("duplex"),
        PLACES,
        Some("tmpfs"),
        flags,
        Some("mode=0711,size=1m"),
    )
    .map_err(Error::doing(
        "make room for what the session's user is to see",
    ))?;
    for (number, file) in opened.iter().enumerate() {
        if let Some(file) = file {
            place(number, file).map_err(Error::doing("show the session's user a file"))?;
        }
    }
    Ok(())
}

fn open_all(paths: &[PathBuf]) -> io::Result<Vec<Option<OwnedFd>>> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let open = |path: &PathBuf| match openat2(CWD, path, flags, Mode::empty(), how) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    };
    paths.iter().map(open).collect()
}

fn place(number: usize, file: &OwnedFd) -> io::Result<()> {
    let target = Path::new(PLACES).join(number.to_string());
    if FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::Directory {
        fs::create_dir(&target)?;
    } else {
        File::create(&target)?;
    }
    fs::set_permissions(&target, Permissions::from_mode(0o711))?;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    Ok(mount(
        Some(source.as_str()),
        &target,
        NOTHING,
        bind,
        NOTHING,
    )?)
}

/// For good: with the ids go all capabilities, and no group is kept.
pub fn become_user(id: u32) -> Result<(), Error> {
    give_streams(id);
    std::env::set_current_dir("/").map_err(Error::doing("leave the folder"))?;
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    setgroups(&[]).map_err(Error::doing("leave the server's groups"))?;
    setresgid(group, group, group).map_err(Error::doing("take the session's group"))?;
    setresuid(user, user, user).map_err(Error::doing("become the session's user"))
}

/// A command may open its own streams again by name, as `/dev/stderr`. Only pipes and terminals, which are made for
/// one command; the rest, such as `/dev/null`, is everybody's.
fn give_streams(id: u32) {
    let owner = (
        Some(rustix::process::Uid::from_raw(id)),
        Some(rustix::process::Gid::from_raw(id)),
    );
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    for stream in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
        if is_own(stream) {
            // A stream that cannot be given away still works, only not by name.
            let _ = fchown(stream, owner.0, owner.1);
        }
    }
}

fn is_own(stream: BorrowedFd<'_>) -> bool {
    let kind = fstat(stream).map(|stat| FileType::from_raw_mode(stat.st_mode));
    kind == Ok(FileType::Fifo) || isatty(stream)
}
