//! What the screen is known to show otherwise than xterm.js. Each has an example, so that the list gets no longer than it
//! must be.

/// One difference, in the words of `docs/terminal.md`.
pub struct Known {
    pub name: &'static str,
    pub reason: &'static str,
    pub before: &'static [u8],
    /// What comes after somebody joined.
    pub after: &'static [u8],
}

const fn known(
    name: &'static str,
    reason: &'static str,
    before: &'static [u8],
    after: &'static [u8],
) -> Known {
    Known {
        name,
        reason,
        before,
        after,
    }
}

pub const KNOWN: [Known; 12] = [
    known(
        "links",
        "the emulator keeps none: who joins sees their text",
        b"\x1b]8;;https://x.example\x1b\\link\x1b]8;;\x1b\\",
        b"",
    ),
    known(
        "hidden and overlined text",
        "the emulator has no such looks: who joins sees it plain",
        b"\x1b[8mhidden\x1b[m",
        b"",
    ),
    known(
        "bold and faint at once",
        "the emulator has one or the other",
        b"\x1b[1;2mboth\x1b[m",
        b"",
    ),
    known(
        "a character set restored with the cursor",
        "the character set is no part of what the emulator saves with the cursor",
        b"\x1b(0\x1b8",
        b"lqqk",
    ),
    known(
        "character sets other than ASCII and line drawing",
        "the emulator has no others",
        b"\x1b(A#",
        b"",
    ),
    known(
        "lines scrolled off by SU and DL",
        "the emulator keeps them as history, xterm.js does not",
        b"one\x1b[S",
        b"",
    ),
    known(
        "tab stops of the other screen",
        "the emulator has one set for both screens",
        b"\x1b[?1047h\x1b[3g\x1b[?1047l",
        b"\tx",
    ),
    known(
        "a mark with nothing before it",
        "xterm.js gives it a cell without width",
        b"\x1b[99G\xcc\x81",
        b"x",
    ),
    known(
        "a wide character that does not fit, with a mark, while wrapping is off",
        "xterm.js puts the mark on the character before and widens that",
        "\x1b[?7l\x1b[20G\u{1f469}\u{200d}".as_bytes(),
        b"x",
    ),
    known(
        "columns and whole rows moved sideways (DECIC, DECDC, SL, SR)",
        "the emulator does not know them",
        b"abc\x1b[2 @",
        b"",
    ),
    known(
        "protected characters (DECSCA)",
        "the emulator erases them too",
        b"\x1b[1\"qkept\x1b[?2K",
        b"",
    ),
    known(
        "a control inside a sequence that has not ended",
        "it acts with the end of the sequence",
        b"ab\x1b[1\r",
        b"",
    ),
];

/// Whether damaged sequences may have become one of these: marks with nothing before them, or moved columns.
pub fn has_some(bytes: &[u8]) -> bool {
    let mark = |char| matches!(char, '\u{300}'..='\u{36f}' | '\u{600}'..='\u{605}' | '\u{200b}'..='\u{200f}');
    let text = String::from_utf8_lossy(bytes);
    text.contains(mark) || text.contains("'}") || text.contains("'~")
}
