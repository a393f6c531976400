//! The folder commands start in: a `cd` outlives its call, inside the worktree.

use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::Worktree;
use crate::beneath::Beneath;
use crate::names::visible;

/// Where a command's shell leaves the folder it ended in, in the session's home. Whatever stands there is only a
/// wish: the folder is looked up beneath the worktree before it is taken.
const LEFT: &str = ".duplex-folder";
/// Where the server notes it for the next start, out of reach of the session's processes.
const NOTE: &str = "folder";
/// The longest path the system takes.
const MOST: u64 = 4096;

/// Runs its argument as the whole command, and leaves the folder it ended in.
const KEEP: &str =
    "trap \"builtin pwd -P 2>/dev/null >${HOME@Q}/.duplex-folder || :\" EXIT; eval \"shift;$1\"";

/// The argument list of a command after which the next one starts where this one ended.
pub(super) fn keeping(command: String) -> Vec<String> {
    let mut argv = ["/bin/bash", "-c", KEEP, "bash"]
        .map(str::to_owned)
        .to_vec();
    argv.push(command);
    argv
}

/// A working folder, relative to the worktree; empty for the worktree itself.
#[derive(Debug, Default)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn remembered(worktree: &Worktree) -> Self {
        let noted = std::fs::read(worktree.etc.join(NOTE)).unwrap_or_default();
        Self(PathBuf::from(std::ffi::OsString::from_vec(noted)))
    }

    /// The folder itself if it is still one of the worktree's, else the worktree.
    pub(super) fn checked(&self, worktree: &Worktree) -> PathBuf {
        match inside(worktree, &self.0) {
            Some(_) if self.0.as_os_str().is_empty() => worktree.tree.clone(),
            Some(real) => worktree.tree.join(real),
            None => worktree.tree.clone(),
        }
    }

    /// Takes what the command left, if that is inside; gives back what the model should know about it.
    pub(super) fn moved(&mut self, worktree: &Worktree) -> Option<String> {
        let left = left_behind(worktree)?;
        let before = self.checked(worktree);
        if left == before {
            return None;
        }
        let relative = left.strip_prefix(&worktree.tree).ok();
        let Some(real) = relative.and_then(|path| inside(worktree, path)) else {
            return Some(format!(
                "[the working folder stays {}: {} is outside the worktree]",
                named(worktree, &before),
                visible(&left.to_string_lossy())
            ));
        };
        self.0 = real;
        // Without the note the next start of the server begins at the top again, no more.
        let _ = std::fs::write(
            worktree.etc.join(NOTE),
            self.0.as_os_str().as_encoded_bytes(),
        );
        Some(format!("[working folder: {}]", named(worktree, &left)))
    }
}

/// Takes away what an earlier command left.
pub(super) fn forget(worktree: &Worktree) {
    if let Ok(home) = Beneath::open(&worktree.home) {
        home.remove(Path::new(LEFT));
    }
}

fn left_behind(worktree: &Worktree) -> Option<PathBuf> {
    let home = Beneath::open(&worktree.home).ok()?;
    let mut bytes = Vec::new();
    let file = home.read_plain(Path::new(LEFT)).ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    home.remove(Path::new(LEFT));
    let path = bytes
        .strip_suffix(b"\n")
        .filter(|path| path.starts_with(b"/"))?;
    Some(PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())))
}

/// The real path of a folder of the worktree.
fn inside(worktree: &Worktree, path: &Path) -> Option<PathBuf> {
    let tree = Beneath::open(&worktree.tree).ok()?;
    tree.find(path)
        .ok()
        .and_then(|(real, folder)| folder.then_some(real))
}

fn named(worktree: &Worktree, folder: &Path) -> String {
    match folder.strip_prefix(&worktree.tree) {
        Ok(top) if top.as_os_str().is_empty() => "the top of the worktree".to_owned(),
        Ok(path) => visible(&path.to_string_lossy()),
        Err(_) => visible(&folder.to_string_lossy()),
    }
}
