//! A session's worktree and sandbox, in which the real servers can be read.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "shared by tests"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use duplex_mcp::{Host, McpError, Server, ServerConfig, Transport};
use duplex_workspace::server::{self, Started};
use duplex_workspace::{Repository, Sandbox, SandboxMode, Worktree};
use tempfile::TempDir;

/// Where `make setup` installs the servers.
pub fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers")
}

/// The file to give to node.
pub fn script(server: &str) -> String {
    let modules = servers().join("node_modules/@modelcontextprotocol");
    let script = modules.join(server).join("dist/index.js");
    assert!(script.is_file(), "{server} is missing: run `make setup`");
    script.to_str().unwrap().to_owned()
}

/// Node's own file; a version manager may have put it anywhere.
pub fn node() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join("node"));
    let node = places.find(|place| place.is_file());
    node.expect("node is missing").canonicalize().unwrap()
}

pub struct Place {
    _folder: TempDir,
    pub worktree: Worktree,
    pub sandbox: Sandbox,
}

impl Place {
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let project = root.join("project");
        std::fs::create_dir(&project).unwrap();
        std::fs::write(project.join("hello.txt"), "hello\n").unwrap();
        git(&project, &["init", "-q", "-b", "main"]);
        git(&project, &["add", "."]);
        let ada = ["-c", "user.name=Ada", "-c", "user.email=ada@x"];
        git(&project, &[&ada[..], &["commit", "-qm", "first"]].concat());
        let repository = Repository::check(&project, std::slice::from_ref(&root))
            .await
            .unwrap();
        let session = "019ab3c4d5e67f12a4b10123456789ab";
        let mut sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();
        let worktree = repository
            .worktree(&root.join("data"), session, &sandbox)
            .await
            .unwrap();
        if let Sandbox::Bubblewrap(bubblewrap) = &mut sandbox {
            bubblewrap.readable.push(servers());
            let prefix = node().ancestors().nth(2).unwrap().to_owned();
            bubblewrap
                .readable
                .extend((prefix != Path::new("/usr")).then_some(prefix));
        }
        Self {
            _folder: folder,
            worktree,
            sandbox,
        }
    }

    pub fn tree(&self) -> String {
        self.worktree.tree.to_str().unwrap().to_owned()
    }

    /// Starts a configured command in the sandbox and speaks to it.
    pub async fn connect(
        &self,
        config: &ServerConfig,
    ) -> (server::Server, Result<Server, McpError>) {
        let Transport::Stdio { command, env } = &config.transport else {
            unreachable!("it is a command")
        };
        let env: Vec<_> = env.clone().into_iter().collect();
        let Started {
            server,
            output,
            input,
        } = server::start(&self.sandbox, &self.worktree, command, &env).unwrap();
        let stderr = server.stderr();
        let host = Host {
            root: Some(self.worktree.tree.clone()),
            last_words: Some(Arc::new(move || {
                let stderr = stderr.clone();
                Box::pin(async move { stderr.last_line().await })
            })),
        };
        (
            server,
            Server::connect_stdio(config, output, input, host).await,
        )
    }
}

fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {said}");
}
