//! Decides which strings (OSC, DCS, APC, PM, SOS) may pass.

use crate::scan::belongs;
use crate::text::turns_text;

/// The longest string that passes, in bytes.
const LONGEST: usize = 64 * 1024;
/// The longest address of a link that passes, in bytes; with it goes a name of the link of at most 256.
const LONGEST_LINK: usize = 2_048;
const LONGEST_LINK_PARAMETERS: usize = 256;
/// The longest title that passes, in characters; the rest is cut off.
const LONGEST_TITLE: usize = 256;
/// Every OSC that is dropped whatever it says: property of the window (3), notifications (9, 99, 777), log file (46),
/// font (50), Emacs commands (51), files and more of iTerm2 (1337), files of kitty (5113), clipboard of kitty (5522).
const DROPPED: [u32; 10] = [3, 9, 46, 50, 51, 99, 777, 1337, 5113, 5522];

/// A string whose end has not come.
#[derive(Debug)]
pub(super) struct Open {
    opener: Vec<u8>,
    payload: Vec<u8>,
    too_long: bool,
}

impl Open {
    pub(super) fn new(opener: &[u8]) -> Self {
        Self {
            opener: opener.to_vec(),
            payload: Vec::new(),
            too_long: false,
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.too_long |= self.payload.len() + bytes.len() > LONGEST;
        if self.too_long {
            self.payload = Vec::new();
        } else {
            self.payload.extend_from_slice(bytes);
        }
    }

    pub(super) fn held(&self) -> usize {
        self.opener.len() + self.payload.len()
    }

    /// What passes of the string, without its end; `clipboard` if programs may write to it.
    pub(super) fn passes(&self, clipboard: bool) -> Option<Vec<u8>> {
        if self.too_long {
            return None;
        }
        let said = said(&self.payload);
        let body = match self.opener.last()? {
            b']' | 0x9d => osc(&said, clipboard)?,
            b'P' | 0x90 => dcs(&said)?,
            // No terminal shows an APC, PM or SOS; kitty reads files for one.
            _ => return None,
        };
        let mut string: Vec<u8> = self.opener.first().copied().into_iter().collect();
        string.extend(self.opener.iter().skip(1).filter(|byte| belongs(**byte)));
        string.extend_from_slice(body.as_bytes());
        Some(string)
    }
}

/// What terminals read in a string: they skip controls, and bytes that are no UTF-8.
fn said(payload: &[u8]) -> String {
    let valid = payload
        .utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars());
    valid.filter(|char| !char.is_control()).collect()
}

fn osc(said: &str, clipboard: bool) -> Option<String> {
    let (number, rest) = said.split_once(';').unwrap_or((said, ""));
    let number = command(number)?;
    match number {
        0..=2 => Some(title(said)),
        8 => link(rest),
        52 => (clipboard && is_clipboard_write(rest)).then(|| said.to_owned()),
        _ if DROPPED.contains(&number) => None,
        _ => Some(said.to_owned()),
    }
}

/// A number that every terminal reads alike.
fn command(digits: &str) -> Option<u32> {
    let digits_only = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = digits.parse().ok()?;
    (digits_only && number <= 65_535).then_some(number)
}

fn title(said: &str) -> String {
    let Some((number, title)) = said.split_once(';') else {
        return said.to_owned();
    };
    let mut out = format!("{number};");
    out.extend(
        title
            .chars()
            .filter(|c| !turns_text(*c))
            .take(LONGEST_TITLE),
    );
    out
}

/// A link that may not pass ends the one before it, or its text would seem to belong there. One without an address is none
/// to any terminal.
fn link(rest: &str) -> Option<String> {
    let (parameters, address) = rest.split_once(';')?;
    let start = address.get(..8).unwrap_or(address).to_ascii_lowercase();
    let safe = (start.starts_with("http://") || start.starts_with("https://"))
        && address.len() <= LONGEST_LINK
        && parameters.len() <= LONGEST_LINK_PARAMETERS
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    Some(if safe {
        format!("8;{parameters};{address}")
    } else {
        "8;;".to_owned()
    })
}

fn is_clipboard_write(rest: &str) -> bool {
    let Some((targets, data)) = rest.split_once(';') else {
        return false;
    };
    let known = |byte: u8| b"cpqs01234567".contains(&byte);
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    targets.bytes().all(known) && data.bytes().all(base64)
}

/// Of the DCS only questions after settings and capabilities pass, and the old form of "draw this at once". So sixel and
/// `ReGIS` pictures, fonts, programmed keys and what is for a tmux around the terminal do not.
fn dcs(said: &str) -> Option<String> {
    let after = said.trim_start_matches(|char: char| matches!(char, '0'..='?'));
    let parameters = &said[..said.len() - after.len()];
    let question = after.starts_with("$q") || after.starts_with("+q");
    let at_once = matches!(parameters, "=1" | "=2") && after == "s";
    (question || at_once).then(|| said.to_owned())
}
