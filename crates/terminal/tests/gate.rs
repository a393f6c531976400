//! Nothing that could hang, fill or abuse a viewer comes through the gate, and nothing else is touched.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod judge;

use duplex_terminal::{Gate, Size};
use judge::Judge;
use proptest::prelude::*;

const STRING: usize = 64 * 1024;

fn gated(bytes: &[u8]) -> Vec<u8> {
    gated_with(Gate::new(), bytes)
}

fn gated_with(mut gate: Gate, bytes: &[u8]) -> Vec<u8> {
    let mut out = gate.feed(bytes);
    out.extend(gate.finish());
    out
}

fn open_clipboard() -> Gate {
    let mut gate = Gate::new();
    gate.allow_clipboard(true);
    gate
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&gated(bytes)).into_owned()
}

#[test]
fn counts_that_hang_a_browser_are_clamped_to_the_screen() {
    for last in *b"LMSTbIZ@PX" {
        let hostile = [b"\x1b[2147483647".as_slice(), &[last]].concat();
        assert_eq!(gated(&hostile), [b"\x1b[500".as_slice(), &[last]].concat());
        let mut gate = Gate::new();
        gate.resize(Size { cols: 80, rows: 24 });
        assert_eq!(
            gate.feed(&hostile),
            [b"\x1b[80".as_slice(), &[last]].concat()
        );
    }
    assert_eq!(gated(b"\x1b[70000;3H"), b"\x1b[65535;3H");
    assert_eq!(gated(b"a\xc2\x9b9999999Lb"), b"a\xc2\x9b500Lb");
}

#[test]
fn controls_and_bad_bytes_do_not_hide_a_count() {
    assert_eq!(gated(b"\x1b[21474\n83647L"), b"\x18\n\x1b[500L");
    assert_eq!(gated(b"\x1b\n[21474\x7f83647L"), b"\x18\n\x1b[500L");
    assert_eq!(gated(b"\x1b[21474\xff83647L"), b"\x18\xff83647L");
    assert_eq!(gated(b"\x1b\x80[2147483647L"), b"\x18\x80[2147483647L");
    assert_eq!(gated(b"\x1b[2147483647\x1b\x80L"), b"\x18\x18\x80L");
    assert_eq!(gated(b"\x1b]0;t\x1b[2147483647L"), b"\x18\x1b[500L");
}

#[test]
fn ordinary_output_passes_unchanged() {
    let ordinary = "\x1b[38;2;255;128;0mfür\u{a0}é\x1b[0m\x1b[1;200r\x1b[?2004h\x1b]0;title\x07\x1b(B\
                    \x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1b]8;id=1;http://x\x1b\\l\x1b]8;;\x1b\\\u{85}\x1b[5\n;3H\x1b[99L\
                    \x1b]133;A\x07\x1b]7;file://host/tmp\x1b\\\x1b]11;?\x07\x1b]4;1;rgb:0/0/0\x07\x1b[22;0;0t\
                    \x1b[23;0;0t\x1b[2 t\x1b[1;1;2;2$t\x1b[6n\x1b[c\u{9d}2;t\u{9c}\x1b]112\x07\x1b7\x1b8\x1b#8";
    assert_eq!(
        String::from_utf8(gated(ordinary.as_bytes())).unwrap(),
        ordinary
    );
}

#[test]
fn what_abuses_a_viewer_is_dropped() {
    let dropped = [
        "\x1b]52;c;?\x07",
        "\x1b]52;c;aGk=\x07",
        "\x1b]0052;;?\x1b\\",
        "\u{9d}52;c;?\u{9c}",
        "\x1b]5\x022;c;?\x07",
        "\x1b[21t",
        "\x1b[020;1t",
        "\x1b[;21t",
        "\x1b[8;50;200t",
        "\x1b[3;0;0t",
        "\x1b[>2t",
        "\x1b[14t",
        "\x1b[t",
        "\x1b[5i",
        "\x1b]9;hello\x07",
        "\x1b]9;4;1;50\x07",
        "\x1b]777;notify;a;b\x1b\\",
        "\x1b]99;i=1;hi\x1b\\",
        "\x1b]1337;File=name=eA==:eA==\x07",
        "\x1b]5113;ac=send\x1b\\",
        "\x1b]51;Eelisp\x07",
        "\x1b]50;#1\x07",
        "\x1b]L;t\x07",
        "\x1b]99999999999;t\x07",
        "\x1bP0;0;0q#0~\x1b\\",
        "\x1bPq~\x1b\\",
        "\x1bPtmux;x\x1b\\",
        "\x1bP0;1|17/17\x1b\\",
        "\x1b_Gt=f,f=32;L2V0Yw==\x1b\\",
        "\x1b^pm\x1b\\",
        "\x1bXsos\x1b\\",
        "\u{98}sos\u{9c}",
        "\x05",
    ];
    for sequence in dropped {
        assert_eq!(
            shown(format!("a{sequence}b").as_bytes()),
            "a\x18b",
            "{sequence:?}"
        );
    }
    assert_eq!(gated(b"\x1b[1\x05m"), b"\x1b[1m");
}

