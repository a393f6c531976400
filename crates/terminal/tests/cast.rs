//! What we write plays in the real asciinema.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use duplex_terminal::{Cast, Size};
use std::process::Command;

const AT: u64 = 1_760_000_000_000;

/// A recording with a cut character, broken bytes, colours, a resize and a marker.
fn recording() -> String {
    let (mut cast, mut text) = Cast::begin(Size { cols: 80, rows: 24 }, "tests \"pass\"", AT);
    let pieces: [&[u8]; 5] = [
        b"\x1b[31mred\x1b[0m caf\xc3",
        b"\xa9\r\n",
        b"\xff?\r\n",
        b"\x1b[2Kdone",
        b"\r\n",
    ];
    for (n, piece) in (0..).zip(pieces) {
        text.extend(cast.output(piece, AT + n * 10));
    }
    text.push_str(&cast.resize(
        Size {
            cols: 100,
            rows: 30,
        },
        AT + 60,
    ));
    text.push_str(&cast.marker("12 bytes were not kept", AT + 60));
    text.extend(cast.output(b"end\r\n", AT + 70));
    text
}

/// What asciinema prints on a terminal that changes nothing of it.
fn asciinema(arguments: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), recording()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let command = format!("stty raw; asciinema {arguments} {}", file.path().display());
    // It asks for the locale, and keeps an id of its own in its home.
    let ran = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .env("HOME", home.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn asciinema_gives_back_what_was_put_out() {
    let expected = "\u{1b}[31mred\u{1b}[0m café\r\n\u{fffd}?\r\n\u{1b}[2Kdone\r\nend\r\n";
    let printed = asciinema("cat");
    // Before it, the terminal echoes that nobody types.
    assert!(printed.ends_with(expected), "{printed:?}");
}

#[test]
fn asciinema_plays_it() {
    let played = asciinema("play -s 1000");
    assert!(
        played.contains("café") && played.ends_with("end\r\n"),
        "{played:?}"
    );
}
