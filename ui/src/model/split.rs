//! The divider between chat and terminal: what its place may be.

/// Where the divider is without any choice: the chat's share in per cent.
pub const DEFAULT: f64 = 45.0;
/// The least share of either side.
const LEAST: f64 = 15.0;
const MOST: f64 = 100.0 - LEAST;
/// How far an arrow key moves it.
const STEP: f64 = 5.0;

/// Which side is folded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The chat.
    Left,
    /// The terminal.
    Right,
}

/// A divider's place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// The left side's share in per cent while both are shown; kept while one is folded away.
    pub share: f64,
    /// Which side is folded away, if one is.
    pub folded: Option<Side>,
}

impl Split {
    /// As it was saved; what makes no sense is the default.
    #[must_use]
    pub fn restored(saved: Option<&str>, default: f64) -> Self {
        let default = if default.is_finite() {
            default
        } else {
            DEFAULT
        };
        let saved = saved.and_then(|text| text.trim().parse::<f64>().ok());
        let saved = saved.filter(|share| *share > 0.0 && *share < 100.0);
        let share = saved.unwrap_or(default).clamp(LEAST, MOST);
        Self {
            share,
            folded: None,
        }
    }

    /// The left side's share as shown.
    #[must_use]
    pub fn shown(&self) -> f64 {
        match self.folded {
            Some(Side::Left) => 0.0,
            Some(Side::Right) => 100.0,
            None => self.share,
        }
    }

    /// Dragged to a share. A folded side stays folded until the pointer moves inward.
    #[must_use]
    pub fn dragged(self, from: f64, to: f64) -> Self {
        let inward = match self.folded {
            Some(Side::Left) => to > from,
            Some(Side::Right) => to < from,
            None => true,
        };
        if !inward || !to.is_finite() {
            return self;
        }
        Self {
            share: to.clamp(LEAST, MOST),
            folded: None,
        }
    }

    /// Moved by an arrow key. At a folded edge, outward is nothing and inward is the least share.
    #[must_use]
    pub fn stepped(self, right: bool) -> Self {
        let share = match (self.folded, right) {
            (Some(Side::Left), false) | (Some(Side::Right), true) => return self,
            (Some(Side::Left), true) => LEAST,
            (Some(Side::Right), false) => MOST,
            (None, true) => self.share + STEP,
            (None, false) => self.share - STEP,
        };
        Self {
            share: share.clamp(LEAST, MOST),
            folded: None,
        }
    }

    /// Moved as far as it goes.
    #[must_use]
    pub fn at_edge(right: bool) -> Self {
        Self {
            share: if right { MOST } else { LEAST },
            folded: None,
        }
    }

    /// Folds a side away, in place of the other one; a side that is folded away comes back.
    #[must_use]
    pub fn folding(self, side: Side) -> Self {
        let folded = (self.folded != Some(side)).then_some(side);
        Self { folded, ..self }
    }

    /// What to save: nothing while a side is folded.
    #[must_use]
    pub fn saved(&self) -> Option<String> {
        self.folded.is_none().then(|| format!("{:.2}", self.share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(share: f64) -> Split {
        Split {
            share,
            folded: None,
        }
    }

    #[test]
    fn a_saved_place_comes_back_if_it_makes_sense() {
        let restored = |saved| Split::restored(saved, DEFAULT);

        assert_eq!(restored(None), at(45.0));
        assert_eq!(restored(Some("60.5")), at(60.5));
        assert_eq!(
            [
                restored(Some("0")),
                restored(Some("100")),
                restored(Some("x")),
                restored(Some("NaN"))
            ],
            [at(45.0); 4]
        );
        assert_eq!(
            [restored(Some("3")), restored(Some("99"))],
            [at(15.0), at(85.0)]
        );
        assert_eq!(Split::restored(None, 2.0), at(15.0));
        assert_eq!(Split::restored(None, f64::NAN), at(45.0));
    }

    #[test]
    fn dragging_stops_at_both_ends() {
        assert_eq!(at(45.0).dragged(45.0, 70.0), at(70.0));
        assert_eq!(at(45.0).dragged(45.0, 99.0), at(85.0));
        assert_eq!(at(45.0).dragged(45.0, -4.0), at(15.0));
    }

    #[test]
    fn a_folded_side_opens_only_inward() {
        let folded = at(60.0).folding(Side::Left);

        assert_eq!(folded.dragged(5.0, 2.0), folded);
        assert_eq!(folded.dragged(5.0, 5.0), folded);
        assert_eq!(folded.dragged(5.0, 30.0), at(30.0));
        assert_eq!(folded.stepped(false), folded);
        assert_eq!(folded.stepped(true), at(15.0));
        assert_eq!(at(60.0).folding(Side::Right).stepped(false), at(85.0));
    }

    #[test]
    fn unfolding_returns_to_the_last_place_and_folding_is_not_saved() {
        let folded = at(60.0).folding(Side::Left);

        assert_eq!(folded.saved(), None);
        assert!(folded.shown() < 0.1);
        assert_eq!(folded.folding(Side::Left), at(60.0));
        assert_eq!(folded.folding(Side::Right).folding(Side::Right), at(60.0));
        assert_eq!(at(60.0).saved(), Some("60.00".to_owned()));
    }

    #[test]
    fn arrow_keys_move_five_and_stop() {
        assert_eq!(at(45.0).stepped(true), at(50.0));
        assert_eq!(at(83.0).stepped(true), at(85.0));
        assert_eq!(at(17.0).stepped(false), at(15.0));
        assert_eq!(
            (Split::at_edge(false), Split::at_edge(true)),
            (at(15.0), at(85.0))
        );
    }
}
