//! The screen shows what xterm.js shows, and so does the page of whoever joins from its dump.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../chance/mod.rs"]
mod chance;
#[path = "../damage/mod.rs"]
mod damage;
mod known;
mod traffic;
mod xterm;

use chance::Chance;
use duplex_terminal::{Gate, Screen, Size};
use known::KNOWN;
use traffic::{Case, Traffic};
use xterm::{Part, Shown, Xterm};

const SCROLLBACK: usize = 30;
const CASES: u64 = 3_000;

/// One comparison of a case: what differs, if anything.
type Check = fn(&mut Xterm, &Case) -> Result<(), String>;

fn ours(size: Size, parts: &[Part]) -> Screen {
    let mut screen = Screen::new(size, SCROLLBACK);
    for part in parts {
        match part {
            Part::Output(bytes) => screen.feed(bytes),
            Part::Resized(size) => screen.resize(*size),
        }
    }
    screen
}

/// The server's screen against a page's.
fn screen(xterm: &mut Xterm, case: &Case) -> Result<(), String> {
    for parts in [case.before.clone(), case.all()] {
        let ours = ours(case.size, &parts);
        let shown = xterm.show(case.size, SCROLLBACK, &parts);
        let cursor = ours.cursor();
        let mut seen = Shown {
            text: ours.text(),
            history: ours.history(),
            cursor: (cursor.col, cursor.row),
            visible: cursor.visible,
            ..shown.clone()
        };
        case.tolerate(&shown, &mut seen);
        shown.same(&seen)?;
    }
    Ok(())
}

/// A page that was there from the start against a fresh one that joins, and against one that gets a new screen on the
/// terminal it has; at once, and after more output.
fn joined(xterm: &mut Xterm, case: &Case) -> Result<(), String> {
    let screen = ours(case.size, &case.before);
    let dump = Part::Output(screen.dump());
    let used = [
        case.used(),
        Part::Output(b"\x18\x1bc".to_vec()),
        dump.clone(),
    ];
    for (before, after) in [(case.before.clone(), &[][..]), (case.all(), &case.after)] {
        let live = xterm.show(case.size, SCROLLBACK, &before);
        for start in [std::slice::from_ref(&dump), &used] {
            let all = [start, after].concat();
            let mut joined = xterm.show(screen.size(), SCROLLBACK, &all);
            case.tolerate(&live, &mut joined);
            live.same(&joined)?;
        }
    }
    Ok(())
}

/// A smaller case with a difference, for the one who reads.
fn smaller(xterm: &mut Xterm, mut case: Case, check: Check) -> Case {
    let mut at = 0;
    while at < case.before.len() + case.after.len() {
        let mut less = case.clone();
        if at < case.before.len() {
            less.before.remove(at);
        } else {
            less.after.remove(at - case.before.len());
        }
        if check(xterm, &less).is_err() {
            case = less;
            at = 0;
        } else {
            at += 1;
        }
    }
    case
}

fn all_agree(cases: impl Iterator<Item = Case>, check: Check) {
    let mut xterm = Xterm::start();
    let mut compared = 0;
    for case in cases {
        if check(&mut xterm, &case).is_err() {
            let case = smaller(&mut xterm, case, check);
            let why = check(&mut xterm, &case).unwrap_err();
            panic!("{case:?}\n{why}");
        }
        compared += 1;
    }
    assert!(compared > 500, "only {compared} cases");
}

fn traffic() -> impl Iterator<Item = Case> {
    (0..CASES).map(|seed| Traffic::new(seed).case())
}

fn resized() -> impl Iterator<Item = Case> {
    (0..1_000).map(|seed| Traffic::new(seed).resized_case())
}

#[test]
fn the_screen_shows_what_a_page_shows() {
    all_agree(traffic(), screen);
}

#[test]
fn who_joins_late_sees_what_everybody_sees() {
    all_agree(traffic(), joined);
}

#[test]
fn a_screen_of_another_size_shows_what_a_page_shows() {
    all_agree(resized(), screen);
}

#[test]
fn who_joins_a_screen_of_another_size_sees_what_everybody_sees() {
    all_agree(resized(), joined);
}

#[test]
fn every_character_is_as_wide_as_on_a_page() {
    let mut xterm = Xterm::start();
    let all = (0xa0..=0x10_ffff).filter_map(char::from_u32);
    // This one is no character to xterm.js.
    for chunk in all
        .filter(|c| *c != '\u{feff}')
        .collect::<Vec<_>>()
        .chunks(8_192)
    {
        let theirs = xterm.widths(chunk);
        let mut screen = Screen::new(Size::default(), 0);
        let mut width = |char: char| {
            screen.feed(format!("\r-{char}").as_bytes());
            screen.cursor().col - 1
        };
        let ours: Vec<usize> = chunk.iter().map(|char| width(*char)).collect();
        let differ = chunk
            .iter()
            .zip(ours.iter().zip(&theirs))
            .find(|(_, (a, b))| a != b);
        assert_eq!(differ, None);
    }
}

#[test]
fn nothing_that_passes_the_gate_breaks_a_page() {
    let mut xterm = Xterm::start();
    for seed in 0..2_000 {
        let mut gate = Gate::new();
        gate.resize(Size::SMALLEST);
        let mut bytes = gate.feed(&damage::mutation(&mut Chance(seed)));
        bytes.extend(gate.finish());
        let mut parts = vec![Part::Output(bytes.clone())];
        if !known::has_some(&bytes) {
            let mut case = Case::new(Size::SMALLEST, parts.clone(), Vec::new());
            case.scrolls = true;
            let same = screen(&mut xterm, &case);
            assert_eq!(same, Ok(()), "mutation {seed}: {parts:?}");
        }
        parts.push(Part::Output(b"\x1bcstill here".to_vec()));
        let shown = xterm.show(Size::SMALLEST, SCROLLBACK, &parts);
        assert_eq!(shown.text[0], "still here", "mutation {seed}: {parts:?}");
    }
}

#[test]
fn every_known_difference_is_still_one() {
    let mut xterm = Xterm::start();
    for known in &KNOWN {
        let output = |bytes: &[u8]| vec![Part::Output(bytes.to_vec())];
        let case = Case::new(Size::SMALLEST, output(known.before), output(known.after));
        let differs = screen(&mut xterm, &case).is_err() || joined(&mut xterm, &case).is_err();
        assert!(differs, "{} agrees now ({})", known.name, known.reason);
    }
}
