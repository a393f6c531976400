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
    /// Too many people sign in at this moment.
    #[error("too many people sign in at this moment; try again")]
    Busy,
    /// Only an owner of the team may do this.
    #[error("only an owner of the team can set its budget; ask one")]
    NotTheOwner,
    /// More money than can be counted.
    #[error("a budget is at most 9,223,372 dollars")]
    Budget,
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
            Self::Busy => "busy",
            Self::NotTheOwner => "not_the_owner",
            Self::Budget => "bad_budget",
            Self::Hashing(_) => "internal",
            Self::Database(_) => "unavailable",
        }
    }

    /// Which field of the form is meant, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::WrongSecret => Some("secret"),
            Self::Name => Some("name"),
            Self::Email => Some("email"),
            Self::Password => Some("password"),
            Self::Budget => Some("pico"),
            Self::AlreadySetUp
            | Self::WrongLogin
            | Self::TooManyAttempts { .. }
            | Self::Busy
            | Self::NotTheOwner
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
