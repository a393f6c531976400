//! How large a terminal's screen is.

use serde::{Deserialize, Serialize};

/// A screen's columns and rows, in character cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Size {
    /// Cells in a row.
    pub cols: u16,
    /// Rows on the screen.
    pub rows: u16,
}

impl Size {
    /// The smallest screen that is given out; below it full-screen programs misbehave.
    pub const SMALLEST: Self = Self { cols: 20, rows: 5 };
    /// The largest screen that is given out; it bounds the memory a screen takes.
    pub const LARGEST: Self = Self {
        cols: 500,
        rows: 200,
    };

    /// The nearest size that is given out: from 20×5 to 500×200.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self {
            cols: self.cols.clamp(Self::SMALLEST.cols, Self::LARGEST.cols),
            rows: self.rows.clamp(Self::SMALLEST.rows, Self::LARGEST.rows),
        }
    }
}

impl Default for Size {
    /// The classic 80×24.
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}
