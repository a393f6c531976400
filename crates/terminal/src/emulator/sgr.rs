//! Colours and the like: as the emulator understands them, and as every terminal does.

use avt::{Color, Pen};
use std::fmt::Write as _;

/// A selection of looks (the parameters of `SGR`) in the emulator's words: what it does not know, it would take for
/// something else.
pub(super) fn known(parameters: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut rest = parameters.split(';');
    while let Some(one) = rest.next() {
        match one {
            // Two lines below are one; fast blinking is blinking.
            "21" => out.push("4".to_owned()),
            "6" => out.push("5".to_owned()),
            "38" | "48" | "58" => {
                let color = color(&mut rest);
                out.extend(
                    color
                        .filter(|_| one != "58")
                        .map(|color| format!("{one};{color}")),
                );
            }
            _ => out.extend(with_parts(one)),
        }
    }
    // Nothing at all would put everything back.
    if out.is_empty() {
        "10".to_owned()
    } else {
        out.join(";")
    }
}

/// The rest of a colour whose parts are separated like the parameters.
fn color<'a>(rest: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let part = |part: Option<&str>| number(part.unwrap_or_default());
    match rest.next()? {
        "5" => Some(format!("5;{}", part(rest.next()))),
        "2" => Some(format!(
            "2;{};{};{}",
            part(rest.next()),
            part(rest.next()),
            part(rest.next())
        )),
        _ => None,
    }
}

fn number(digits: &str) -> u8 {
    digits.parse().unwrap_or(0)
}

/// A parameter that may have parts of its own (`4:3`, `38:2::1:2:3`).
fn with_parts(one: &str) -> Option<String> {
    let parts: Vec<&str> = one.split(':').collect();
    match parts.as_slice() {
        ["4", "0"] => Some("24".to_owned()),
        ["4", _, ..] => Some("4".to_owned()),
        [base @ ("38" | "48"), "5", index, ..] => Some(format!("{base};5;{}", number(index))),
        [base @ ("38" | "48"), "2", _, r, g, b, ..] => Some(format!(
            "{base};2;{};{};{}",
            number(r),
            number(g),
            number(b)
        )),
        [_, _, ..] => None,
        _ => Some(one.to_owned()),
    }
}

/// The sequence that makes a fresh pen like this one.
pub(crate) fn write_pen(out: &mut String, pen: &Pen) {
    out.push_str("\x1b[0");
    let attributes = [
        (pen.is_bold(), ";1"),
        (pen.is_faint(), ";2"),
        (pen.is_italic(), ";3"),
        (pen.is_underline(), ";4"),
        (pen.is_blink(), ";5"),
        (pen.is_inverse(), ";7"),
        (pen.is_strikethrough(), ";9"),
    ];
    out.extend(
        attributes
            .iter()
            .filter_map(|(on, code)| on.then_some(*code)),
    );
    write_color(out, pen.foreground(), 38);
    write_color(out, pen.background(), 48);
    out.push('m');
}

/// The sequence that leaves of a pen only what blanks are drawn with.
pub(super) fn write_blank(out: &mut String, pen: &Pen) {
    out.push_str("\x1b[0");
    write_color(out, pen.background(), 48);
    out.push('m');
}

fn write_color(out: &mut String, color: Option<Color>, base: u8) {
    // Writing to a string cannot fail.
    let _ = match color {
        Some(Color::Indexed(index)) => write!(out, ";{base};5;{index}"),
        Some(Color::RGB(rgb)) => write!(out, ";{base};2;{};{};{}", rgb.r, rgb.g, rgb.b),
        None => Ok(()),
    };
}

/// Whether anything but the background is set, which blanks must not have.
pub(crate) fn has_more_than_background(pen: &Pen) -> bool {
    let looks = [
        pen.is_bold(),
        pen.is_faint(),
        pen.is_italic(),
        pen.is_underline(),
        pen.is_blink(),
        pen.is_inverse(),
        pen.is_strikethrough(),
        pen.foreground().is_some(),
    ];
    looks.contains(&true)
}

/// The emulator separates the parts of a colour by colons and leaves one out that xterm.js counts.
pub(super) fn with_semicolons(dump: &str) -> String {
    let mut out = String::with_capacity(dump.len());
    for (place, piece) in dump.split("\x1b[").enumerate() {
        if place > 0 {
            out.push_str("\x1b[");
        }
        let end = piece
            .find(|char: char| !matches!(char, '0'..=';'))
            .unwrap_or(0);
        let (parameters, rest) = piece.split_at(end);
        if place > 0 && rest.starts_with('m') {
            out.push_str(&parameters.replace(':', ";"));
            out.push_str(rest);
        } else {
            out.push_str(piece);
        }
    }
    out
}
