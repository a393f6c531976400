//! The read tool: a file's lines, numbered, or a picture.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Fault, Image, Outcome, said};
use crate::Worktree;
use crate::beneath::{Beneath, PathError};
use crate::clip::{MAX_BYTES, MAX_LINES};
use crate::names::visible;
use crate::record::FOLDER;

/// Bytes of a line that are shown.
const MAX_LINE: usize = 2000;
/// Room for the last line, which says how to read on.
const CLOSING: usize = 200;
/// A NUL this early makes a file binary, as git sees it too.
pub(super) const SNIFFED: usize = 8000;
/// Bytes of the largest picture: 5 MB.
const MAX_IMAGE: usize = 5_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    path: String,
    offset: Option<usize>,
    limit: Option<usize>,
}

pub(super) fn run(worktree: &Worktree, input: &Input) -> Result<Outcome, Fault> {
    let mut file = BufReader::with_capacity(64 * 1024, open(worktree, &input.path)?);
    let start = file.fill_buf()?;
    if start.is_empty() {
        return Ok(Outcome::done("(the file is empty)"));
    }
    if let Some(media_type) = picture(start) {
        return image(file, media_type, &input.path);
    }
    if start.iter().take(SNIFFED).any(|byte| *byte == 0) {
        return said(format!(
            "{} is a binary file: look at it with bash, for example with file or xxd",
            visible(&input.path)
        ));
    }
    let first = input.offset.unwrap_or(1).max(1);
    lines(
        &mut file,
        first,
        input.limit.unwrap_or(MAX_LINES).clamp(1, MAX_LINES - 1),
    )
}

/// A file of the worktree, or one of the session's kept outputs, and no other.
fn open(worktree: &Worktree, path: &str) -> Result<File, PathError> {
    if let Some(kept) = kept_output(worktree, path) {
        return Beneath::open(&worktree.home)?.read_plain(&kept);
    }
    let tree = Beneath::open(&worktree.tree)?;
    tree.read(&tree.relative(path)?)
}

/// The path of a kept output in the session's home: a plain name in the one folder they are in.
fn kept_output(worktree: &Worktree, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let inner = path
        .strip_prefix("~")
        .or_else(|_| path.strip_prefix(&worktree.home))
        .ok()?;
    let mut parts = inner.iter();
    let (folder, name) = (parts.next()?, parts.next()?);
    let plain = folder == FOLDER && name != ".." && parts.next().is_none();
    plain.then(|| Path::new(FOLDER).join(name))
}

/// What kind of picture begins like this.
pub(super) fn picture(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

fn image(file: impl Read, media_type: &'static str, path: &str) -> Result<Outcome, Fault> {
    let mut bytes = Vec::new();
    file.take(MAX_IMAGE as u64 + 1).read_to_end(&mut bytes)?;
    let path = visible(path);
    if bytes.len() > MAX_IMAGE {
        return said(format!(
            "{path} is a picture of more than {MAX_IMAGE} bytes: make it smaller with bash first"
        ));
    }
    let content = format!("{path}: {media_type}, {} bytes", bytes.len());
    let image = Image {
        media_type,
        bytes: bytes.into(),
    };
    Ok(Outcome {
        images: vec![image],
        ..Outcome::done(content)
    })
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
