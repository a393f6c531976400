//! What each team has spent this month, by the facts of all its sessions, and whether it may spend more.

use crate::clock;
use crate::runner::Runner;
use duplex_domain::{Event, Recorded, Session, TeamId, Time};
use futures_util::StreamExt;
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tracing::warn;

/// The teams' purses.
pub struct TeamMoney {
    purses: Mutex<HashMap<TeamId, Purse>>,
    /// The teams that have nothing left.
    spent: watch::Sender<HashSet<TeamId>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Purse {
    /// Picodollars for a calendar month; none for no limit.
    budget: Option<u64>,
    /// The month that is counted: years and months since year 0.
    month: i64,
    /// Picodollars spent in it.
    spent: u64,
}

impl Purse {
    fn add(&mut self, month: i64, pico: u64) {
        if month > self.month {
            (self.month, self.spent) = (month, 0);
        }
        if month == self.month {
            self.spent = self.spent.saturating_add(pico);
        }
    }

    fn is_spent(&self, month: i64) -> bool {
        let spent = if month == self.month { self.spent } else { 0 };
        self.budget.is_some_and(|budget| spent >= budget)
    }
}

impl Default for TeamMoney {
    fn default() -> Self {
        Self {
            purses: Mutex::default(),
            spent: watch::Sender::new(HashSet::new()),
        }
    }
}

impl TeamMoney {
    /// Counts what a frame tells was paid. Called before `session` takes the frame in.
    pub fn count(&self, session: &Session, frame: &Recorded) {
        for envelope in &frame.events {
            if let Event::UsageRecorded {
                pico: Some(pico), ..
            } = &envelope.event
                && session.heeds(envelope)
            {
                let month = month(envelope.at);
                self.change(session.team, |purse| purse.add(month, *pico));
            }
        }
    }

    /// Whether a team has nothing left this month.
    #[must_use]
    pub fn is_spent(&self, team: TeamId) -> bool {
        let purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        let purse = purses.get(&team);
        purse.is_some_and(|purse| purse.is_spent(month(clock::now())))
    }

    /// Tells when a team has run out or has money again.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<HashSet<TeamId>> {
        self.spent.subscribe()
    }

    fn change(&self, team: TeamId, change: impl FnOnce(&mut Purse)) {
        let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        let purse = purses.entry(team).or_default();
        change(purse);
        let spent = purse.is_spent(month(clock::now()));
        self.spent.send_if_modified(|teams| {
            if spent {
                teams.insert(team)
            } else {
                teams.remove(&team)
            }
        });
    }
}

/// Learns what teams may spend, for ever.
pub async fn learn_budgets(runner: Arc<Runner>) {
    loop {
        match runner.registry.team_budgets().await {
            Ok(budgets) => {
                let mut budgets = pin!(budgets);
                while let Some((team, budget)) = budgets.next().await {
                    runner.money.change(team, |purse| purse.budget = budget);
                }
            }
            Err(error) => warn!("the teams' budgets: {error}; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn month(at: Time) -> i64 {
    let (year, month, _) = clock::date(at);
    year * 12 + month
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_s_money_is_the_month_s_alone() {
        let mut purse = Purse {
            budget: Some(100),
            ..Purse::default()
        };

        purse.add(1, 99);
        assert!(!purse.is_spent(1));
        purse.add(1, 1);
        assert!(purse.is_spent(1) && !purse.is_spent(2));
        purse.add(2, 5);
        purse.add(1, 100);
        assert!(!purse.is_spent(2));
        purse.budget = Some(5);
        assert!(purse.is_spent(2));
        purse.budget = None;
        assert!(!purse.is_spent(2));
    }
}
