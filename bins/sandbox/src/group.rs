//! Control groups, which bound a session's processes together.

use std::fs;
use std::io;
use std::path::Path;

use crate::Error;
use crate::options::Group;

/// A group that a tidying neighbour takes away between its making and its use is made again.
const ATTEMPTS: usize = 5;

/// Makes the group if need be, sets its limit and joins it.
pub fn join(group: &Group) -> Result<(), Error> {
    tidy(&group.folder);
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        match try_join(group) {
            Err(error) if gone(&error) && left > 0 => {}
            outcome => return outcome.map_err(Error::doing("join the session's control group")),
        }
    }
}

/// The folder is not there any more, or its files are open and it is not.
fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

fn try_join(group: &Group) -> io::Result<()> {
    match fs::create_dir(&group.folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    fs::write(
        group.folder.join(&group.file),
        group.value.as_encoded_bytes(),
    )?;
    fs::write(group.folder.join("cgroup.procs"), "0")
}

/// Takes away groups of sessions whose processes are all gone; the kernel refuses to take away others.
fn tidy(folder: &Path) {
    let Some(prefix) = folder
        .file_name()
        .and_then(|name| name.to_str()?.split_once('-'))
    else {
        return;
    };
    let siblings = folder.parent().and_then(|parent| fs::read_dir(parent).ok());
    for sibling in siblings.into_iter().flatten().flatten() {
        let name = sibling.file_name();
        let ours = |name: &str| name.split_once('-').is_some_and(|(own, _)| own == prefix.0);
        if name.to_str().is_some_and(ours) && sibling.path() != folder {
            let _ = fs::remove_dir(sibling.path());
        }
    }
}
