//! The vendor's own Python client reads the double and finds nothing odd in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;

use duplex_provider_double::{Options, start};
use tokio::process::Command;

fn python() -> PathBuf {
    let named = std::env::var_os("DUPLEX_PYTHON").map(PathBuf::from);
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let python = named.unwrap_or_else(|| home.join(".cache/duplex/venv/bin/python"));
    assert!(
        python.exists(),
        "there is no Python at {}: run `make setup`, or set DUPLEX_PYTHON",
        python.display()
    );
    python
}

/// Has a client read a double; it says what it finds odd. Gives what the double found odd.
async fn judged_by(script: &str) -> Vec<String> {
    let double = start(Options {
        key: Some("k".to_owned()),
        ..Options::default()
    })
    .await
    .unwrap();
    let tests = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/tests/";
    let output = Command::new(python())
        .arg(tests + script)
        .arg(double.base_url())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);

    assert!(output.status.success(), "{said}\n{complained}");
    assert_eq!(said.trim(), "all good");
    double.violations()
}

#[tokio::test]
async fn the_official_client_reads_text_thinking_tools_and_errors() {
    assert_eq!(judged_by("judge.py").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_other_format_s_client_reads_text_thinking_tools_and_errors() {
    let found = judged_by("judge_chat.py").await;
    // The client leaves a call without its result, once and on purpose.
    assert!(
        found[0].contains("must be followed by tool messages"),
        "{found:?}"
    );
}
