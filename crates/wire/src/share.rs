//! Links that let who has them into one session.

use duplex_domain::{Item, Role, Seq, SessionId, Time};
use serde::{Deserialize, Serialize};

/// A stretch of a session's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Span {
    /// The first frame.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub first: Seq,
    /// The last frame.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub last: Seq,
}

impl Span {
    /// Whether a frame lies in it.
    #[must_use]
    pub fn has(self, seq: Seq) -> bool {
        (self.first..=self.last).contains(&seq)
    }
}

/// `POST /api/sessions/{id}/links`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MakeLink {
    /// `viewer`, `commenter` or `driver`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Role,
    /// For how many hours it works, 1 to 720.
    pub hours: u32,
    /// How many people may use it; without it, as many as come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// Only this stretch of the log, to be read; without it, the session as it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What it is for; at most 100 characters.
    #[serde(default)]
    pub note: String,
}

/// A link, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareLink {
    /// Its id, 32 hexadecimal digits.
    pub id: String,
    /// What it lets people do.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Role,
    /// The stretch it shows, if it is no more than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub by: String,
    /// When, in milliseconds since 1970 UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub made_at: Time,
    /// Until when it works.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Time,
    /// How often it was used.
    pub uses: u32,
    /// How often it may be used; absent if there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_uses: Option<u32>,
    /// Whether it still works.
    pub works: bool,
}

/// A link that was made just now: the only time its secret is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MadeLink {
    /// The link.
    pub link: ShareLink,
    /// The whole address; the secret stands behind `#`.
    pub url: String,
}

/// `POST /api/share/look` and `POST /api/share`: what is behind `#` in a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TakeLink {
    /// The secret.
    pub secret: String,
    /// What who comes wants to be called; not needed by who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a link leads to, before it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkOffer {
    /// The session's title; empty if it has none.
    pub title: String,
    /// Who shares it.
    pub by: String,
    /// What one may do.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub role: Role,
    /// Whether it shows a stretch of the past only.
    pub past: bool,
    /// Until when it works.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Time,
    /// Who is signed in here and would come as themselves; without it a name is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<String>,
}

/// Where a link led.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkTaken {
    /// The session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: SessionId,
    /// Whether only a stretch of its past is shown.
    pub past: bool,
}

/// `GET /api/share/past`: the stretch of a session that a link shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SharedPast {
    /// The session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: SessionId,
    /// Its title at the end of the stretch.
    pub title: String,
    /// The stretch.
    pub span: Span,
    /// What was said and done in it, as it stood at its end.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub items: Vec<Item>,
    /// Names of the people who appear in it, by id.
    pub people: std::collections::BTreeMap<String, String>,
}
