//! Single characters that stand for what the emulator cannot put into a cell.
//!
//! The emulator keeps one character for each cell and measures it by its own tables. A character with marks, or one that a
//! viewer's terminal draws in another width, is kept as a private or unassigned character of the right width.

use super::width::width;
use std::collections::HashMap;
use unicode_width::UnicodeWidthChar;

/// How many different ones a terminal may use; the marks of further ones are not kept.
const MOST: u32 = 16_384;
/// Private use: the emulator draws these in one column.
const NARROW: u32 = 0xf_0000;
/// Never assigned: the emulator draws these in two columns.
const WIDE: u32 = 0x3_8000;

/// What stands for what, on one terminal.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    known: HashMap<String, char>,
    narrow: Vec<String>,
    wide: Vec<String>,
}

impl StandIns {
    /// What the emulator gets for a character that takes columns.
    pub(super) fn of(&mut self, char: char) -> char {
        let width = width(char);
        let drawn = if char.width() == Some(2) { 2 } else { 1 };
        if width == drawn && self.place(char).is_none() && !is_reserved(char) {
            return char;
        }
        self.intern(char.to_string(), width)
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// What the emulator gets for a cell when a mark joins it; nothing if there are too many.
    pub(super) fn joined(&mut self, cell: char, mark: char, width: usize) -> Option<char> {
        let mut cluster = String::new();
        self.write(cell, &mut cluster);
        cluster.push(mark);
        self.intern(cluster, width)
    }

    /// Writes what a cell's character stands for.
    pub(crate) fn write(&self, cell: char, out: &mut String) {
        match self.place(cell) {
            Some(cluster) => out.push_str(cluster),
            None => out.push(cell),
        }
    }

    /// A text of cells as what they stand for.
    pub(crate) fn read(&self, cells: &str) -> String {
        let mut out = String::with_capacity(cells.len());
        for cell in cells.chars() {
            self.write(cell, &mut out);
        }
        out
    }

    fn place(&self, cell: char) -> Option<&String> {
        let code = u32::from(cell);
        let (list, first) = if code >= NARROW {
            (&self.narrow, NARROW)
        } else {
            (&self.wide, WIDE)
        };
        list.get(usize::try_from(code.checked_sub(first)?).ok()?)
    }

    fn intern(&mut self, cluster: String, width: usize) -> Option<char> {
        if let Some(known) = self.known.get(&cluster) {
            return Some(*known);
        }
        let (list, first) = match width {
            2 => (&mut self.wide, WIDE),
            _ => (&mut self.narrow, NARROW),
        };
        let next = u32::try_from(list.len()).ok().filter(|next| *next < MOST)?;
        let stand_in = char::from_u32(first + next)?;
        list.push(cluster.clone());
        self.known.insert(cluster, stand_in);
        Some(stand_in)
    }
}

/// Whether a program's own character could be taken for a stand-in.
fn is_reserved(char: char) -> bool {
    let code = u32::from(char);
    (NARROW..NARROW + MOST).contains(&code) || (WIDE..WIDE + MOST).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_emulator_draws_stand_ins_in_the_width_they_are_for() {
        for place in [0, MOST - 1] {
            let drawn = |first| char::from_u32(first + place).and_then(UnicodeWidthChar::width);
            assert_eq!((drawn(NARROW), drawn(WIDE)), (Some(1), Some(2)));
        }
    }

    #[test]
    fn a_terminal_has_so_many_and_no_more() {
        let mut all = StandIns::default();
        for n in 0..MOST * 2 {
            let cluster = format!("{n}\u{301}");
            assert_eq!(all.intern(cluster, 1).is_some(), n < MOST);
        }
        assert_eq!(all.read("a\u{f0001}b"), "a1\u{301}b");
    }
}
