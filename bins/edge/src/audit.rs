//! What is written down of who did what: every request that may change something, whoever wrote its route.

mod commands;
mod floods;
mod layer;
mod noted;
pub(crate) mod pages;
pub(crate) mod table;
mod words;
mod writer;

pub(crate) use commands::{Caller, command};
pub(crate) use layer::record;
pub(crate) use noted::Noted;
pub(crate) use pages::Chains;
pub(crate) use writer::Auditor;

use crate::app::App;
use duplex_domain::{TeamId, Time};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long it is believed which team is the only one.
const BELIEVED: Duration = Duration::from_secs(30);

/// The team that something belongs to which nobody of a team did: the only one, if there is just one.
async fn only_team(app: &App) -> Option<TeamId> {
    if let Some((since, team)) = app.audit.only_team()
        && since.elapsed() < BELIEVED
    {
        return team;
    }
    let team = match app.database.only_team().await {
        Ok(team) => team,
        // Better in the chain it was last known to belong to than nowhere.
        Err(_) => app.audit.only_team().and_then(|(_, team)| team),
    };
    app.audit.set_only_team((Instant::now(), team));
    team
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(0, |since| since.as_millis());
    Time(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Text from outside as a record may hold it: short, and without control characters.
fn short(text: &str, most: usize) -> String {
    let plain = text.chars().filter(|char| !char.is_control());
    plain.take(most).collect()
}
