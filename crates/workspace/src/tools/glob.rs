//! The glob tool: files by name.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::Deserialize;

use super::walk::{Walk, Walked};
use super::{Fault, Outcome, Stop, said};
use crate::Worktree;
use crate::beneath::{Beneath, PathError};
use crate::clip::MAX_BYTES;
use crate::names::visible;

/// Names that are shown.
const SHOWN: usize = 200;
/// Names that are sorted.
const MOST: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pattern: String,
    pub path: Option<String>,
}

pub(super) fn run(worktree: &Worktree, input: &Input, stop: &Stop) -> Result<Outcome, Fault> {
    let pattern = matcher(&input.pattern)?;
    let tree = Beneath::open(&worktree.tree)?;
    let (from, folder) = start(&tree, input.path.as_deref())?;
    if !folder {
        return said(format!(
            "{} is a file: give a folder, or read it",
            visible(&from.to_string_lossy())
        ));
    }
    let walk = Walk {
        tree: &tree,
        worktree,
        stop,
    };
    let mut found = Vec::new();
    let walked = walk.files(&from, |path| {
        let inner = path.strip_prefix(&from).unwrap_or(path);
        if pattern.is_match(inner)
            && let Some(modified) = tree.modified(path)
        {
            found.push((modified, path.to_owned()));
        }
        if found.len() < MOST {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    // Newest first; among those of one moment by name.
    found.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.cmp(second)));
    Ok(Outcome::done(listed(&found, walked)))
}

fn listed(found: &[((i64, u64), PathBuf)], walked: Walked) -> String {
    let mut text = String::new();
    let mut shown = 0;
    for (_, path) in found.iter().take(SHOWN) {
        let line = visible(&path.to_string_lossy());
        if text.len() + line.len() > MAX_BYTES - SHOWN {
            break;
        }
        let _ = writeln!(text, "{line}");
        shown += 1;
    }
    if found.is_empty() {
        text.push_str("no file fits\n");
    }
    if shown < found.len() {
        let all = found.len();
        let _ = writeln!(
            text,
            "[the newest {shown} of {all} files: narrow the pattern down]"
        );
    }
    if walked != Walked::All {
        text.push_str("[not all files were looked at: give a path to look in]\n");
    }
    text
}

/// A pattern without a slash is held against names in any folder.
pub(super) fn matcher(pattern: &str) -> Result<GlobMatcher, Fault> {
    let anywhere = if pattern.contains('/') {
        pattern.trim_start_matches("./").to_owned()
    } else {
        format!("**/{pattern}")
    };
    let mut builder = GlobBuilder::new(&anywhere);
    let built = builder.literal_separator(true).build();
    match built {
        Ok(glob) if !pattern.is_empty() => Ok(glob.compile_matcher()),
        Ok(_) => said("the pattern is empty: give one like **/*.rs"),
        Err(error) => said(format!("the pattern cannot be read: {error}")),
    }
}

/// Where a search begins: a real path of the tree, and whether it is a folder.
pub(super) fn start(tree: &Beneath, path: Option<&str>) -> Result<(PathBuf, bool), PathError> {
    let asked = path.filter(|path| !path.is_empty()).unwrap_or(".");
    let from = match tree.relative(asked) {
        Err(PathError::Empty) => PathBuf::new(),
        other => other?,
    };
    let (from, folder) = tree.find(&from)?;
    if from.starts_with(Path::new(".git")) {
        return Err(PathError::Git(".git".to_owned()));
    }
    Ok((from, folder))
}
