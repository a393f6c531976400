//! The page about events says what there is, no more and no less.

use std::collections::BTreeSet;

const SOURCE: &str = include_str!("../src/event.rs");
const PAGE: &str = include_str!("../../../docs/events.md");

/// The enum's variants, as they are called in JSON.
fn variants() -> BTreeSet<String> {
    let body = SOURCE.split("pub enum Event {").nth(1).unwrap_or_default();
    let body = body.split("\n}\n").next().unwrap_or_default();
    let named = body.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?;
        let name = name.split([' ', '{', '(', ',']).next()?;
        name.starts_with(char::is_uppercase)
            .then(|| snake_case(name))
    });
    named.filter(|name| name != "unknown").collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The types named in the page's tables of lanes.
fn rows() -> BTreeSet<String> {
    let tables = PAGE.split("\n## Lane").skip(1);
    let rows = tables.flat_map(str::lines);
    let names = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_page_names_every_event_and_no_other() {
    assert!(variants().len() > 30, "{:?}", variants());
    assert_eq!(rows(), variants());
}
