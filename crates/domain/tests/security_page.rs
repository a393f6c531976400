//! The page about security names, for each attack and each item of the standard, tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/security.md");
const ATTACKS: usize = 23;

/// The items of OWASP's standard that come first here, by chapter and section.
const ITEMS: [(&str, &[u32]); 22] = [
    ("1.2", &[5]),
    ("1.3", &[1, 2, 6]),
    ("3.3", &[1, 2, 3, 4]),
    ("3.4", &[1, 2, 3, 4, 5, 6, 8]),
    ("3.5", &[1, 2, 3, 4, 5, 8]),
    ("4.1", &[3]),
    ("4.4", &[1, 2, 3, 4]),
    ("5.2", &[1, 3, 4, 5]),
    ("5.3", &[2, 3]),
    ("7.2", &[1, 2, 3, 4]),
    ("7.3", &[1, 2]),
    ("7.4", &[1, 2, 3, 4, 5]),
    ("7.5", &[1, 2]),
    ("8.2", &[1, 2, 3]),
    ("8.3", &[1, 2]),
    ("8.4", &[1]),
    ("13.2", &[1, 2, 3, 4, 5, 6]),
    ("13.3", &[1, 2]),
    ("16.2", &[1, 2, 3, 4, 5]),
    ("16.3", &[1, 2, 3, 4]),
    ("16.4", &[1, 2, 3]),
    ("16.5", &[1, 2, 3, 4]),
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the tables below a heading: first cell, last cell.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    let below = PAGE.split(heading).nth(1).unwrap_or_default();
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let first = cells.split(" | ").next()?;
        Some((first, cells.rsplit(" | ").next()?))
    });
    rows.filter(|(first, _)| first.starts_with(|c: char| c == 'A' || c.is_ascii_digit()))
        .collect()
}

/// The tests that a cell names.
fn tests(cell: &str) -> Vec<&str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| name.contains("::") || name.starts_with("e2e/"))
        .collect()
}

/// Whether there is such a test: `crate::binary module::name`, `crate module::tests::name`, or `e2e/file: step`.
fn exists(name: &str) -> bool {
    if let Some((file, step)) = name
        .strip_prefix("e2e/")
        .and_then(|name| name.split_once(": "))
    {
        let text = fs::read_to_string(top().join("e2e").join(file)).unwrap_or_default();
        return text.contains(&format!("\"{step}\""));
    }
    let Some((place, path)) = name.split_once(' ') else {
        return false;
    };
    let (package, binary) = match place.split_once("::") {
        Some((package, binary)) => (package, Some(binary)),
        None => (place, None),
    };
    let places = ["crates", "bins"].map(|kind| top().join(kind).join(package));
    let Some(folder) = places.into_iter().find(|folder| folder.is_dir()) else {
        return false;
    };
    let mut path: Vec<&str> = path.split("::").filter(|part| *part != "tests").collect();
    let test = path.pop().unwrap_or_default();
    let files = match (binary, path.as_slice()) {
        (Some(binary), []) => module(&folder.join("tests"), &[binary]),
        (Some(binary), path) => module(&folder.join("tests").join(binary), path),
        (None, path) => module(&folder.join("src"), path),
    };
    let texts = files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok());
    let signature = format!("fn {test}(");
    texts.into_iter().any(|text| {
        let before = text.split(&signature).next().unwrap_or_default();
        let told = before.rsplit('}').next().unwrap_or_default();
        before.len() < text.len() && (told.contains("#[test]") || told.contains("#[tokio::test"))
    })
}

/// Where a module's text may be.
fn module(root: &Path, path: &[&str]) -> Vec<PathBuf> {
    let place = path
        .iter()
        .fold(root.to_owned(), |place, part| place.join(part));
    vec![
        place.with_extension("rs"),
        place.join("tests.rs"),
        place.join("main.rs"),
    ]
}

#[test]
fn every_attack_and_every_item_has_its_row() {
    let attacks: Vec<_> = rows("\n## Attacks")
        .into_iter()
        .map(|(id, _)| id.to_owned())
        .collect();
    let expected: Vec<_> = (1..=ATTACKS).map(|n| format!("A{n}")).collect();
    assert_eq!(attacks, expected);
    let items: BTreeSet<_> = rows("\n## OWASP")
        .into_iter()
        .map(|(id, _)| id.to_owned())
        .collect();
    let each = |(section, items): &(&str, &[u32])| {
        let id = |item: &u32| format!("{section}.{item}");
        items.iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(items, ITEMS.iter().flat_map(each).collect());
}

#[test]
fn every_row_names_a_test_or_says_why_there_is_none() {
    for (id, cell) in [rows("\n## Attacks"), rows("\n## OWASP")].concat() {
        let says_why = ["not here: ", "not yet: ", "by hand: "]
            .iter()
            .any(|word| cell.starts_with(word));
        assert!(says_why || !tests(cell).is_empty(), "{id}: {cell}");
    }
}

#[test]
fn every_named_test_is_there() {
    let named = [rows("\n## Attacks"), rows("\n## OWASP")].concat();
    let missing: Vec<_> = named
        .iter()
        .flat_map(|(_, cell)| tests(cell))
        .filter(|name| !exists(name))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(
        !exists("edge::it attacks::a1_something_else"),
        "a test that there is not"
    );
    assert!(
        !exists("edge::it attacks::foreign_origins"),
        "a function that is no test"
    );
}

/// Whether a line fetches nothing, or only what a lock names by its hash.
fn is_pinned(line: &str) -> bool {
    let by_cargo = ["run", "build", "install", "nextest run", "test", "clippy"];
    let by_cargo = by_cargo
        .iter()
        .any(|word| line.contains(&format!("cargo {word}")));
    let by_pip = line.contains("pip\" ") && !line.contains("[ -x");
    let anything = line.contains("npm install") || line.contains("npx ");
    let locked = !by_cargo || line.contains("--locked");
    let hashed = !by_pip || line.contains("--require-hashes");
    locked && hashed && !anything
}

#[test]
fn a23_whatever_is_fetched_for_a_build_is_pinned() {
    let read = |file: &str| fs::read_to_string(top().join(file)).unwrap_or_default();
    let mut looked = 0;
    for file in ["Makefile", "tools/setup.sh", ".ci/run", "Dockerfile"] {
        let text = read(file).replace("\\\n", " ");
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        for line in lines {
            assert!(is_pinned(line), "{file}: {line}");
            looked += usize::from(line.contains("--locked"));
        }
    }
    assert!(looked > 5, "the files are read");
    let lock = read("Cargo.lock");
    let packages = lock.split("[[package]]").skip(1);
    for package in packages.filter(|package| package.contains("\nsource = ")) {
        let known = package.contains("registry+") && package.contains("\nchecksum = ");
        assert!(known, "{package}");
    }
    assert!(read(".ci/run").contains("make lint deny test"));
}
