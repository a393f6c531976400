//! A unified diff, bounded while it is read.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};

use crate::WorkspaceError;

/// The most of one file, in bytes.
const FILE: usize = 128 * 1024;
/// The most in all, in bytes.
const ALL: usize = 1024 * 1024;
const PATIENCE: Duration = Duration::from_mins(1);

/// What was kept so far.
#[derive(Default)]
struct Kept {
    text: Vec<u8>,
    /// Of the present file.
    file: usize,
    cut: bool,
    full: bool,
}

/// Runs a command that puts out a diff.
pub(super) async fn read(mut git: Command, tree: &Path) -> Result<String, WorkspaceError> {
    git.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = git.spawn().map_err(WorkspaceError::NoGit)?;
    let mut kept = Kept::default();
    if let Some(stdout) = child.stdout.take() {
        let reading = tokio::time::timeout(PATIENCE, kept.read(stdout)).await;
        reading
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .map_err(WorkspaceError::io("compare files in", tree))?;
    }
    if kept.full {
        let _ = child.start_kill();
    }
    let _ = child.wait().await;
    Ok(String::from_utf8_lossy(&kept.text).into_owned())
}

impl Kept {
    async fn read(&mut self, stdout: ChildStdout) -> std::io::Result<()> {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while !self.full && reader.read_until(b'\n', &mut line).await? > 0 {
            self.keep(&line);
            line.clear();
        }
        Ok(())
    }

    fn keep(&mut self, line: &[u8]) {
        if line.starts_with(b"diff --git ") {
            (self.file, self.cut) = (0, false);
        }
        if self.cut {
            return;
        }
        if self.text.len() + line.len() > ALL {
            self.full = true;
            self.text
                .extend_from_slice(b"[the rest of the diff is left out: it is too long]\n");
        } else if self.file + line.len() > FILE {
            self.cut = true;
            self.text
                .extend_from_slice(b"[the rest of this file's diff is left out: it is too long]\n");
        } else {
            self.file += line.len();
            self.text.extend_from_slice(line);
        }
    }
}