#[test]
fn the_judge_of_these_tests_would_notice() {
    for abuse in [
        "\x1b[501L",
        "\x1b]52;c;?\x07",
        "\x1b[21t",
        "\x1b]9;x\x07",
        "\x1b_x\x1b\\",
        "\x1bPq~\x1b\\",
        "\x05",
    ] {
        let noticed = std::panic::catch_unwind(|| Judge::new(500).finish(abuse.as_bytes()));
        assert!(noticed.is_err(), "{abuse:?}");
    }
}

#[test]
fn a_program_may_write_to_the_clipboard_when_that_is_allowed_and_never_read_it() {
    let pass =
        |text: &str| String::from_utf8(gated_with(open_clipboard(), text.as_bytes())).unwrap();
    assert_eq!(pass("\x1b]52;c;aGk=\x07"), "\x1b]52;c;aGk=\x07");
    assert_eq!(pass("\x1b]52;;aGk=\x1b\\"), "\x1b]52;;aGk=\x1b\\");
    assert_eq!(pass("\x1b]52;c;?\x07"), "\x18");
    assert_eq!(pass("\x1b]52;c;not base64\x07"), "\x18");
    assert_eq!(pass("\x1b]52;xyz;aGk=\x07"), "\x18");
    let large = format!("\x1b]52;c;{}\x07", "A".repeat(STRING));
    assert_eq!(pass(&large), "\x18");
}

#[test]
fn only_web_addresses_become_links_and_others_end_the_link_before_them() {
    let long = "x".repeat(2_049 - "http://".len());
    let bad = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ssh://host",
        " http://x",
        "http://a\u{e9}",
        &format!("http://{long}"),
    ];
    for address in bad {
        let text = format!("\x1b]8;;{address}\x1b\\text\x1b]8;;\x07");
        assert_eq!(
            shown(text.as_bytes()),
            "\x1b]8;;\x1b\\text\x1b]8;;\x07",
            "{address:?}"
        );
    }
    for address in ["HTTPS://a.b/c?d#e", &format!("http://{}", &long[1..])] {
        let text = format!("\x1b]8;id=7;{address}\x07text\x1b]8;;\x07");
        assert_eq!(shown(text.as_bytes()), text);
    }
}

#[test]
fn a_title_is_short_and_without_controls() {
    let long = "é".repeat(300);
    assert_eq!(
        shown(format!("\x1b]0;{long}\x07").as_bytes()),
        format!("\x1b]0;{}\x07", "é".repeat(256))
    );
    assert_eq!(
        shown("\x1b]2;a\tb\u{202e}c\x07".as_bytes()),
        "\x1b]2;abc\x07"
    );
    assert_eq!(gated(b"\x1b]2;a\xffb\x07"), b"\x1b]2;ab\x07");
}

#[test]
fn strings_and_sequences_without_end_do_not_pass() {
    let long = [b"\x1b]0;".as_slice(), &vec![b'x'; 200_000], b"\x07after"].concat();
    assert_eq!(gated(&long), b"\x18after");
    let longest = [b"\x1b]7;".as_slice(), &vec![b'x'; STRING - 2], b"\x07"].concat();
    assert!(gated(&longest) == longest);
    assert_eq!(gated(b"a\x1b]0;title"), b"a\x18");
    assert_eq!(gated(b"a\x1b]0;title\x18b"), b"a\x18\x18b");
    let long = [b"a\x1b[".as_slice(), &[b'1'; 10_000], b"mb"].concat();
    assert_eq!(gated(&long), b"a\x18b");
    assert_eq!(gated(b"a\x1b[12"), b"a\x18");
}

