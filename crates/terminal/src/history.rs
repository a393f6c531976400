//! Writes the lines that scrolled off the screen, with their colours, so that a fresh terminal has them too.

use avt::{Cell, Color, Line, Pen, Terminal};
use std::fmt::Write as _;

/// Sequences which, written into a fresh terminal of the same size, leave the same history above an empty screen
/// with the cursor at its home. xterm.js was seen to show the same, but for one thing: a line that reaches from the
/// history into the screen is cut in two, which only shows when the viewer is resized.
pub(crate) fn dump(terminal: &Terminal) -> String {
    let (_, rows) = terminal.size();
    let lines: Vec<&Line> = lines(terminal).collect();
    let mut out = String::new();
    let mut joined = false;
    for (place, line) in lines.iter().enumerate() {
        // The last line is ended in any case: the screen below it is written on its own.
        let wraps = line.is_wrapped() && place + 1 < lines.len();
        write_line(&mut out, line, wraps, joined);
        joined = wraps;
    }
    if !lines.is_empty() {
        let below = lines.len().min(rows - 1);
        // Writing to a string cannot fail.
        let _ = write!(out, "\x1b[{rows};1H{}\x1b[H", "\n".repeat(below));
    }
    out
}

/// The lines above the ordinary screen, oldest first.
pub(crate) fn lines(terminal: &Terminal) -> impl Iterator<Item = &Line> {
    let screen = terminal.primary_screen();
    let above = screen.all_lines().count().saturating_sub(terminal.size().1);
    screen.all_lines().take(above)
}

fn write_line(out: &mut String, line: &Line, wraps: bool, joined: bool) {
    let cells = line.cells();
    let blank = cells
        .iter()
        .rev()
        .take_while(|cell| **cell == Cell::default())
        .count();
    // A line that continues another needs one cell at least, or the one before would not wrap.
    let shown = if wraps {
        cells.len()
    } else {
        (cells.len() - blank).max(usize::from(joined))
    };
    let mut pen = Pen::default();
    for cell in cells.iter().take(shown).filter(|cell| cell.width() > 0) {
        if *cell.pen() != pen {
            pen = *cell.pen();
            write_pen(out, &pen);
        }
        out.push(cell.char());
    }
    if pen != Pen::default() {
        out.push_str("\x1b[0m");
    }
    if wraps {
        return;
    }
    if joined && shown < cells.len() {
        // Wrapping into a new row fills it with the colours of the character that wrapped.
        out.push_str("\x1b[K");
    }
    out.push_str("\r\n");
}

fn write_pen(out: &mut String, pen: &Pen) {
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

fn write_color(out: &mut String, color: Option<Color>, base: u8) {
    // Writing to a string cannot fail.
    let _ = match color {
        Some(Color::Indexed(index)) => write!(out, ";{base};5;{index}"),
        Some(Color::RGB(rgb)) => write!(out, ";{base};2;{};{};{}", rgb.r, rgb.g, rgb.b),
        None => Ok(()),
    };
}
