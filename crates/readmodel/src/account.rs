//! Who may sign in: people and their teams, passwords, browsers' tokens and programs' tokens.

mod attempts;
mod browser;
mod changes;
mod error;
mod invitation;
mod login;
mod password;
mod people;
mod reset;
mod secret;
mod setup;
mod share;
mod team;
mod token;
mod tries;

pub use browser::Browser;
pub use changes::AccountChange;
pub use duplex_wire::TeamRole;
pub use error::AccountError;
pub use invitation::Invited;
pub use reset::Reset;
pub use secret::Token;
pub use share::{KnownLink, Stray, Visit};
pub use tries::Try;

use crate::Database;
use duplex_domain::{TeamId, Time, UserId};
use duplex_wire::Scope;
use password::Passwords;
use tokio_postgres::Row;
use uuid::Uuid;

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The person.
    pub id: UserId,
    /// Their team.
    pub team: TeamId,
    /// What it is called.
    pub team_name: String,
    /// What they may do in it.
    pub role: TeamRole,
    /// Their name.
    pub name: String,
    /// Their e-mail address, in small letters.
    pub email: String,
}

/// The columns a [`User`] is made of, of `account.person p` and `account.team t`.
const USER: &str = "p.id, p.team, p.role, p.name, p.email, t.name AS team_name";

impl User {
    fn of(row: &Row) -> Self {
        Self {
            id: UserId(row.get("id")),
            team: TeamId(row.get("team")),
            team_name: row.get("team_name"),
            role: TeamRole::of(row.get("role")),
            name: row.get("name"),
            email: row.get("email"),
        }
    }
}

/// What a browser's or program's token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is.
    pub user: User,
    /// Which sign-in of a browser, or which token of a program. It stays when a browser's token is renewed.
    pub id: Uuid,
    /// What a program may do with it; none for a browser, which may do all that its person may.
    pub scopes: Option<Vec<Scope>>,
    /// When it ends by itself, where that is fixed.
    pub expires_at: Option<Time>,
}

/// The accounts. A cheap handle; keep one a process, since it bounds how many passwords are checked at once.
#[derive(Clone)]
pub struct Accounts {
    database: Database,
    passwords: Passwords,
}

impl Accounts {
    /// The accounts in a database, with the least that hashing a password may cost.
    #[must_use]
    pub fn new(database: Database) -> Self {
        let passwords = Passwords::default();
        Self {
            database,
            passwords,
        }
    }

    /// The accounts in a database, with passwords hashed for about 100 ms on this machine.
    #[must_use]
    pub fn calibrated(database: Database) -> Self {
        let passwords = Passwords::calibrated();
        Self {
            database,
            passwords,
        }
    }

    /// The person with an e-mail address.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, AccountError> {
        let sql = format!(
            "SELECT {USER} FROM account.person p JOIN account.team t ON t.id = p.team WHERE p.email = $1"
        );
        let client = self.database.at_the_door().client().await?;
        let row = client.query_opt(&sql, &[&normal(email)]).await?;
        Ok(row.as_ref().map(User::of))
    }
}

/// An e-mail address as it is compared. NUL cannot be in a column, so it cannot be in an address that exists.
fn normal(email: &str) -> String {
    email.trim().replace('\0', "").to_lowercase()
}

/// The expression for a moment's milliseconds since 1970, as [`Time`] counts.
fn millis(column: &str) -> String {
    format!("(extract(epoch FROM {column}) * 1000)::bigint")
}

/// A moment behind [`millis`], if there is one.
fn moment(row: &Row, column: &str) -> Option<Time> {
    row.get::<_, Option<i64>>(column).map(Time)
}
