//! However real sequences are damaged, cut and mixed, what comes through the gate is safe.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod chance;
mod damage;
mod judge;

use chance::Chance;
use damage::mutation;
use duplex_terminal::{Gate, Screen, Size};
use judge::Judge;

const MUTATIONS: u64 = 25_000;
const SIZE: Size = Size { cols: 80, rows: 24 };

fn gate(clipboard: bool) -> Gate {
    let mut gate = Gate::new();
    gate.resize(SIZE);
    gate.allow_clipboard(clipboard);
    gate
}

fn whole(clipboard: bool, bytes: &[u8]) -> Vec<u8> {
    let mut gate = gate(clipboard);
    let mut out = gate.feed(bytes);
    out.extend(gate.finish());
    out
}

fn in_pieces(clipboard: bool, bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut gate = gate(clipboard);
    let (mut out, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(1 + chance.below(rest.len()));
        out.extend(gate.feed(now));
        rest = later;
    }
    out.extend(gate.finish());
    out
}

fn cut_in_pieces_alike(clipboard: bool, bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let out = whole(clipboard, bytes);
    assert_eq!(in_pieces(clipboard, bytes, chance), out, "in pieces");
    assert_eq!(whole(clipboard, &out), out, "gating twice");
    // A clamped sequence with controls in it, at least seven bytes, gets one more.
    assert!(out.len() <= bytes.len() + bytes.len() / 7 + 2, "it grows");
    out
}

#[test]
fn whatever_is_done_to_real_sequences_what_passes_is_safe() {
    let mut screen = Screen::new(SIZE, 20);
    for seed in 0..MUTATIONS {
        let mut chance = Chance(seed);
        let bytes = mutation(&mut chance);
        let clipboard = chance.below(2) == 0;
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let tried = std::panic::catch_unwind(move || {
            let out = cut_in_pieces_alike(clipboard, &bytes, &mut chance);
            let mut judge = Judge::new(80);
            judge.clipboard = clipboard;
            judge.finish(&out);
            assert!(
                judge.steps <= 80 * out.len(),
                "it costs {} steps",
                judge.steps
            );
            out
        });
        let out = tried.unwrap_or_else(|_| panic!("mutation {seed}: {shown:?}"));
        screen.feed(&out);
        let rows = screen.text();
        assert_eq!(rows.len(), 24, "mutation {seed}: {shown:?}");
    }
    let mut joined = Screen::new(SIZE, 20);
    joined.feed(&screen.dump());
    assert_eq!(joined.text(), screen.text());
}

#[test]
fn ordinary_text_passes_as_it_is() {
    const TEXT: [&str; 8] = [
        "word ",
        "für ",
        "日本語",
        "👨\u{200d}👩",
        "e\u{301}",
        "\r\n",
        "\t",
        "\u{a0}ß",
    ];
    for seed in 0..2_000 {
        let mut chance = Chance(seed);
        let many = 1 + chance.below(20);
        let text: String = (0..many).map(|_| chance.one_of(&TEXT)).collect();
        assert_eq!(
            in_pieces(false, text.as_bytes(), &mut chance),
            text.as_bytes()
        );
    }
}
