//! The write tool: a whole file at once.

use std::io::Read;

use serde::Deserialize;

use super::{Fault, MAX_FILE, Outcome, said};
use crate::Worktree;
use crate::beneath::{Beneath, PathError};
use crate::names::visible;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub path: String,
    pub content: String,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    let tree = Beneath::open(&worktree.tree)?;
    let before = before(&tree, input)?;
    let place = tree.place(&tree.relative(&input.path)?)?;
    place.replace(input.content.as_bytes())?;
    let path = visible(&place.path.to_string_lossy());
    let did = if before.is_some() {
        "replaced"
    } else {
        "created"
    };
    let content = format!(
        "{did} {path}, {} lines, {} bytes",
        input.content.lines().count(),
        input.content.len()
    );
    Ok(Outcome::changed(
        content,
        &path,
        &before.unwrap_or_default(),
        &input.content,
    ))
}

/// What the call would replace, as far as a diff can show it; nothing if the file is new. Changes nothing.
pub(super) fn before(tree: &Beneath, input: &Input) -> Result<Option<String>, Fault> {
    if input.content.len() > MAX_FILE {
        return said(format!(
            "the content is larger than {MAX_FILE} bytes: write it in parts with bash"
        ));
    }
    let path = tree.target(&tree.relative(&input.path)?)?;
    match tree.read(&path) {
        Ok(file) => {
            let mut bytes = Vec::new();
            file.take(MAX_FILE as u64).read_to_end(&mut bytes)?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        }
        Err(PathError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
