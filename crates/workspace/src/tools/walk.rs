//! The files of a worktree, without what git ignores; no link is followed, and nothing outside is ever opened.

use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::FileType;

use super::Stop;
use crate::Worktree;
use crate::beneath::Beneath;

/// Entries looked at before a walk gives up.
const MOST_ENTRIES: usize = 500_000;
/// Bytes of a `.gitignore` that are heeded.
const MOST_RULES: u64 = 1024 * 1024;

/// Whether a walk saw everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walked {
    /// It did.
    All,
    /// Whoever asked had enough.
    Enough,
    /// It ran out of time, was interrupted, or there were too many files.
    Broken,
}

/// The rules of a folder, and of those above it.
struct Rules {
    own: Gitignore,
    above: Option<Arc<Rules>>,
}

/// A walk through a worktree.
pub(super) struct Walk<'a> {
    pub tree: &'a Beneath,
    pub worktree: &'a Worktree,
    pub stop: &'a Stop,
}

struct Open {
    path: PathBuf,
    folder: bool,
    rules: Arc<Rules>,
}

impl Walk<'_> {
    /// Calls `each` with every regular file beneath `from`, a real path of the tree, in the order of names.
    pub(super) fn files(
        &self,
        from: &Path,
        mut each: impl FnMut(&Path) -> ControlFlow<()>,
    ) -> Walked {
        let mut open = vec![Open {
            path: from.to_owned(),
            folder: true,
            rules: self.rules_above(from),
        }];
        let mut seen = 0;
        while let Some(next) = open.pop() {
            if seen > MOST_ENTRIES || self.stop.now() {
                return Walked::Broken;
            }
            if next.folder {
                let inner = self.entries(&next, MOST_ENTRIES - seen + 1);
                seen += inner.len();
                open.extend(inner);
            } else if each(&next.path).is_break() {
                return Walked::Enough;
            }
        }
        Walked::All
    }

    /// What lies in a folder and is not ignored, last name first.
    fn entries(&self, folder: &Open, most: usize) -> Vec<Open> {
        // A folder that cannot be opened is passed over: it is gone, or nobody may look into it.
        let entries = self.tree.list(&folder.path, most).unwrap_or_default();
        let rules = self.with_own(&folder.path, folder.rules.clone());
        let entries = entries.into_iter().rev().filter_map(|entry| {
            let path = folder.path.join(&entry.name);
            let is_folder = entry.kind == FileType::Directory;
            let wanted = is_folder || entry.kind == FileType::RegularFile;
            let fine = wanted && entry.name != ".git" && !rules.ignore(&path, is_folder);
            fine.then(|| Open {
                path,
                folder: is_folder,
                rules: rules.clone(),
            })
        });
        entries.collect()
    }

    /// The rules that hold for a folder before its own are read.
    fn rules_above(&self, folder: &Path) -> Arc<Rules> {
        let mut builder = GitignoreBuilder::new("");
        let excluded = std::fs::read_to_string(self.worktree.origin.join("info/exclude"));
        add(&mut builder, &excluded.unwrap_or_default());
        let mut rules = Arc::new(Rules {
            own: built(&builder),
            above: None,
        });
        let mut above: Vec<&Path> = folder.ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            rules = self.with_own(folder, rules);
        }
        rules
    }

    fn with_own(&self, folder: &Path, above: Arc<Rules>) -> Arc<Rules> {
        let Ok(file) = self.tree.read_plain(&folder.join(".gitignore")) else {
            return above;
        };
        let mut bytes = Vec::new();
        if file.take(MOST_RULES).read_to_end(&mut bytes).is_err() {
            return above;
        }
        let mut builder = GitignoreBuilder::new(folder);
        add(&mut builder, &String::from_utf8_lossy(&bytes));
        Arc::new(Rules {
            own: built(&builder),
            above: Some(above),
        })
    }
}

impl Rules {
    /// The innermost rules that say something decide.
    fn ignore(&self, path: &Path, folder: bool) -> bool {
        let mut rules = Some(self);
        while let Some(here) = rules {
            let word = here.own.matched(path, folder);
            if !word.is_none() {
                return word.is_ignore();
            }
            rules = here.above.as_deref();
        }
        false
    }
}

/// Lines that are no patterns are passed over, as git does.
fn add(builder: &mut GitignoreBuilder, lines: &str) {
    for line in lines.lines() {
        let _ = builder.add_line(None, line);
    }
}

fn built(builder: &GitignoreBuilder) -> Gitignore {
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}
