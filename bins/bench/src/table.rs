//! Figures beside their yardsticks, for people and for programs.

use crate::Percentiles;
use serde::Serialize;
use std::fmt;

/// A benchmark's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Which benchmark.
    pub benchmark: &'static str,
    /// What was done, as a sentence.
    pub setting: String,
    /// What the yardstick is.
    pub yardstick: &'static str,
    /// What it ran on.
    pub machine: String,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// In what.
    pub unit: &'static str,
    /// Duplex's.
    pub duplex: f64,
    /// The yardstick's, where there is a thing to compare with.
    pub yardstick: Option<f64>,
    /// Duplex's over the yardstick's.
    pub ratio: Option<f64>,
}

impl Row {
    /// A figure with its yardstick.
    pub fn new(what: impl Into<String>, unit: &'static str, duplex: f64, yardstick: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            duplex,
            yardstick: Some(yardstick),
            ratio: (yardstick != 0.0).then(|| duplex / yardstick),
        }
    }

    /// A figure that the yardstick has none for.
    pub fn alone(what: impl Into<String>, unit: &'static str, duplex: f64) -> Self {
        Self {
            what: what.into(),
            unit,
            duplex,
            yardstick: None,
            ratio: None,
        }
    }

    /// The four usual figures of a spread.
    #[must_use]
    pub fn spread(what: &str, duplex: &Percentiles, yardstick: &Percentiles) -> Vec<Self> {
        let (ours, bare) = (duplex.spread(), yardstick.spread());
        [
            ("p50", ours.p50, bare.p50),
            ("p90", ours.p90, bare.p90),
            ("p99", ours.p99, bare.p99),
            ("longest", ours.max, bare.max),
        ]
        .map(|(name, ours, bare)| Self::new(format!("{what}, {name}"), "ms", ours, bare))
        .into()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.benchmark, self.setting)?;
        writeln!(f, "yardstick: {}", self.yardstick)?;
        writeln!(f, "machine: {}\n", self.machine)?;
        let head = ["what", "unit", "Duplex", "yardstick", "ratio"].map(str::to_owned);
        let lines: Vec<_> = [head]
            .into_iter()
            .chain(self.rows.iter().map(cells))
            .collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths = [0, 1, 2, 3, 4].map(|column| width(column).unwrap_or(0));
        for (number, line) in lines.iter().enumerate() {
            writeln!(f, "| {} |", padded(line, widths).join(" | "))?;
            if number == 0 {
                writeln!(
                    f,
                    "|{}|",
                    widths.map(|width| "-".repeat(width + 2)).join("|")
                )?;
            }
        }
        Ok(())
    }
}

/// Names to the left, figures to the right.
fn padded(line: &[String; 5], widths: [usize; 5]) -> [String; 5] {
    std::array::from_fn(|column| {
        let (cell, width) = (&line[column], widths[column]);
        if column < 2 {
            format!("{cell:width$}")
        } else {
            format!("{cell:>width$}")
        }
    })
}

fn cells(row: &Row) -> [String; 5] {
    let optional = |figure: Option<f64>| figure.map_or("–".to_owned(), number);
    [
        row.what.clone(),
        row.unit.to_owned(),
        number(row.duplex),
        optional(row.yardstick),
        optional(row.ratio),
    ]
}

/// As many digits as mean something.
fn number(figure: f64) -> String {
    match figure.abs() {
        large if large >= 100.0 => format!("{figure:.0}"),
        middle if middle >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn report() -> Report {
        Report {
            benchmark: "relay",
            setting: "nothing at all".to_owned(),
            yardstick: "nothing either",
            machine: "none".to_owned(),
            rows: vec![
                Row::new("first", "ms", 12.34, 1.5),
                Row::alone("the second", "MiB", 1234.5),
                Row::new("third", "ms", 1.0, 0.0),
            ],
        }
    }

    #[test]
    fn a_report_is_a_table_with_ratios() {
        let expected = "\
relay: nothing at all
yardstick: nothing either
machine: none

| what       | unit | Duplex | yardstick | ratio |
|------------|------|--------|-----------|-------|
| first      | ms   |   12.3 |      1.50 |  8.23 |
| the second | MiB  |   1234 |         – |     – |
| third      | ms   |   1.00 |      0.00 |     – |
";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn programs_read_the_same_figures() {
        let json = serde_json::to_value(&report().rows[1]).unwrap();

        let expected = serde_json::json!({
            "what": "the second", "unit": "MiB", "duplex": 1234.5, "yardstick": null, "ratio": null,
        });
        assert_eq!(json, expected);
    }
}
