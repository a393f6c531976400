//! What happened while somebody was away, counted.

use crate::{Cost, EndReason, Item, ItemKind, Place, Seq, Time, ToolState, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much of the agent's last words is quoted, in characters.
const QUOTED: usize = 280;

/// What happened in a session behind a frame, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The first item behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Place>,
    /// When that began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// How many messages each person wrote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<UserId, u32>,
    /// How many turns came to a good end.
    pub finished: u32,
    /// How many came to another.
    pub unfinished: u32,
    /// How many tools the agent used.
    pub calls: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many of them changed a file.
    pub edits: u32,
    /// How many commits were made.
    pub commits: u32,
    /// What it cost.
    pub cost: Cost,
    /// How the agent's last words begin.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}

impl Digest {
    /// Sums up the items that began behind a frame; the oldest of them comes first.
    #[must_use]
    pub fn of<'a>(items: impl IntoIterator<Item = &'a Item>, after: Seq) -> Self {
        let mut digest = Self::default();
        let unseen = items.into_iter();
        for item in unseen.filter(|item| item.place.seq > after) {
            digest.add(item);
        }
        digest
    }

    /// Whether nothing happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn add(&mut self, item: &Item) {
        self.first = self.first.or(Some(item.place));
        self.since = self.since.or(Some(item.at));
        match &item.kind {
            ItemKind::Message { by, .. } => *self.messages.entry(*by).or_default() += 1,
            ItemKind::Text { text, .. } if !text.trim().is_empty() => {
                self.words = text.trim().chars().take(QUOTED).collect();
            }
            ItemKind::Tool { state, diff, .. } => {
                self.calls += 1;
                self.failed += u32::from(*state == ToolState::Failed);
                self.edits += u32::from(diff.is_some());
            }
            ItemKind::Committed { .. } => self.commits += 1,
            ItemKind::TurnEnd { reason, cost, .. } => {
                let good = *reason == EndReason::Complete;
                self.finished += u32::from(good);
                self.unfinished += u32::from(!good);
                self.cost.add_all(*cost);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageId, Usage};

    fn item(seq: u64, kind: ItemKind) -> Item {
        let (seq, index) = (Seq(seq), 0);
        Item {
            place: Place { seq, index },
            at: Time(i64::try_from(seq.0).unwrap_or_default()),
            turn: None,
            kind,
        }
    }

    fn message(seq: u64) -> Item {
        let (id, by, text) = (MessageId::default(), UserId::default(), "hi".into());
        item(seq, ItemKind::Message { id, by, text })
    }

    fn ended(seq: u64, reason: EndReason) -> Item {
        let cost = Cost {
            pico: 7,
            unpriced: 0,
        };
        item(
            seq,
            ItemKind::TurnEnd {
                reason,
                problem: None,
                usage: Usage::default(),
                cost,
                took: 1,
            },
        )
    }

    #[test]
    fn only_what_came_behind_the_frame_counts() {
        let text = ItemKind::Text {
            block: 0,
            text: " Done. ".into(),
            open: false,
        };
        let items = [
            message(1),
            ended(3, EndReason::Complete),
            message(5),
            item(6, text),
            ended(7, EndReason::Complete),
            ended(8, EndReason::Error),
        ];
        let digest = Digest::of(&items, Seq(3));
        let expected = Digest {
            first: Some(items[2].place),
            since: Some(Time(5)),
            messages: [(UserId::default(), 1)].into(),
            finished: 1,
            unfinished: 1,
            cost: Cost {
                pico: 14,
                unpriced: 0,
            },
            words: "Done.".into(),
            ..Digest::default()
        };
        assert_eq!(digest, expected);
        assert!(Digest::of(&items, Seq(8)).is_empty());
    }
}
