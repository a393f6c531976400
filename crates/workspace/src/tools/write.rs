//! The write tool: a whole file at once.

use std::io::Read;

use serde::Deserialize;

use super::{Fault, MAX_FILE, Outcome, said};
use crate::Worktree;
use crate::beneath::{Beneath, PathError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    path: String,
    content: String,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    if input.content.len() > MAX_FILE {
        return said(format!(
            "the content is larger than {MAX_FILE} bytes: write it in parts with bash"
        ));
    }
    let tree = Beneath::open(&worktree.tree)?;
    let place = tree.place(&tree.relative(&input.path)?)?;
    let old = match tree.read(&place.path) {
        Ok(file) => Some(file),
        Err(PathError::Missing(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let before = old.map(text).transpose()?;
    place.replace(input.content.as_bytes())?;
    let path = place.path.display().to_string();
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

/// What was there, as far as a diff can show it.
fn text(file: std::fs::File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE as u64).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
