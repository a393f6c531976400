//! The servers end with the process that holds them, even when it is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use duplex_local::{Identity, scratch_dir};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The example `hold`, which cargo builds beside the tests.
fn hold() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/hold")
}

#[tokio::test]
async fn both_servers_end_when_their_holder_is_killed() {
    let folder = scratch_dir().unwrap();
    let mut holder = Command::new(hold())
        .arg(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let held: Vec<Identity> = serde_json::from_str(&line).unwrap();
    assert_eq!(held.len(), 2);
    assert!(held.iter().all(Identity::is_running));

    holder.kill().unwrap();
    holder.wait().unwrap();

    for process in held {
        assert!(
            process.ended_within(Duration::from_secs(10)).await,
            "{process:?}"
        );
    }
}
