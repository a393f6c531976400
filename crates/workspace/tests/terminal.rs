//! A shell on a terminal of its own inside the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::Desk;

/// Runs a shell on a PTY that util-linux's `script` makes, types into it, and gives back what it showed.
fn typed(desk: &Desk, keys: &str) -> String {
    let shell = ["/bin/bash", "--norc", "-i"].map(str::to_owned);
    let worktree = &desk.context.worktree;
    let launch = desk
        .context
        .sandbox
        .launch(worktree, &shell, &[], desk.tree(), true);
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
    let mut line = vec![quoted(launch.program.as_os_str())];
    line.extend(launch.args.iter().map(|arg| quoted(arg)));
    let mut script = Command::new("script")
        .args(["-qec", &format!("exec {}", line.join(" ")), "/dev/null"])
        .env_clear()
        .envs(launch.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    script
        .stdin
        .as_mut()
        .unwrap()
        .write_all(keys.as_bytes())
        .unwrap();
    let mut shown = String::new();
    script
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut shown)
        .unwrap();
    assert!(script.wait().unwrap().success(), "{shown}");
    shown
}

#[tokio::test]
async fn a_shell_on_a_terminal_has_job_control() {
    let desk = Desk::sandboxed().await;

    let shown = typed(
        &desk,
        "sleep 1000 &\njobs\nkill %1; wait %1; echo $((40 + 2)) $TERM; exit 0\n",
    );

    assert!(!shown.contains("no job control"), "{shown}");
    assert!(
        shown.contains("Running") && shown.contains("42 xterm-256color"),
        "{shown}"
    );
}
