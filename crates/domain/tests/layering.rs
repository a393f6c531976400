//! The manifests keep to the tables in ARCHITECTURE.md: who may depend on whom, and where each library has its home.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests fail by panicking"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const PAGE: &str = include_str!("../../../ARCHITECTURE.md");

type Names = BTreeSet<String>;

/// What a manifest says of one package. The prefix `duplex-` is left away.
#[derive(Clone, Debug, Default)]
struct Package {
    ours: Names,
    ours_in_tests: Names,
    outside: Names,
}

/// What the page says.
#[derive(Clone, Debug)]
struct Page {
    /// Crate to what it depends on of ours; exactly that.
    crates: BTreeMap<String, Names>,
    /// Crate to what it may depend on of ours in tests and measurements.
    tests: BTreeMap<String, Names>,
    /// Outside library to the crates it may be used by.
    homes: BTreeMap<String, Names>,
}

/// The rows of the table under a heading, each a list of cells.
fn table<'a>(page: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let section = page
        .split(&format!("\n## {heading}\n"))
        .nth(1)
        .unwrap_or("");
    let section = section.split("\n## ").next().unwrap_or("");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('|').map(str::trim).collect())
        .collect()
}

/// The words between backticks.
fn names(cell: &str) -> Names {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn first(row: &[&str]) -> String {
    row[0].trim_matches('`').to_owned()
}

fn read(page: &str) -> Page {
    let crates = table(page, "Crates");
    let mut homes: BTreeMap<String, Names> = BTreeMap::new();
    for row in &crates {
        for library in names(row[3]) {
            homes.entry(library).or_default().insert(first(row));
        }
    }
    let everybody: Names = crates.iter().map(|row| first(row)).collect();
    for row in table(page, "Libraries used by several crates") {
        let named = names(row[1]);
        let users = match row[1] {
            all if all.starts_with("all but") => &everybody - &named,
            all if all.starts_with("all") => everybody.clone(),
            _ => named,
        };
        // The first cell has lost its opening backtick.
        for library in names(&format!("`{}", row[0])) {
            homes.entry(library).or_default().extend(users.clone());
        }
    }
    let rows = |rows: &[Vec<&str>], column: usize| {
        let row = |row: &Vec<&str>| (first(row), names(row[column]));
        rows.iter().map(row).collect()
    };
    Page {
        crates: rows(&crates, 2),
        tests: rows(&table(page, "Only in tests"), 1),
        homes,
    }
}

fn short(name: &str) -> String {
    name.strip_prefix("duplex-").unwrap_or(name).to_owned()
}

/// The workspace as cargo sees it.
fn packages() -> BTreeMap<String, Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this test");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(folder)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    let all: Names = packages.iter().map(name).collect();
    let read = |package| (short(&name(package)), package_of(package, &all));
    packages.iter().map(read).collect()
}

fn package_of(package: &Value, all: &Names) -> Package {
    let mut read = Package::default();
    for dependency in package["dependencies"].as_array().unwrap() {
        let name = dependency["name"].as_str().unwrap();
        let in_tests = dependency["kind"] == "dev";
        match (all.contains(name), in_tests) {
            (true, false) => read.ours.insert(short(name)),
            (true, true) => read.ours_in_tests.insert(short(name)),
            (false, false) => read.outside.insert(name.to_owned()),
            // Tests may use what they like from outside.
            (false, true) => false,
        };
    }
    read
}

/// Each way in which the manifests and the page differ, as a sentence.
fn differences(packages: &BTreeMap<String, Package>, page: &Page) -> Vec<String> {
    let mut found = Vec::new();
    for name in page.crates.keys() {
        if !packages.contains_key(name) {
            found.push(format!("{name} is in the table and not in the workspace"));
        }
    }
    for (name, package) in packages {
        match page.crates.get(name) {
            Some(allowed) => edges(name, package, allowed, &mut found),
            None => found.push(format!("{name} is in the workspace and not in the table")),
        }
        let allowed = page
            .tests
            .get(name)
            .into_iter()
            .chain(page.tests.get("any"));
        let allowed: Names = allowed.flatten().cloned().collect();
        for edge in &package.ours_in_tests - &allowed {
            found.push(format!("{name} depends on {edge} in its tests"));
        }
        for library in &package.outside {
            let users = page.homes.get(library);
            if !users.is_some_and(|users| users.contains(name)) {
                found.push(format!(
                    "{name} uses {library}, which has its home elsewhere"
                ));
            }
        }
    }
    found
}

fn edges(name: &str, package: &Package, allowed: &Names, found: &mut Vec<String>) {
    for edge in &package.ours - allowed {
        found.push(format!("{name} depends on {edge}"));
    }
    for edge in allowed - &package.ours {
        found.push(format!("{name} no longer depends on {edge}"));
    }
}

#[test]
fn the_manifests_keep_to_the_table() {
    let (packages, page) = (packages(), read(PAGE));

    assert!(page.crates.len() > 15, "{:?}", page.crates);
    assert_eq!(differences(&packages, &page), Vec::<String>::new());
}

#[test]
fn a_wrong_edge_is_found() {
    let (mut packages, page) = (packages(), read(PAGE));
    let mut edge = |name: &str, edge: &str| {
        let package = packages.get_mut(name).unwrap();
        package.ours.insert(edge.to_owned())
    };
    assert!(edge("runner", "readmodel") && edge("domain", "wire"));
    let live = packages.get_mut("live").unwrap();
    live.outside.insert("async-nats".to_owned());
    live.ours_in_tests.insert("runner".to_owned());
    let domain = packages.get_mut("domain").unwrap();
    domain.outside.insert("tokio".to_owned());
    packages.insert("helpers".to_owned(), Package::default());

    assert_eq!(
        differences(&packages, &page),
        [
            "domain depends on wire",
            "domain uses tokio, which has its home elsewhere",
            "helpers is in the workspace and not in the table",
            "live depends on runner in its tests",
            "live uses async-nats, which has its home elsewhere",
            "runner depends on readmodel",
        ]
    );
}
