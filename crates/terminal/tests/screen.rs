//! The screen shows the same however its output is cut, and a dump of it makes another one alike.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use duplex_terminal::{Cursor, Screen, Size};
use proptest::prelude::*;

const SIZE: Size = Size { cols: 24, rows: 6 };

fn screen(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(SIZE, 50);
    screen.feed(bytes);
    screen
}

fn seen(screen: &Screen) -> (Vec<String>, Vec<String>, Cursor, Vec<u8>) {
    (
        screen.history(),
        screen.text(),
        screen.cursor(),
        screen.dump(),
    )
}

fn output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[ -~äß界\u{1f600}]{1,40}".prop_map(String::into_bytes),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n\r\n\r\n".to_vec()),
        "\x1b\\[[0-9]{0,3}(;[0-9]{1,2})?[ABCDHJKLMPSTXm@]".prop_map(String::into_bytes),
        "\x1b\\[\\?(1|7|25|1004|1006|1049|1000|2004)[hl]".prop_map(String::into_bytes),
        "\x1b\\[[0-6] q".prop_map(String::into_bytes),
        "\x1b\\[(3[0-7]|4[0-7]|1|7|38;5;[0-9]{1,2}|48;2;1;2;3|0)m".prop_map(String::into_bytes),
        Just(b"\x1b]0;title\x07".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"\x1b=".to_vec()),
        prop::collection::vec(any::<u8>(), 1..5),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_split_of_the_output_gives_the_same_screen(
        bytes in output(), cuts in prop::collection::vec(1usize..12, 0..40),
    ) {
        let mut pieces = Screen::new(SIZE, 50);
        let mut rest = bytes.as_slice();
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            pieces.feed(now);
            rest = later;
        }
        pieces.feed(rest);
        prop_assert_eq!(seen(&pieces), seen(&screen(&bytes)));
    }

    #[test]
    fn a_dump_makes_the_same_screen(bytes in output(), more in output()) {
        let mut first = screen(&bytes);
        let mut second = screen(&first.dump());
        prop_assert_eq!(seen(&second), seen(&first));
        first.feed(&more);
        second.feed(&more);
        prop_assert_eq!((second.text(), second.cursor()), (first.text(), first.cursor()));
    }
}

#[test]
fn history_keeps_its_colours_in_a_dump() {
    let lines: Vec<_> = (0..20)
        .map(|n| format!("\x1b[1;38;5;{n}mline {n}\x1b[0m plain\r\n"))
        .collect();
    let dump = String::from_utf8(screen(lines.concat().as_bytes()).dump()).unwrap();
    assert!(
        dump.contains("\x1b[0;1;38;5;3mline 3\x1b[0m plain\r\n"),
        "{dump:?}"
    );
}

#[test]
fn a_character_and_a_sequence_cut_by_a_dump_are_finished_after_it() {
    let mut copy = screen(&screen("ab\u{1b}[31mc\u{20ac}".as_bytes().split_at(10).0).dump());
    copy.feed(&"€".as_bytes()[2..]);
    assert_eq!(copy.text()[0], "abc€");
    let mut copy = screen(&screen(b"ab\x1b[2").dump());
    copy.feed(b"Dx");
    assert_eq!(copy.text()[0], "xb");
}

#[test]
fn bytes_that_are_no_text_show_nothing() {
    assert_eq!(screen(b"a\xff\xfeb\xe2\x82c").text()[0], "abc");
}

#[test]
fn modes_reach_whoever_joins_late() {
    let joined = screen(&screen(b"\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[5 q\x1b[?1h").dump());
    assert!(joined.bracketed_paste());
    let dump = String::from_utf8(joined.dump()).unwrap();
    for mode in [
        "\x1b[?2004h",
        "\x1b[?1002h",
        "\x1b[?1006h",
        "\x1b[5 q",
        "\x1b[?1h",
    ] {
        assert!(dump.contains(mode), "{mode:?} in {dump:?}");
    }
}

#[test]
fn a_flood_leaves_no_more_than_the_history() {
    let mut screen = screen(b"");
    for n in 0..20_000 {
        screen.feed(format!("{n}\r\n").as_bytes());
    }
    assert_eq!(screen.history().len(), 50);
    assert_eq!(
        screen.text(),
        ["19995", "19996", "19997", "19998", "19999", ""]
    );
}

#[test]
fn a_size_out_of_range_becomes_the_nearest() {
    let mut screen = Screen::new(
        Size {
            cols: 0,
            rows: 60_000,
        },
        0,
    );
    assert_eq!(
        screen.size(),
        Size {
            cols: 20,
            rows: 200
        }
    );
    screen.resize(Size {
        cols: 65_535,
        rows: 1,
    });
    assert_eq!(screen.size(), Size { cols: 500, rows: 5 });
}
