//! Costs are those of an independent price library.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::process::Command;

use duplex_provider::{Usage, price};

fn python() -> PathBuf {
    let named = std::env::var_os("DUPLEX_PYTHON").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let python = named.unwrap_or_else(|| {
        home.unwrap_or_default()
            .join(".cache/duplex/venv/bin/python")
    });
    assert!(
        python.exists(),
        "there is no Python at {}: run `make setup`, or set DUPLEX_PYTHON",
        python.display()
    );
    python
}

/// A line of the oracle: model, counts, cost.
fn check(line: &str) {
    let (model, numbers) = line.split_once(' ').unwrap();
    let numbers: Vec<u64> = numbers
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let [input, cache_write, cache_read, output, cost] = numbers[..] else {
        panic!("an odd line: {line}")
    };
    let usage = Usage {
        input,
        output,
        cache_write,
        cache_read,
        ..Usage::default()
    };

    assert_eq!(price::cost(model, &usage), Some(cost), "{line}");
}

#[test]
fn random_usages_cost_what_an_independent_library_says() {
    let script = std::env::var("CARGO_MANIFEST_DIR").unwrap() + "/tests/oracle.py";
    let output = Command::new(python()).arg(script).output().unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complained}");
    let lines = String::from_utf8(output.stdout).unwrap();

    assert_eq!(lines.lines().count(), 2000);
    lines.lines().for_each(check);
}
