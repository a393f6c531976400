//! The read tool: a file's lines, numbered.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};

use serde::Deserialize;

use super::{Fault, Outcome, said};
use crate::Worktree;
use crate::beneath::Beneath;
use crate::clip::{MAX_BYTES, MAX_LINES};

/// Bytes of a line that are shown.
const MAX_LINE: usize = 2000;
/// Room for the last line, which says how to read on.
const CLOSING: usize = 200;
/// A NUL this early makes a file binary, as git sees it too.
const SNIFFED: usize = 8000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    path: String,
    offset: Option<usize>,
    limit: Option<usize>,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    let tree = Beneath::open(&worktree.tree)?;
    let path = tree.relative(&input.path)?;
    let mut file = BufReader::with_capacity(64 * 1024, tree.read(&path)?);
    let start = file.fill_buf()?;
    if start.is_empty() {
        return Ok(Outcome::done("(the file is empty)"));
    }
    if start.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return said(format!(
            "{} is a binary file: look at it with bash, for example with file or xxd",
            input.path
        ));
    }
    let first = input.offset.unwrap_or(1).max(1);
    lines(
        &mut file,
        first,
        input.limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES - 1),
    )
}

fn lines(file: &mut impl BufRead, first: usize, limit: usize) -> Result<Outcome, Fault> {
    let mut text = String::new();
    let mut number = 0;
    while let Some(line) = next_line(file)? {
        number += 1;
        if number < first {
            continue;
        }
        let line = format!("{number:>6}\t{line}\n");
        if number >= first + limit || text.len() + line.len() > MAX_BYTES - CLOSING {
            let _ = writeln!(text, "[the file goes on: read again with offset {number}]");
            return Ok(Outcome::done(text));
        }
        text.push_str(&line);
    }
    if number < first {
        return said(format!(
            "the file has {number} lines, so there is nothing at line {first}"
        ));
    }
    Ok(Outcome::done(text))
}

/// The next line without its newline, in bounded memory however long it is.
fn next_line(file: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let (mut line, mut length, mut ended) = (Vec::new(), 0, false);
    while !ended {
        let ready = file.fill_buf()?;
        if ready.is_empty() {
            break;
        }
        let newline = ready.iter().position(|byte| *byte == b'\n');
        let part = &ready[..newline.unwrap_or(ready.len())];
        line.extend_from_slice(&part[..part.len().min(MAX_LINE - line.len())]);
        length += part.len();
        ended = newline.is_some();
        let used = part.len() + usize::from(ended);
        file.consume(used);
    }
    Ok((ended || length > 0).then(|| shown(&line, length)))
}

fn shown(line: &[u8], length: usize) -> String {
    let text = String::from_utf8_lossy(line);
    if length == line.len() {
        return text.into_owned();
    }
    format!(
        "{} [line cut, {length} bytes long]",
        text.trim_end_matches('\u{FFFD}')
    )
}
