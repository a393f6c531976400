//! Why an account was not made or not let in.

use crate::DatabaseError;

/// The account says no, or could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is an owner already.
    #[error("this Duplex is set up already; sign in instead")]
    AlreadySetUp,
    /// The secret is not the newest one.
    #[error("the setup link is not valid any more; use the newest one that Duplex printed")]
    WrongSecret,
    /// The name is empty or too long.
    #[error("a name needs 1 to 100 characters")]
    Name,
    /// The e-mail address cannot be one.
    #[error("this is not an e-mail address; write it like ada@example.org")]
    Email,
    /// The password is too short, or absurdly long.
    #[error("a password needs at least 10 characters, and at most 1000")]
    Password,
    /// No such account, another password, or an account that is closed: which of them is not said.
    #[error("e-mail address or password is wrong")]
    WrongLogin,
    /// Too many wrong passwords for one address.
    #[error("too many attempts for this address; try again in {minutes} min")]
    TooManyAttempts {
        /// When the next attempt is allowed, rounded up.
        minutes: u32,
    },
    /// Too many wrong guesses from one network.
    #[error("too many wrong tries from your network today; try again in {minutes} min")]
    TooManyGuesses {
        /// When the next try is allowed, rounded up.
        minutes: u32,
    },
    /// Too many people sign in at this moment.
    #[error("too many people sign in at this moment; try again")]
    Busy,
    /// Only an owner of the team may do this.
    #[error("only an owner of the team can do this; ask one")]
    NotTheOwner,
    /// A link was used, revoked, is too old, or never was one.
    #[error("this link does not work any more; ask an owner of the team for a new one")]
    LinkOver,
    /// Somebody has this address already.
    #[error("there is an account with this address already; sign in with it")]
    EmailTaken,
    /// Nobody in the team is meant.
    #[error("there is no such person in the team")]
    NoPerson,
    /// The team would be left with nobody who can administer it.
    #[error("a team needs an owner who is not shut out; make somebody else an owner first")]
    LastOwner,
    /// One cannot do this to oneself.
    #[error("this cannot be done to yourself; leave the team instead, or name somebody else")]
    Yourself,
    /// The password to be changed is another one.
    #[error("the current password is not right")]
    WrongPassword,
    /// There is no such invitation that could be used.
    #[error("this invitation was used or revoked already")]
    NoInvitation,
    /// The person has no such browser.
    #[error("this browser is signed out already")]
    NoBrowser,
    /// The person has no such token.
    #[error("this token was revoked already")]
    NoToken,
    /// The note is too long.
    #[error("a note has at most 200 characters, in one line")]
    Note,
    /// Too long or too short a time.
    #[error("choose 1 to 30 days for an invitation, 1 to 366 for a token; without end, for owners")]
    Days,
    /// No scopes, or more than the maker has.
    #[error("choose at least one scope, and none that you do not have yourself")]
    Scopes,
    /// So many that nobody can mean it.
    #[error("there are too many {0}; remove some first")]
    TooMany(&'static str),
    /// More money than can be counted.
    #[error("a budget is at most 9,223,372 dollars")]
    Budget,
    /// A link to a session does not work.
    #[error(
        "this link does not work any more: it has expired, was used up or was taken back; ask for a new one"
    )]
    NoLink,
    /// A link's life is too short or too long.
    #[error("a link works for 1 to 720 hours")]
    LinkHours,
    /// A link that nobody may use.
    #[error("a link is for at least one use")]
    LinkUses,
    /// A link's note.
    #[error("a note has at most 100 characters, without line breaks")]
    LinkNote,
    /// A link cannot give so much.
    #[error("a link lets people view, comment or drive; one to the past lets them view")]
    LinkRole,
    /// Too many links.
    #[error("this session has 50 links already; take one back first")]
    TooManyLinks,
    /// A password could not be hashed.
    #[error("the password could not be checked: {0}")]
    Hashing(String),
    /// Postgres did not do its part.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl AccountError {
    /// A word for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlreadySetUp => "already_set_up",
            Self::WrongSecret => "wrong_secret",
            Self::Name => "invalid_name",
            Self::Email => "invalid_email",
            Self::Password => "invalid_password",
            Self::WrongLogin => "wrong_login",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::TooManyGuesses { .. } => "too_many_tries",
            Self::Busy => "busy",
            Self::NotTheOwner => "not_the_owner",
            Self::LinkOver => "link_over",
            Self::EmailTaken => "email_taken",
            Self::NoPerson => "no_person",
            Self::LastOwner => "last_owner",
            Self::Yourself => "yourself",
            Self::WrongPassword => "wrong_password",
            Self::NoInvitation => "no_invitation",
            Self::NoBrowser => "no_browser",
            Self::NoToken => "no_token",
            Self::Note | Self::LinkNote => "bad_note",
            Self::Days => "bad_days",
            Self::Scopes => "bad_scopes",
            Self::TooMany(_) => "too_many",
            Self::Budget => "bad_budget",
            Self::NoLink => "no_link",
            Self::LinkHours => "bad_hours",
            Self::LinkUses => "bad_uses",
            Self::LinkRole => "bad_role",
            Self::TooManyLinks => "too_many_links",
            Self::Hashing(_) => "internal",
            Self::Database(_) => "unavailable",
        }
    }

    /// Whether somebody showed a secret that is none: a guess, perhaps.
    #[must_use]
    pub fn is_wrong_guess(&self) -> bool {
        matches!(
            self,
            Self::WrongSecret
                | Self::WrongLogin
                | Self::WrongPassword
                | Self::NoLink
                | Self::LinkOver
        )
    }

    /// After how many seconds the same may be tried again, where that is known.
    #[must_use]
    pub fn again_after(&self) -> Option<u32> {
        match self {
            Self::TooManyAttempts { minutes } | Self::TooManyGuesses { minutes } => {
                Some(minutes * 60)
            }
            _ => None,
        }
    }

    /// Which field of the form is meant, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::WrongSecret | Self::LinkOver => Some("secret"),
            Self::Name => Some("name"),
            Self::Email | Self::EmailTaken => Some("email"),
            Self::WrongPassword => Some("current"),
            Self::Note | Self::LinkNote => Some("note"),
            Self::Days => Some("days"),
            Self::Scopes => Some("scopes"),
            Self::Password => Some("password"),
            Self::Budget => Some("pico"),
            Self::LinkHours => Some("hours"),
            Self::LinkUses => Some("uses"),
            Self::LinkRole => Some("role"),
            Self::AlreadySetUp
            | Self::WrongLogin
            | Self::TooManyAttempts { .. }
            | Self::TooManyGuesses { .. }
            | Self::Busy
            | Self::NotTheOwner
            | Self::NoLink
            | Self::TooManyLinks
            | Self::NoPerson
            | Self::LastOwner
            | Self::Yourself
            | Self::NoInvitation
            | Self::NoBrowser
            | Self::NoToken
            | Self::TooMany(_)
            | Self::Hashing(_)
            | Self::Database(_) => None,
        }
    }
}

impl From<tokio_postgres::Error> for AccountError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error.into())
    }
}
