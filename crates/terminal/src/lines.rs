//! Writes lines with their colours, so that a fresh terminal has them too.

use crate::emulator::{StandIns, has_more_than_background, is_mark, write_pen};
use avt::{Cell, Line, Pen};

/// Writes lines from the cursor's on, without the blanks at their ends; the cursor is left on the last.
pub(crate) fn write(out: &mut String, lines: &[&Line], stand_ins: &StandIns) {
    let mut joined = false;
    for (place, line) in lines.iter().enumerate() {
        let last = place + 1 == lines.len();
        let wraps = line.is_wrapped() && !last;
        write_line(out, line, wraps, joined, stand_ins);
        if !wraps && !last {
            out.push_str("\r\n");
        }
        joined = wraps;
    }
}

fn write_line(out: &mut String, line: &Line, wraps: bool, joined: bool, stand_ins: &StandIns) {
    let cells = line.cells();
    // A line that continues another needs one cell at least, or the one before would not wrap.
    let shown = if wraps {
        cells.len()
    } else {
        written(cells).max(usize::from(joined))
    };
    let mut pen = Pen::default();
    for cell in cells.iter().take(shown).filter(|cell| cell.width() > 0) {
        turn(out, &mut pen, cell.pen());
        if is_mark(cell.char()) {
            // Nothing happens, but the mark does not join the character before.
            out.push('\0');
        }
        stand_ins.write(cell.char(), out);
    }
    if !wraps && shown < cells.len() {
        let rest = cells.last().map_or_else(Pen::default, |cell| *cell.pen());
        turn(out, &mut pen, &rest);
        // Wrapping into a new row fills it with the colours of the character that wrapped.
        if joined || rest != Pen::default() {
            out.push_str("\x1b[K");
        }
    }
    turn(out, &mut pen, &Pen::default());
}

/// How many cells are to be written: blanks that erasing leaves are not, or they would count as text when the terminal is
/// made narrower.
fn written(cells: &[Cell]) -> usize {
    let Some(last) = cells.last().filter(|cell| is_erased(cell)) else {
        return cells.len();
    };
    let blank = cells.iter().rev().take_while(|cell| *cell == last);
    cells.len() - blank.count()
}

/// Erasing leaves a blank with the background of the time.
fn is_erased(cell: &Cell) -> bool {
    cell.char() == ' ' && cell.width() == 1 && !has_more_than_background(cell.pen())
}

fn turn(out: &mut String, pen: &mut Pen, next: &Pen) {
    if pen == next {
        return;
    }
    if *next == Pen::default() {
        out.push_str("\x1b[0m");
    } else {
        write_pen(out, next);
    }
    *pen = *next;
}
