//! Who did what, for those who own the team.

use duplex_domain::UserId;
use duplex_domain::audit::Record;
use serde::{Deserialize, Serialize};

/// `GET /api/team/audit`: a page of records, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// The records.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub records: Vec<Record>,
    /// What to ask for the next page with; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `GET /api/team/audit/words`: what the records can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditWords {
    /// The words for what was done.
    pub what: Vec<String>,
    /// Who did something.
    pub people: Vec<AuditPerson>,
}

/// Somebody who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPerson {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub user: UserId,
    /// Their name, as it was last.
    pub name: String,
}

/// `GET /api/team/audit/chain`: whether the records are as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditChain {
    /// The last record up to which the chain is unbroken; zero before the first.
    pub unbroken: u64,
    /// That record's hash: who keeps it elsewhere can tell later that nothing before it was changed.
    pub hash: String,
    /// What is wrong behind it; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// Records that are waiting to be written, of all teams.
    pub waiting: u64,
}
