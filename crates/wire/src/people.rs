//! People: who is in a team, how they got in, and what their browsers and programs hold.

use duplex_domain::{Time, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a person may do in their team; each also does what the ones before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TeamRole {
    /// Was let into some of its sessions, and sees nothing else.
    Guest,
    /// Works in it: opens sessions, sees workspaces, models and people.
    Member,
    /// Also says who is in it, and what it may spend.
    Owner,
}

impl TeamRole {
    /// Every role, the greatest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Member, Self::Guest];

    /// The role's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }

    /// The role behind a word; one that is not known may do the least.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.word() == word).unwrap_or(Self::Guest)
    }
}

/// What a program may do with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read what its person may read.
    Read,
    /// Open sessions and act in them.
    Write,
    /// Administer the team, the person's password, browsers and tokens.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The scope's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope behind a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|scope| scope.word() == word)
    }
}

/// `GET /api/me`: who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they may do in their team.
    pub role: TeamRole,
    /// What their team is called.
    pub team: String,
    /// What the token may do with which this was asked; absent in a browser, which may do all that the person may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
}

impl Me {
    /// Whether they came by a link to one session; everybody with an account has an e-mail address.
    #[must_use]
    pub fn is_visitor(&self) -> bool {
        self.email.is_empty()
    }
}

/// One person of a team (`GET /api/team/people`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamPerson {
    /// The person.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they may do in the team.
    pub role: TeamRole,
    /// Whether they are shut out. Only owners are told of people who are.
    pub disabled: bool,
    /// When they were last here, to the minute, in milliseconds since 1970 UTC. Only owners are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub seen_at: Option<Time>,
}

/// `PUT /api/team/people/{person}/role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetTeamRole {
    /// What the person may do from now on.
    pub role: TeamRole,
}

/// `PUT /api/team/people/{person}/disabled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetDisabled {
    /// Whether the person is shut out.
    pub disabled: bool,
}

/// `POST /api/team/transfer`: the caller's ownership goes to somebody else; the caller stays as a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransferTeam {
    /// The new owner.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub to: UserId,
}

/// `PUT /api/team/name` and `PUT /api/me/name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SetName {
    /// The new name.
    pub name: String,
}

/// `POST /api/team/invitations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// What the person will be in the team.
    pub role: TeamRole,
    /// Whom it is for, an e-mail address perhaps; shown to owners in the list, and nothing else is made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// For how many days it can be used, 1 to 30; 7 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// An invitation that nobody has used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitation {
    /// Which invitation.
    #[serde(with = "uuid::serde::simple")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: Uuid,
    /// What the person will be in the team.
    pub role: TeamRole,
    /// Whom it is for; empty if nobody wrote it down.
    pub note: String,
    /// The name of who made it.
    pub by: String,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Time,
    /// Until when it can be used.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Time,
}

/// A link with a secret, told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretLink {
    /// The whole link. The secret stands behind `#`, which browsers do not send.
    pub link: String,
    /// The secret alone.
    pub secret: String,
    /// Until when it can be used.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Time,
}

/// `POST /api/join/look` and `POST /api/reset/look`: what is this link for?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LookAtLink {
    /// The secret in the link.
    pub secret: String,
}

/// What an invitation is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedTo {
    /// What the team is called.
    pub team: String,
    /// What one will be in it.
    pub role: TeamRole,
    /// The name of who invited.
    pub by: String,
    /// Until when it can be used.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires_at: Time,
}

/// `POST /api/join`: makes an account with the secret of an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Join {
    /// The secret in the link.
    pub secret: String,
    /// The person's name, as others see it.
    pub name: String,
    /// Their e-mail address; signs in with it.
    pub email: String,
    /// At least ten characters.
    pub password: String,
}

/// Whose password a link sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetFor {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// `POST /api/reset`: a new password, with the secret of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetPassword {
    /// The secret in the link.
    pub secret: String,
    /// At least ten characters.
    pub password: String,
}

/// `PUT /api/me/password`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The password as it is.
    pub current: String,
    /// The password as it shall be; at least ten characters.
    pub password: String,
}

/// A signed-in browser (`GET /api/me/browsers`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedInBrowser {
    /// Which sign-in.
    #[serde(with = "uuid::serde::simple")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: Uuid,
    /// What it calls itself, such as `Firefox on Linux`; empty if it did not say.
    pub browser: String,
    /// The network it signed in from; empty if it is not known.
    pub address: String,
    /// When it signed in.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Time,
    /// When it was last used, to the minute.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub used_at: Time,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// `POST /api/me/tokens`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateToken {
    /// What it is for.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// For how many days it works, 1 to 366; 30 if not given. 0 is for ever, and for owners of the team only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A program's token, without its secret (`GET /api/me/tokens`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiToken {
    /// Which token.
    #[serde(with = "uuid::serde::simple")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created_at: Time,
    /// Until when it works; absent if for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub expires_at: Option<Time>,
    /// When it was last used, to the minute; absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub used_at: Option<Time>,
}

/// A new token, told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewToken {
    /// The token itself: `dpx_` and 36 letters and digits.
    pub secret: String,
    /// What was made.
    pub token: ApiToken,
}
