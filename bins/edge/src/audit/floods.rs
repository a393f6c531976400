//! Many equal deeds become one record, so that nobody can fill the disk by being refused.

use duplex_domain::TeamId;
use duplex_domain::audit::{Deed, From, On, Outcome, Who};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long equal deeds are summed up before the sum is written.
const WINDOW: Duration = Duration::from_mins(5);
/// How many different ones are told apart at once; beyond that only by what was done, and why it was refused.
const MOST: usize = 200;

/// What makes two deeds equal.
type Key = (
    Option<TeamId>,
    String,
    String,
    Outcome,
    Option<(Who, Option<On>, From)>,
);

/// Equal deeds that were not written one by one.
struct Sum {
    until: Instant,
    count: u64,
    last: Deed,
}

/// The deeds being summed up.
#[derive(Default)]
pub(super) struct Floods {
    sums: HashMap<Key, Sum>,
}

impl Floods {
    /// A deed to write at once, if it is the first of its kind in a while; else it is counted.
    pub fn take(&mut self, now: Instant, team: Option<TeamId>, deed: Deed) -> Option<Deed> {
        let apart = Some((deed.who.clone(), deed.on.clone(), deed.from.clone()));
        let key = |apart| {
            (
                team,
                deed.what.clone(),
                deed.code.clone(),
                deed.outcome,
                apart,
            )
        };
        let own = key(apart);
        if let Some(sum) = self.sums.get_mut(&own) {
            sum.count += deed.count;
            sum.last = deed;
            return None;
        }
        let until = now + WINDOW;
        if self.sums.len() < MOST {
            let last = deed.clone();
            self.sums.insert(
                own,
                Sum {
                    until,
                    count: 0,
                    last,
                },
            );
            return Some(deed);
        }
        self.put(now, team, &deed);
        None
    }

    /// Counts a deed together with all others of its word and code.
    pub fn put(&mut self, now: Instant, team: Option<TeamId>, deed: &Deed) {
        let key = (
            team,
            deed.what.clone(),
            deed.code.clone(),
            deed.outcome,
            None,
        );
        let empty = || Sum {
            until: now + WINDOW,
            count: 0,
            last: blurred(deed),
        };
        let sum = self.sums.entry(key).or_insert_with(empty);
        sum.count += deed.count;
        sum.last.at = deed.at;
    }

    /// The sums whose time is over; all of them at the end.
    pub fn over(&mut self, now: Option<Instant>) -> Vec<(Option<TeamId>, Deed)> {
        let over = |_: &Key, sum: &mut Sum| now.is_none_or(|now| sum.until <= now);
        let over = self.sums.extract_if(|key, sum| over(key, sum));
        let counted = over.filter(|(_, sum)| sum.count > 0);
        let deed = |(key, sum): (Key, Sum)| {
            let count = sum.count;
            (key.0, Deed { count, ..sum.last })
        };
        counted.map(deed).collect()
    }
}

/// A deed without what tells it from others of its kind.
fn blurred(deed: &Deed) -> Deed {
    Deed {
        who: Who::default(),
        on: None,
        from: From::default(),
        detail: [(
            "many".to_owned(),
            "from several people or addresses".to_owned(),
        )]
        .into(),
        trace: String::new(),
        count: 0,
        ..deed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_domain::Time;

    fn refused(address: &str) -> Deed {
        Deed {
            at: Time(1),
            who: Who::default(),
            what: "account.login".into(),
            on: None,
            from: From {
                address: address.into(),
                agent: String::new(),
            },
            outcome: Outcome::Refused,
            code: "wrong_login".into(),
            count: 1,
            detail: std::collections::BTreeMap::new(),
            trace: address.into(),
        }
    }

    #[test]
    fn a_thousand_equal_refusals_are_two_records() {
        let (mut floods, now) = (Floods::default(), Instant::now());
        let mut written: Vec<Deed> = Vec::new();
        for _ in 0..1000 {
            written.extend(floods.take(now, None, refused("a")));
        }
        assert_eq!(written, [refused("a")]);
        assert!(floods.over(Some(now)).is_empty());
        let over = floods.over(Some(now + WINDOW));
        assert_eq!(
            over,
            [(
                None,
                Deed {
                    count: 999,
                    ..refused("a")
                }
            )]
        );
        assert_eq!(floods.take(now, None, refused("a")), Some(refused("a")));
    }

    #[test]
    fn refusals_from_everywhere_are_bounded_and_none_is_lost() {
        let (mut floods, now) = (Floods::default(), Instant::now());
        let addresses = (0..100_000).map(|n| refused(&n.to_string()));
        let written = addresses.filter_map(|deed| floods.take(now, None, deed));
        assert_eq!(written.count(), MOST);
        let over = floods.over(None);
        assert_eq!(over.len(), 1);
        assert_eq!(over.iter().map(|(_, deed)| deed.count).sum::<u64>(), 99_800);
    }
}
