//! The edit tool: one exact piece of a file replaced by another.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{Fault, MAX_FILE, Outcome, said};
use crate::Worktree;
use crate::beneath::Beneath;
use crate::names::visible;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub path: String,
    old_string: String,
    new_string: String,
    replace_all: Option<bool>,
}

/// A file before and after an edit.
pub(super) struct Edited {
    pub old: String,
    pub new: String,
    count: usize,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    let tree = Beneath::open(&worktree.tree)?;
    let Edited { old, new, count } = edited(&tree, input)?;
    let place = tree.place(&tree.relative(&input.path)?)?;
    place.replace(new.as_bytes())?;
    let path = visible(&place.path.to_string_lossy());
    let times = if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    };
    Ok(Outcome::changed(
        format!("replaced {times} in {path}"),
        &path,
        &old,
        &new,
    ))
}

/// What the call would make of the file. Changes nothing.
pub(super) fn edited(tree: &Beneath, input: &Input) -> Result<Edited, Fault> {
    if input.old_string.is_empty() {
        return said("old_string is empty: give the text to replace, or use write for a new file");
    }
    if input.old_string == input.new_string {
        return said("old_string and new_string are the same: nothing would change");
    }
    let old = text(tree, &tree.target(&tree.relative(&input.path)?)?)?;
    let count = occurrences(&old, input)?;
    let new = old.replace(&input.old_string, &input.new_string);
    if new.len() > MAX_FILE {
        return said(format!(
            "the file would become larger than {MAX_FILE} bytes"
        ));
    }
    Ok(Edited { old, new, count })
}

fn text(tree: &Beneath, path: &Path) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    tree.read(path)?
        .take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE {
        return said(format!(
            "{} is larger than {MAX_FILE} bytes: change it with bash",
            visible(&path.to_string_lossy())
        ));
    }
    String::from_utf8(bytes).or_else(|_| {
        said(format!(
            "{} is not UTF-8 text: change it with bash",
            visible(&path.to_string_lossy())
        ))
    })
}

fn occurrences(text: &str, input: &Input) -> Result<usize, Fault> {
    match text.matches(&input.old_string).count() {
        0 => said(format!(
            "old_string is not in {}: read the file again and copy the text exactly, spaces and line ends included",
            visible(&input.path)
        )),
        1 => Ok(1),
        count if input.replace_all == Some(true) => Ok(count),
        count => said(format!(
            "old_string is {count} times in {}: give more of the lines around it, or set replace_all",
            visible(&input.path)
        )),
    }
}
