//! A real repository with a real worktree in a folder of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "shared by tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use duplex_workspace::tools::{self, Context, Outcome, Shared};
use duplex_workspace::{Repository, Sandbox, SandboxMode, Worktree};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub const SESSION: &str = "019ab3c4d5e67f12a4b10123456789ab";

pub struct Place {
    pub folder: TempDir,
    pub root: PathBuf,
}

impl Place {
    pub fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        Self { folder, root }
    }

    /// A repository `project` with one commit, beneath the allowed root `roots`.
    pub fn with_project() -> Self {
        let place = Self::empty();
        place.unborn("project");
        place.file("roots/project/hello.txt", "hello\nworld\n");
        let project = place.path("roots/project");
        git(&project, &["add", "."]);
        git(
            &project,
            &[
                "-c",
                "user.name=Ada",
                "-c",
                "user.email=ada@x",
                "commit",
                "-qm",
                "first",
            ],
        );
        place
    }

    pub fn unborn(&self, name: &str) -> PathBuf {
        let project = self.path("roots").join(name);
        std::fs::create_dir_all(&project).unwrap();
        git(&project, &["init", "-q", "-b", "main"]);
        project
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn roots(&self) -> Vec<PathBuf> {
        vec![self.path("roots")]
    }

    pub async fn repository(&self, name: &str) -> Repository {
        Repository::check(&self.path("roots").join(name), &self.roots())
            .await
            .unwrap()
    }

    pub async fn worktree(&self, session: &str) -> Worktree {
        self.worktree_in(session, &Sandbox::Off).await
    }

    pub async fn worktree_in(&self, session: &str, sandbox: &Sandbox) -> Worktree {
        self.repository("project")
            .await
            .worktree(&self.path("data"), session, sandbox)
            .await
            .unwrap()
    }
}

pub fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        // The tree may be another user's.
        .args(["-c", "safe.directory=*"])
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// A session at work.
pub struct Desk {
    pub place: Place,
    pub context: Context,
}

impl Desk {
    pub async fn new(mode: SandboxMode) -> Self {
        let place = Place::with_project();
        let sandbox = Sandbox::probe(mode).await.unwrap();
        let worktree = place.worktree_in(SESSION, &sandbox).await;
        let context = context(worktree, sandbox);
        Self { place, context }
    }

    pub async fn sandboxed() -> Self {
        Self::new(SandboxMode::Bubblewrap).await
    }

    pub fn tree(&self) -> &Path {
        &self.context.worktree.tree
    }

    pub async fn tool(&self, name: &str, input: Value) -> Outcome {
        self.streaming(name, input).await.0
    }

    /// The outcome, and the bytes that were streamed.
    pub async fn streaming(&self, name: &str, input: Value) -> (Outcome, Vec<u8>) {
        let (output, mut stream) = mpsc::channel::<Bytes>(4);
        let run = tools::run(
            &self.context,
            name,
            &input,
            output,
            CancellationToken::new(),
        );
        let read = async {
            let mut all = Vec::new();
            while let Some(bytes) = stream.recv().await {
                all.extend_from_slice(&bytes);
            }
            all
        };
        tokio::join!(run, read)
    }

    pub async fn bash(&self, command: &str) -> Outcome {
        self.tool("bash", json!({ "command": command })).await
    }
}

/// A new session's context.
pub fn context(worktree: Worktree, sandbox: Sandbox) -> Context {
    let shared = Arc::new(Shared::new(&worktree));
    Context::new(worktree, sandbox, shared)
}

pub fn ok(content: &str) -> Outcome {
    Outcome {
        content: content.to_owned(),
        ..Outcome::default()
    }
}

pub fn failed(content: &str) -> Outcome {
    Outcome {
        is_error: true,
        ..ok(content)
    }
}
