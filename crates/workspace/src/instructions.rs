//! What a project tells agents: its AGENTS.md, or its CLAUDE.md.

use std::io::Read;
use std::path::Path;

use crate::Worktree;
use crate::beneath::Beneath;
use crate::names::visible;

/// The files looked for; the first one that is there is taken.
const NAMES: [&str; 2] = ["AGENTS.md", "CLAUDE.md"];
/// Bytes of one file that are taken: 32 KiB.
const MOST: usize = 32 * 1024;

/// What a project tells agents about one of its folders and all beneath it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// The file, relative to the worktree.
    pub path: String,
    /// Its text, at most 32 KiB and a line that says if it was cut.
    pub text: String,
}

/// The instructions at the top of a worktree.
#[must_use]
pub fn instructions(worktree: &Worktree) -> Option<Instructions> {
    of_folder(&Beneath::open(&worktree.tree).ok()?, Path::new(""))
}

/// The instructions of the folders between the top and a file, the top's left out, outermost first. `touched` is a
/// path as tools take it; one that leads outside has none.
#[must_use]
pub fn instructions_for(worktree: &Worktree, touched: &str) -> Vec<Instructions> {
    let Ok(tree) = Beneath::open(&worktree.tree) else {
        return Vec::new();
    };
    let Ok(path) = tree.relative(touched) else {
        return Vec::new();
    };
    let is_folder = tree.find(&path).is_ok_and(|(_, folder)| folder);
    let mut folders: Vec<&Path> = path.ancestors().skip(usize::from(!is_folder)).collect();
    folders.pop();
    let outermost_first = folders.into_iter().rev();
    outermost_first
        .filter_map(|folder| of_folder(&tree, folder))
        .collect()
}

fn of_folder(tree: &Beneath, folder: &Path) -> Option<Instructions> {
    NAMES
        .iter()
        .find_map(|name| of_file(tree, &folder.join(name)))
}

fn of_file(tree: &Beneath, path: &Path) -> Option<Instructions> {
    let mut bytes = Vec::new();
    let file = tree.read(path).ok()?;
    file.take(MOST as u64 + 1).read_to_end(&mut bytes).ok()?;
    let cut = bytes.len() > MOST;
    bytes.truncate(MOST);
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if cut {
        let whole = text.trim_end_matches('\u{FFFD}').len();
        text.truncate(whole);
        text.push_str("\n[the file goes on: only its first 32 KiB are given here]\n");
    }
    let path = visible(&path.to_string_lossy());
    (!text.trim().is_empty()).then_some(Instructions { path, text })
}
