//! A long-lived command in the sandbox: spoken to, listened to, and gone when told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Desk, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::server::{self, STDERR_BYTES, Started};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

fn start(desk: &Desk, script: &str) -> Started {
    let argv = ["/bin/bash", "-c", script].map(str::to_owned);
    let env = [("GREETING".to_owned(), "hello there".to_owned())];
    let context = &desk.context;
    server::start(&context.sandbox, &context.worktree, &argv, &env).unwrap()
}

/// A name for processes that no other test uses.
fn marker(desk: &Desk) -> String {
    let name = desk.place.root.file_name().unwrap();
    format!("mark-{}", name.to_string_lossy())
}

fn processes(name: &str) -> usize {
    let all = std::fs::read_dir("/proc").unwrap();
    let paths = all.map(|entry| entry.unwrap().path());
    let named = |path: &std::path::PathBuf| {
        std::fs::read(path.join("cmdline")).is_ok_and(|line| line.starts_with(name.as_bytes()))
    };
    paths.filter(named).count()
}

async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn it_is_spoken_to_in_the_worktree_with_no_environment_but_its_own() {
    let desk = Desk::sandboxed().await;
    let script = "read word; echo \"$word $GREETING $PWD ${CARGO_MANIFEST_DIR:-clean}\"; cat";
    let mut started = start(&desk, script);
    let mut output = BufReader::new(started.output).lines();

    started.input.write_all(b"Ada\nmore\n").await.unwrap();

    let tree = desk.tree().display();
    let first = output.next_line().await.unwrap().unwrap();
    assert_eq!(first, format!("Ada hello there {tree} clean"));
    assert_eq!(output.next_line().await.unwrap().unwrap(), "more");
    // Its input's end is its own end.
    drop(started.input);
    assert_eq!(output.next_line().await.unwrap(), None);
    started.server.end().await.unwrap();
}

#[tokio::test]
async fn its_end_takes_everything_it_started_along() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        for dropped in [false, true] {
            let desk = Desk::new(mode).await;
            let name = marker(&desk);
            let script = format!(
                "(exec -a {name} sleep 1000) & (trap '' TERM; exec -a {name} sleep 1000) & wait"
            );
            let started = start(&desk, &script);
            until(|| processes(&name) == 2).await;

            if dropped {
                drop(started);
            } else {
                started.server.end().await.unwrap();
                assert!(mode == SandboxMode::Off || processes(&name) == 0);
            }

            until(|| processes(&name) == 0).await;
        }
    }
}

#[tokio::test]
async fn the_end_of_its_standard_error_is_kept() {
    let desk = Desk::sandboxed().await;
    let script = "seq 1 100000 >&2; printf 'no such thing: zwölf\\n\\n' >&2";
    let mut started = start(&desk, script);
    let mut all = Vec::new();

    // The command ends although nobody reads what it complains of.
    started.output.read_to_end(&mut all).await.unwrap();

    let stderr = started.server.stderr();
    assert_eq!(stderr.last_line().await, "no such thing: zwölf");
    assert!(stderr.tail().contains("\n99999\n100000\n"));
    assert!(stderr.tail().len() <= STDERR_BYTES);
    started.server.end().await.unwrap();
    assert_eq!(stderr.last_line().await, "no such thing: zwölf");
}

#[tokio::test]
async fn what_cannot_be_started_says_so() {
    let desk = Desk::sandboxed().await;
    let context = &desk.context;
    let argv = ["/nowhere/server".to_owned()];

    let mut started = server::start(&context.sandbox, &context.worktree, &argv, &[]).unwrap();
    let mut all = Vec::new();
    started.output.read_to_end(&mut all).await.unwrap();

    let last = started.server.stderr().last_line().await;
    assert!(last.contains("/nowhere/server"), "{last}");
    // The session goes on without it.
    assert_eq!(desk.bash("echo on").await, ok("on\n[exit code 0]"));
}
