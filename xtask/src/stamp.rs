//! Tells whether anything that the page is made of has changed.

use anyhow::{Context, Result};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// What the page is made of, from the workspace's folder on.
const INPUTS: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "xtask/src",
    "crates/domain",
    "crates/wire",
    "ui/Cargo.toml",
    "ui/src",
    "ui/web/src",
    "ui/web/styles",
    "ui/web/index.html",
    "ui/web/build.mjs",
    "ui/web/package-lock.json",
    "ui/web/tsconfig.json",
];

/// A text that differs when an input's name or content, or the profile, differs.
pub fn of(root: &Path, profile: &str) -> Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        let content = std::fs::read(&file);
        let content = content.with_context(|| format!("{} is not readable", file.display()))?;
        content.hash(&mut hasher);
    }
    Ok(format!("{profile} {:016x}", hasher.finish()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path);
    for entry in entries.with_context(|| format!("{} is missing", path.display()))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}
