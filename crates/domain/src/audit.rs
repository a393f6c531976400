//! What is kept of who did what to whom: records, each bound to the one before it by its hash.
//!
//! A record's canonical form is its JSON as [`Record::line`] writes it: fields in their order, nothing between them.
//! Its hash covers all of it but the hash itself, the former record's hash included; so one chain runs through all
//! records of a team, and nothing can be changed, taken out, put in or moved without breaking it.

mod check;

pub use check::{Break, Checker, Cut, Head, check};

use crate::{TeamId, Time, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How records are written now.
pub const VERSION: u32 = 1;
/// Keeps these hashes apart from all others.
const DOMAIN: &[u8] = b"duplex audit 1\n";

/// How somebody showed who they are.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// A browser's cookie.
    Cookie,
    /// A program's token.
    Token,
    /// A link that was shared.
    Link,
    /// Not at all.
    #[default]
    Nobody,
}

impl How {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Token => "token",
            Self::Link => "link",
            Self::Nobody => "nobody",
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Who {
    /// The person, if one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Their name then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How they showed who they are.
    pub how: How,
}

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct On {
    /// Such as `session` or `person`.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// Where it came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct From {
    /// The network address; empty if it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// What the program calls itself, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
}

/// What it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok,
    /// It was not allowed, or not possible.
    Refused,
    /// The server could not do it.
    Failed,
}

impl Outcome {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Something that is worth a record: all that is known of it before it has its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// When.
    pub at: Time,
    /// Who.
    pub who: Who,
    /// What, as a word that stays the same, such as `team.invite`.
    pub what: String,
    /// On what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<On>,
    /// From where.
    pub from: From,
    /// What it came to.
    pub outcome: Outcome,
    /// The refusal's or failure's code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// How many equal ones this record stands for.
    pub count: u64,
    /// A few more words, such as the role that was given. Never a secret, a message's text, or keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
    /// The request's name in the server's log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace: String,
}

/// A deed in its place in a team's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// How it is written.
    pub v: u32,
    /// Whose chain; none for what happened before there was a team.
    pub team: Option<TeamId>,
    /// Its number, from 1.
    pub n: u64,
    /// The former record's hash.
    pub prev: Hash,
    /// What happened.
    #[serde(flatten)]
    pub deed: Deed,
    /// SHA-256 of all the above.
    pub hash: Hash,
}

/// SHA-256, as 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

impl Hash {
    /// What stands before a chain's first record: each team's differs, so a chain cannot be passed off as another's.
    #[must_use]
    pub fn before_first(team: Option<TeamId>) -> Self {
        let name = team.map_or_else(|| "none".to_owned(), |team| team.to_string());
        Self::of(name.as_bytes())
    }

    fn of(bytes: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(bytes);
        let digits = hash
            .finalize()
            .into_iter()
            .map(|byte| format!("{byte:02x}"));
        Self(digits.collect())
    }
}

/// A record's fields but its hash, in their order.
#[derive(Serialize)]
struct Hashed<'a> {
    v: u32,
    team: Option<TeamId>,
    n: u64,
    prev: &'a Hash,
    #[serde(flatten)]
    deed: &'a Deed,
}

impl Record {
    /// Gives a deed its place behind `head`.
    #[must_use]
    pub fn behind(head: &Head, deed: Deed) -> Self {
        let mut record = Self {
            v: VERSION,
            team: head.team,
            n: head.n + 1,
            prev: head.hash.clone(),
            deed,
            hash: Hash(String::new()),
        };
        record.hash = record.right_hash();
        record
    }

    /// The hash that it must have.
    #[must_use]
    pub fn right_hash(&self) -> Hash {
        let Self {
            v,
            team,
            n,
            prev,
            deed,
            hash: _,
        } = self;
        let hashed = Hashed {
            v: *v,
            team: *team,
            n: *n,
            prev,
            deed,
        };
        // Text, numbers and maps with text as keys always become JSON.
        Hash::of(&serde_json::to_vec(&hashed).unwrap_or_default())
    }

    /// Reads a record's canonical form.
    ///
    /// # Errors
    /// When the line is no record.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// Its canonical form, without a line's end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
