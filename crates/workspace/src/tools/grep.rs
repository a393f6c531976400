//! The grep tool: lines by what is in them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use globset::GlobMatcher;
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::glob::{matcher, start};
use super::read::SNIFFED;
use super::walk::{Walk, Walked};
use super::{Fault, Outcome, Stop, said};
use crate::Worktree;
use crate::beneath::Beneath;
use crate::clip::{MAX_BYTES, MAX_LINES};
use crate::names::visible;

/// Larger files are not searched: 32 MiB.
const MAX_SEARCHED: u64 = 32 * 1024 * 1024;
/// Bytes of a line that are shown.
const MAX_LINE: usize = 500;
/// Lines that may be shown around a match.
const MAX_CONTEXT: usize = 20;
/// Room for the last lines, which say what is missing.
const CLOSING: usize = 400;
/// Lines between two looks at the clock.
const PATIENCE: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pattern: String,
    pub path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    context: usize,
}

pub(super) fn run(worktree: &Worktree, input: &Input, stop: &Stop) -> Result<Outcome, Fault> {
    let tree = Beneath::open(&worktree.tree)?;
    let (from, folder) = start(&tree, input.path.as_deref())?;
    let mut search = Search {
        tree: &tree,
        pattern: regex(input)?,
        names: input.glob.as_deref().map(matcher).transpose()?,
        context: input.context.min(MAX_CONTEXT),
        stop,
        found: Found::default(),
    };
    let walked = if folder {
        let walk = Walk {
            tree: &tree,
            worktree,
            stop,
        };
        walk.files(&from, |path| {
            search.file(path, path.strip_prefix(&from).unwrap_or(path))
        })
    } else {
        let name = from.file_name().map_or(from.as_path(), Path::new);
        let _ = search.file(&from, name);
        Walked::All
    };
    Ok(Outcome::done(search.found.told(walked)))
}

fn regex(input: &Input) -> Result<Regex, Fault> {
    if input.pattern.is_empty() {
        return said("the pattern is empty: give a regular expression");
    }
    RegexBuilder::new(&input.pattern)
        .case_insensitive(input.ignore_case)
        .build()
        .or_else(|error| said(format!("the pattern is no regular expression: {error}")))
}

struct Search<'a> {
    tree: &'a Beneath,
    pattern: Regex,
    names: Option<GlobMatcher>,
    context: usize,
    stop: &'a Stop,
    found: Found,
}

impl Search<'_> {
    /// Searches one file; `inner` is its path from where the search began.
    fn file(&mut self, path: &Path, inner: &Path) -> ControlFlow<()> {
        let wanted = self
            .names
            .as_ref()
            .is_none_or(|names| names.is_match(inner));
        // A file that cannot be read is passed over: it is gone, or nobody may look into it.
        let Some(file) = wanted.then(|| self.tree.read_plain(path).ok()).flatten() else {
            return ControlFlow::Continue(());
        };
        let mut bytes = Vec::new();
        if file.take(MAX_SEARCHED + 1).read_to_end(&mut bytes).is_err() {
            return ControlFlow::Continue(());
        }
        if bytes.len() as u64 > MAX_SEARCHED {
            self.found.too_large += 1;
            return ControlFlow::Continue(());
        }
        if bytes.iter().take(SNIFFED).any(|byte| *byte == 0) {
            return ControlFlow::Continue(());
        }
        self.text(&visible(&path.to_string_lossy()), &bytes)
    }

    fn text(&mut self, name: &str, bytes: &[u8]) -> ControlFlow<()> {
        // The lines right before this one that were not shown; one past the last that was; until where a match reaches.
        let mut before = VecDeque::new();
        let (mut shown, mut until) = (0, 0);
        for (at, line) in lines(bytes).enumerate() {
            if at % PATIENCE == PATIENCE - 1 && self.stop.now() {
                self.found.cut = true;
                return ControlFlow::Break(());
            }
            let hit = self.pattern.is_match(line);
            if hit {
                let first = at - before.len();
                if self.context > 0 && (first > shown || shown == 0) {
                    self.found.gap()?;
                }
                for (line, at) in before.drain(..).zip(first..) {
                    self.found.line(name, '-', at, line)?;
                }
                until = at + self.context + 1;
            }
            if hit || at < until {
                self.found
                    .line(name, if hit { ':' } else { '-' }, at, line)?;
                shown = at + 1;
            } else if self.context > 0 {
                before.push_back(line);
                if before.len() > self.context {
                    before.pop_front();
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let lines = whole.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// What is shown of the matches.
#[derive(Default)]
struct Found {
    text: String,
    lines: usize,
    cut: bool,
    too_large: usize,
}

impl Found {
    fn line(&mut self, name: &str, mark: char, at: usize, line: &[u8]) -> ControlFlow<()> {
        let part = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE)]);
        let rest = if line.len() > MAX_LINE {
            format!(" [line cut, {} bytes long]", line.len())
        } else {
            String::new()
        };
        self.add(&format!(
            "{name}{mark}{}{mark}{}{rest}\n",
            at + 1,
            part.trim_end_matches(if rest.is_empty() { '\n' } else { '\u{FFFD}' })
        ))
    }

    /// Between pieces that do not touch.
    fn gap(&mut self) -> ControlFlow<()> {
        if self.text.is_empty() {
            return ControlFlow::Continue(());
        }
        self.add("--\n")
    }

    fn add(&mut self, line: &str) -> ControlFlow<()> {
        if self.lines + 4 > MAX_LINES || self.text.len() + line.len() > MAX_BYTES - CLOSING {
            self.cut = true;
            return ControlFlow::Break(());
        }
        self.text.push_str(line);
        self.lines += 1;
        ControlFlow::Continue(())
    }

    fn told(mut self, walked: Walked) -> String {
        if self.text.is_empty() {
            self.text.push_str("no line fits\n");
        }
        if self.cut {
            self.text
                .push_str("[there is more: narrow it down with pattern, path or glob]\n");
        }
        if walked == Walked::Broken {
            self.text
                .push_str("[not all files were searched: give a path or a glob]\n");
        }
        if self.too_large > 0 {
            let _ = writeln!(
                self.text,
                "[{} files of more than {MAX_SEARCHED} bytes were not searched]",
                self.too_large
            );
        }
        self.text
    }
}
