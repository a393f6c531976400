//! What was spent, over many sessions.

use duplex_domain::{Cost, Usage};
use serde::{Deserialize, Serialize};

/// `GET /api/costs`: what was spent, by something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Costs {
    /// By what the rows are told apart.
    pub by: CostsBy,
    /// The rows: days in their order, anything else by what it cost, the most first.
    pub rows: Vec<CostRow>,
    /// Whether there are more rows than are shown.
    pub more: bool,
    /// All of it, rows that are not shown included.
    pub total: Spending,
}

/// By what costs are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CostsBy {
    /// Each session.
    Session,
    /// Each person who asked the agent for something.
    Person,
    /// Each workspace.
    Workspace,
    /// Each model.
    Model,
    /// Each day, by UTC.
    Day,
}

/// What one session, person, workspace, model or day cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostRow {
    /// The id of a session, person or workspace, the model, or a day as `2026-11-23`. Empty for a person nobody knows.
    pub key: String,
    /// What people call it: title, name or path.
    pub label: String,
    /// What it cost.
    #[serde(flatten)]
    pub spending: Spending,
}

/// Model calls, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Spending {
    /// How many.
    pub calls: u64,
    /// Tokens used.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub usage: Usage,
    /// Money used.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub cost: Cost,
}

/// `PUT /api/team/budget`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetTeamBudget {
    /// What the team may spend in a calendar month by UTC, in picodollars; `null` for no limit.
    #[serde(deserialize_with = "named")]
    pub pico: Option<u64>,
}

/// A field that may be null but not be missing: a request that forgot it would lift the limit.
fn named<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(from)
}

/// `GET /api/team/budget`: what the team may spend in a calendar month, and what it has spent in this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamBudget {
    /// What it may spend, in picodollars; absent if there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pico: Option<u64>,
    /// The month by UTC, as `2026-11`.
    pub month: String,
    /// What it has spent in it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub spent: Cost,
    /// Whether that is 80 % of the limit or more.
    pub warning: bool,
    /// Whether that is the limit or more: the agents of the team are asked nothing new until it is raised.
    pub reached: bool,
    /// Whether the person who asks may set it.
    pub may_set: bool,
}

impl TeamBudget {
    /// How far a limit is used up: whether to warn, and whether it is reached.
    #[must_use]
    pub fn used_up(limit: Option<u64>, spent: u64) -> (bool, bool) {
        let Some(limit) = limit else {
            return (false, false);
        };
        let warning = u128::from(spent) * 100 >= u128::from(limit) * 80;
        (warning, spent >= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_warns_at_four_fifths() {
        assert_eq!(TeamBudget::used_up(None, u64::MAX), (false, false));
        assert_eq!(TeamBudget::used_up(Some(100), 79), (false, false));
        assert_eq!(TeamBudget::used_up(Some(100), 80), (true, false));
        assert_eq!(TeamBudget::used_up(Some(100), 100), (true, true));
        assert_eq!(TeamBudget::used_up(Some(0), 0), (true, true));
        assert_eq!(TeamBudget::used_up(Some(u64::MAX), u64::MAX), (true, true));
    }

    #[test]
    fn a_forgotten_limit_lifts_none() {
        let read = |text| serde_json::from_str::<SetTeamBudget>(text).map(|set| set.pico);
        assert!(read("{}").is_err_and(|error| error.to_string().contains("`pico`")));
        assert!(read(r#"{"pico":null}"#).is_ok_and(|pico| pico.is_none()));
        assert!(read(r#"{"pico":7}"#).is_ok_and(|pico| pico == Some(7)));
    }
}
