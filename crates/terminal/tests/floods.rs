//! What is put out to hang or fill a viewer costs no more than its length, in time and in memory.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod judge;

use duplex_terminal::{Gate, Screen, Size};
use judge::Judge;

const STRING: usize = 64 * 1024;

/// The payloads that peers were measured with, in pieces as a terminal gives them.
fn hostile() -> Vec<(&'static str, Vec<u8>, usize)> {
    let link = |n| format!("\x1b]8;;https://x.example/{n}\x07l");
    let links: Vec<String> = (0..20_000).map(link).collect();
    let mut seed = 1u64;
    let noise = std::iter::repeat_with(|| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    });
    let all = b"\x1b[2147483647L\x1b[2147483647M\x1b[2147483647S\x1b[2147483647T";
    vec![
        (
            "an OSC without end",
            [b"\x1b]0;".as_slice(), &[b'x'; 65_000]].concat(),
            1,
        ),
        (
            "a DCS without end",
            [b"\x1bPq".as_slice(), &[b'x'; 65_000]].concat(),
            1,
        ),
        ("50 MB inside a string", vec![b'x'; 65_536], 800),
        ("repeats", b"x\x1b[2147483647b".to_vec(), 1_000),
        ("inserts and scrolls", all.to_vec(), 4_000),
        (
            "parameters",
            b"\x1b["
                .iter()
                .copied()
                .chain(b"1;".repeat(50_000))
                .collect(),
            20,
        ),
        ("marks", "\u{301}".repeat(50_000).into_bytes(), 20),
        ("links", links.concat().into_bytes(), 2),
        ("pushed titles", b"\x1b[22;0t".repeat(10_000), 10),
        ("noise", noise.take(1_000_000).collect(), 2),
    ]
}

#[test]
fn ten_hostile_payloads_cost_time_in_proportion_and_bounded_memory() {
    let mut gate = Gate::new();
    gate.resize(Size::default());
    let mut judge = Judge::new(80);
    let mut screen = Screen::new(Size::default(), 100);
    for (name, piece, times) in hostile() {
        let (mut fed, mut let_through) = (0, 0);
        for _ in 0..times {
            fed += piece.len();
            for part in piece.chunks(16_384) {
                let out = gate.feed(part);
                let_through += out.len();
                assert!(gate.held() <= STRING + 1_024, "{name} fills the gate");
                judge.look(&out);
                screen.feed(&out);
            }
        }
        // A string may be held from one payload into the next.
        assert!(let_through <= fed + STRING, "{name} grows");
        // What a sequence costs a viewer is its count, here at most the larger side of the screen.
        assert!(
            judge.steps <= 80 * fed,
            "{name} costs {} steps",
            judge.steps
        );
        judge.steps = 0;
    }
    judge.finish(&gate.finish());
}