#[test]
fn a_cell_gets_sixteen_marks_however_they_come() {
    let sixteen = "\u{301}".repeat(16);
    let marks = |text: &str| shown(text.as_bytes()).matches('\u{301}').count();
    assert_eq!(marks(&format!("e{sixteen}")), 16);
    assert_eq!(marks(&format!("e{sixteen}{sixteen}")), 16);
    assert_eq!(
        marks(&format!("e{sixteen}\x1b[1m{sixteen}\x1b(B{sixteen}")),
        16
    );
    assert_eq!(marks(&format!("e{sixteen}b\x08{sixteen}")), 16);
    assert_eq!(marks(&format!("e{sixteen}\n{sixteen}\t{sixteen}")), 16);
    assert_eq!(marks(&format!("e{sixteen}\r\x1b[C{sixteen}")), 16);
    assert_eq!(marks(&format!("e{sixteen}e{sixteen}\r\n{sixteen}")), 48);
}

#[test]
fn text_is_never_held_back() {
    let mut gate = Gate::new();
    for piece in [
        b"ab".as_slice(),
        b"\xe2",
        b"\x82",
        b"\xac",
        b"\xf0\x9f",
        b"\x98\x80\xff",
    ] {
        assert_eq!(gate.feed(piece), piece);
        assert_eq!(gate.held(), 0);
    }
    assert_eq!(gate.feed(b"\x1b[3"), b"");
    assert_eq!(gate.feed(b"1m"), b"\x1b[31m");
}

fn hostile_pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\x1b".to_vec()),
        Just(b"\x1b[".to_vec()),
        Just(b"\xc2".to_vec()),
        Just(b"\xe2\x82".to_vec()),
        Just(b"\xc2\x9b".to_vec()),
        Just(b"\xc2\x9c".to_vec()),
        Just(b"\xc2\x9d".to_vec()),
        Just(b"\x9b".to_vec()),
        Just(b"\x1b]".to_vec()),
        Just(b"\x1bP".to_vec()),
        Just(b"\x1b_".to_vec()),
        Just(b"\x1b(".to_vec()),
        Just(b"\x1b\\".to_vec()),
        Just(b"\x07".to_vec()),
        Just(b"\x05".to_vec()),
        Just(b"\x08".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\x18".to_vec()),
        Just(vec![b'7'; 260]),
        Just("\u{301}".repeat(9).into_bytes()),
        Just("e\u{600}\u{200d}".as_bytes().to_vec()),
        "[0-9;:?>LMSTbZHm $]{1,12}".prop_map(String::into_bytes),
        "(52|0|2|8|9|99|777|1337|133);[a-c?;:/=]{0,6}(\x07|\x1b\\\\)?".prop_map(String::into_bytes),
        "8;;(http|javascript|HTTPS)://[a-c]{1,3}\x07".prop_map(String::into_bytes),
        "\x1b\\[[0-9;]{0,6}[tiLq]".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 1..6),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Text without any control, with at most as many marks in a row as pass.
fn plain() -> impl Strategy<Value = Vec<u8>> {
    let printable = any::<u8>().prop_filter("no control", |byte| *byte >= 0x20);
    let piece = prop_oneof![
        "[ -~\\r\\n\\täß界\u{1f600}\u{feff}\u{e0}\u{9fff}]{1,20}".prop_map(String::into_bytes),
        "[a-z][\u{300}-\u{30f}]{1,16}[a-z]".prop_map(String::into_bytes),
        prop::collection::vec(printable, 1..8),
    ];
    let text = prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat());
    // The C1 controls are sequences.
    text.prop_filter("no C1 control", |text| {
        !text
            .windows(2)
            .any(|pair| pair[0] == 0xc2 && (0x80..0xa0).contains(&pair[1]))
    })
}

fn in_pieces(mut gate: Gate, bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    for cut in cuts.iter().cycle().take(bytes.len()) {
        let (now, later) = rest.split_at((*cut).min(rest.len()));
        out.extend(gate.feed(now));
        assert!(gate.held() <= STRING + 1_024);
        rest = later;
    }
    out.extend(gate.feed(rest));
    out.extend(gate.finish());
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn any_split_gives_the_same_safe_output(
        bytes in hostile_pieces(), cuts in prop::collection::vec(1usize..9, 1..20), clipboard in any::<bool>(),
    ) {
        let gate = || if clipboard { open_clipboard() } else { Gate::new() };
        let whole = gated_with(gate(), &bytes);
        prop_assert_eq!(&in_pieces(gate(), &bytes, &cuts), &whole);
        prop_assert_eq!(&gated_with(gate(), &whole), &whole, "gating twice");
        let mut judge = Judge::new(500);
        judge.clipboard = clipboard;
        judge.finish(&whole);
    }

    #[test]
    fn plain_text_passes_unchanged(bytes in plain(), cuts in prop::collection::vec(1usize..9, 1..20)) {
        prop_assert_eq!(in_pieces(Gate::new(), &bytes, &cuts), bytes);
    }
}
