//! A long list of rows of which only those in view exist.

use duplex_domain::{Item, Place};
use std::ops::Range;
use std::rc::Rc;

/// How far beyond the view rows exist, in pixels.
const MARGIN: f64 = 600.0;
/// A row's height before it is measured, in pixels.
const GUESS: f64 = 64.0;

/// An item that is compared by identity: a changed item is another one.
#[derive(Clone, Debug)]
pub struct Row(pub Rc<Item>);

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Brings rows up to date with items: rows of unchanged items stay the same. Only items that were open, and those
/// after them, can have changed.
pub fn refresh(rows: &mut Vec<Row>, items: &[Item]) {
    let same_start = rows.first().map(|row| row.0.place) == items.first().map(|item| item.place);
    let unchanged = if same_start {
        let open = rows.iter().position(|row| row.0.is_open());
        open.unwrap_or(rows.len()).min(items.len())
    } else {
        0
    };
    let old = rows.split_off(unchanged);
    for (index, item) in items[unchanged..].iter().enumerate() {
        let same = old.get(index).filter(|row| *row.0 == *item);
        rows.push(same.cloned().unwrap_or_else(|| Row(Rc::new(item.clone()))));
    }
}

/// The heights of rows, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    known: Vec<(Place, f64)>,
}

/// What of a list exists: rows, and the room of those before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The rows that exist.
    pub rows: Range<usize>,
    /// The height of those before, in pixels.
    pub above: f64,
    /// The height of those after, in pixels.
    pub below: f64,
}

impl Heights {
    /// Learns a row's height. True if that is news.
    pub fn learn(&mut self, place: Place, height: f64) -> bool {
        match self.known.binary_search_by_key(&place, |(place, _)| *place) {
            Ok(at) => {
                let news = (self.known[at].1 - height).abs() > 0.5;
                self.known[at].1 = height;
                news
            }
            Err(at) => {
                self.known.insert(at, (place, height));
                true
            }
        }
    }

    /// Which rows exist when the view begins at `top` and is `height` high, both in pixels. At the end of the list
    /// (`pinned`), the last ones do, wherever the view is said to be.
    #[must_use]
    pub fn window(&self, rows: &[Row], top: f64, height: f64, pinned: bool) -> Window {
        let heights = self.of(rows);
        let total: f64 = heights.iter().sum();
        let top = if pinned { total - height } else { top };
        let (from, to) = (top - MARGIN, top + height + MARGIN);
        let mut window = Window {
            rows: 0..0,
            above: 0.0,
            below: 0.0,
        };
        let mut at = 0.0;
        for (index, row) in heights.iter().enumerate() {
            let end = at + row;
            if end < from {
                window.above = end;
                window.rows = index + 1..index + 1;
            } else if at > to && !pinned {
                break;
            } else {
                window.rows.end = index + 1;
            }
            at = end;
        }
        window.below = heights[window.rows.end..].iter().sum();
        window
    }

    /// The first row of which something lies below a height, in pixels.
    #[must_use]
    pub fn row_at(&self, rows: &[Row], top: f64) -> Option<Place> {
        let mut end = 0.0;
        let mut ends = self.of(rows).into_iter().map(|height| {
            end += height;
            end
        });
        let index = ends.position(|end| end > top)?;
        rows.get(index).map(|row| row.0.place)
    }

    /// The first row at or behind a place, and where it begins, in pixels.
    #[must_use]
    pub fn find(&self, rows: &[Row], place: Place) -> Option<(Place, f64)> {
        let index = rows.iter().position(|row| row.0.place >= place)?;
        let above = self.of(rows).into_iter().take(index).sum();
        Some((rows[index].0.place, above))
    }

    /// Both lists are in the log's order: one walk finds all.
    fn of(&self, rows: &[Row]) -> Vec<f64> {
        let mut known = self.known.iter().peekable();
        let height = |row: &Row| {
            while known.next_if(|(place, _)| *place < row.0.place).is_some() {}
            let here = known.next_if(|(place, _)| *place == row.0.place);
            here.map_or(GUESS, |(_, height)| *height)
        };
        rows.iter().map(height).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::{ItemKind, Seq, Time};

    fn item(seq: u64, text: &str, open: bool) -> Item {
        let place = Place {
            seq: Seq(seq),
            index: 0,
        };
        let kind = ItemKind::Text {
            block: seq,
            text: text.to_owned(),
            open,
        };
        Item {
            place,
            at: Time(0),
            turn: None,
            kind,
        }
    }

    fn rows(count: u64) -> Vec<Row> {
        (0..count)
            .map(|seq| Row(Rc::new(item(seq, "", false))))
            .collect()
    }

    #[test]
    fn a_row_is_found_by_its_place_and_by_its_height() {
        let rows = rows(10);
        let mut heights = Heights::default();
        heights.learn(rows[0].0.place, 100.0);
        let second = rows[1].0.place;
        assert_eq!(heights.row_at(&rows, 100.0), Some(second));
        assert_eq!(heights.row_at(&rows, 10_000.0), None);
        assert_eq!(heights.find(&rows, second), Some((second, 100.0)));
        let third = rows[2].0.place;
        assert_eq!(heights.find(&rows, third), Some((third, 164.0)));
        let (seq, index) = (Seq(99), 0);
        assert_eq!(heights.find(&rows, Place { seq, index }), None);
    }

    #[test]
    fn only_rows_of_changed_items_are_new() {
        let mut rows = Vec::new();
        refresh(&mut rows, &[item(1, "a", false), item(2, "b", true)]);
        let before = rows.clone();

        refresh(
            &mut rows,
            &[item(1, "a", false), item(2, "bc", true), item(3, "", true)],
        );

        assert_eq!(rows[0], before[0]);
        assert_ne!(rows[1], before[1]);
        assert_eq!(rows.len(), 3);
    }

    #[test]
    fn older_items_come_in_above() {
        let mut rows = Vec::new();
        refresh(&mut rows, &[item(5, "e", false)]);

        refresh(&mut rows, &[item(1, "a", false), item(5, "e", false)]);

        let places: Vec<u64> = rows.iter().map(|row| row.0.place.seq.0).collect();
        assert_eq!(places, [1, 5]);
    }

    #[test]
    fn rows_far_from_the_view_do_not_exist_but_keep_their_room() {
        let rows = rows(1000);
        let mut heights = Heights::default();
        for row in &rows {
            heights.learn(row.0.place, 100.0);
        }

        let middle = heights.window(&rows, 50_000.0, 800.0, false);
        let end = heights.window(&rows, 0.0, 800.0, true);

        assert_eq!(
            middle,
            Window {
                rows: 493..515,
                above: 49_300.0,
                below: 48_500.0
            }
        );
        assert_eq!(
            end,
            Window {
                rows: 985..1000,
                above: 98_500.0,
                below: 0.0
            }
        );
    }

    #[test]
    fn the_same_height_again_is_no_news() {
        let mut heights = Heights::default();
        let place = Place::default();

        assert!(heights.learn(place, 40.0));
        assert!(!heights.learn(place, 40.2));
        assert!(heights.learn(place, 60.0));
    }
}
