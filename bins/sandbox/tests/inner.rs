//! The inner stage alone, without bubblewrap around it: what its own walls hold back.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::process::{Command, Output};

use tempfile::TempDir;

fn sandbox(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duplex-sandbox"));
    command.args(args).output().unwrap()
}

fn shell(writable: &TempDir, script: &str) -> Output {
    let writable = writable.path().to_str().unwrap();
    sandbox(&["inner", "--write", writable, "--", "/bin/sh", "-c", script])
}

/// Whether the kernel has Landlock, in the program's own words.
fn landlock() -> bool {
    let said = sandbox(&["inner", "--report"]).stdout;
    let said = String::from_utf8(said).unwrap();
    assert!(said.starts_with("seccomp\ton\nlandlock\t"), "{said}");
    said.ends_with("\ton\n")
}

#[test]
fn a_missing_program_is_told_from_one_that_failed() {
    let missing = sandbox(&["inner", "--", "/nowhere/program"]);
    let unknown = sandbox(&["outer"]);
    let failed = sandbox(&["inner", "--", "/bin/sh", "-c", "exit 7"]);

    let codes = [missing, unknown, failed].map(|output| output.status.code());
    assert_eq!(codes, [Some(127), Some(126), Some(7)]);
}

#[test]
fn landlock_keeps_writing_to_the_folders_that_are_named() {
    let (own, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());

    let script = format!("touch {}/a", own.path().display());
    assert!(shell(&own, &script).status.success());
    let script = format!("touch {}/a", other.path().display());
    assert_eq!(shell(&own, &script).status.success(), !landlock());
}

#[test]
fn landlock_keeps_signals_inside() {
    let own = TempDir::new().unwrap();

    let script = format!("kill -0 {}", std::process::id());
    let sent = shell(&own, &script).status.success();

    // Landlock learned of signals with Linux 6.12; on an older kernel only the process namespace holds them back.
    assert!(!sent || !landlock() || !newer_than_6_11());
}

fn newer_than_6_11() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

#[test]
fn limits_are_lowered_for_good() {
    let own = TempDir::new().unwrap();

    let said = shell(&own, "ulimit -Hc; ulimit -Hn; ulimit -n 5000 || echo no").stdout;

    let said = String::from_utf8(said).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..2], ["0", "4096"]);
}

#[test]
fn sockets_of_the_machine_cannot_be_made_and_pairs_can() {
    let own = TempDir::new().unwrap();
    let perl = |code: &str| {
        let script = format!("perl -MSocket -e '{code} or die'");
        shell(&own, &script).status.success()
    };

    assert!(!perl("socket(my $s, AF_UNIX, SOCK_STREAM, 0)"));
    assert!(perl("socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0)"));
    assert!(perl("socket(my $s, AF_INET, SOCK_STREAM, 0)"));
}
