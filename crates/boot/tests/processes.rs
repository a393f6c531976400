//! A process ends when it is asked to, and when the one that started it is gone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// The example `waiter`, which cargo builds beside the tests.
fn waiter() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/waiter")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        yield_now();
    }
}

fn started(file: &Path) -> Child {
    let child = Command::new(waiter())
        .arg(file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("readiness", || file.exists());
    child
}

#[test]
fn a_signal_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    for signal in ["INT", "TERM"] {
        let mut child = started(&folder.path().join(signal));
        let pid = child.id().to_string();
        Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn an_error_is_one_sentence_and_exit_code_1() {
    let output = Command::new(waiter())
        .args(["ready", "no\nanswer"])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "waiter: no answer\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn it_ends_with_the_process_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready");
    // The shell names itself as the parent, starts the waiter, and waits for it until it is killed.
    let script = format!(
        "DUPLEX_PARENT=$$ {} {} & wait",
        waiter().display(),
        file.display()
    );
    let mut shell = Command::new("sh")
        .args(["-c", &script])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("readiness", || file.exists());
    let pid = std::fs::read_to_string(&file).unwrap();

    shell.kill().unwrap();
    shell.wait().unwrap();

    until("its end", || has_ended(&pid));
}

/// Gone, or a zombie that waits for the machine's first process to collect it.
fn has_ended(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, state)| state.starts_with('Z'))
}
