//! The edit tool: one exact piece of a file replaced by another.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::{Fault, MAX_FILE, Outcome, said};
use crate::Worktree;
use crate::beneath::Beneath;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    path: String,
    old_string: String,
    new_string: String,
    replace_all: Option<bool>,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    if input.old_string.is_empty() {
        return said("old_string is empty: give the text to replace, or use write for a new file");
    }
    if input.old_string == input.new_string {
        return said("old_string and new_string are the same: nothing would change");
    }
    let tree = Beneath::open(&worktree.tree)?;
    let relative = tree.relative(&input.path)?;
    let old = text(&tree, &relative)?;
    let count = occurrences(&old, input)?;
    let new = old.replace(&input.old_string, &input.new_string);
    if new.len() > MAX_FILE {
        return said(format!(
            "the file would become larger than {MAX_FILE} bytes"
        ));
    }
    let place = tree.place(&relative)?;
    place.replace(new.as_bytes())?;
    let path = place.path.display().to_string();
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

fn text(tree: &Beneath, path: &Path) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    tree.read(path)?
        .take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_FILE {
        return said(format!(
            "{} is larger than {MAX_FILE} bytes: change it with bash",
            path.display()
        ));
    }
    String::from_utf8(bytes).or_else(|_| {
        said(format!(
            "{} is not UTF-8 text: change it with bash",
            path.display()
        ))
    })
}

fn occurrences(text: &str, input: &Input) -> Result<usize, Fault> {
    match text.matches(&input.old_string).count() {
        0 => said(format!(
            "old_string is not in {}: read the file again and copy the text exactly, spaces and line ends included",
            input.path
        )),
        1 => Ok(1),
        count if input.replace_all == Some(true) => Ok(count),
        count => said(format!(
            "old_string is {count} times in {}: give more of the lines around it, or set replace_all",
            input.path
        )),
    }
}
