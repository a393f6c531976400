//! Who may sign in: the first owner, passwords, browsers' tokens and programs' tokens.

mod attempts;
mod error;
mod password;
mod secret;
mod setup;
mod team;
mod token;

pub use error::AccountError;
pub use secret::Token;
pub use team::TeamRole;

use crate::Database;
use duplex_domain::{TeamId, UserId};
use password::Passwords;
use tokio_postgres::Row;

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The person.
    pub id: UserId,
    /// Their team.
    pub team: TeamId,
    /// What they may do in it.
    pub role: TeamRole,
    /// Their name.
    pub name: String,
    /// Their e-mail address, in small letters.
    pub email: String,
}

impl User {
    fn of(row: &Row) -> Self {
        Self {
            id: UserId(row.get("id")),
            team: TeamId(row.get("team")),
            role: TeamRole::of(row.get("role")),
            name: row.get("name"),
            email: row.get("email"),
        }
    }
}

/// The accounts. A cheap handle; keep one a process, since it bounds how many passwords are checked at once.
#[derive(Clone)]
pub struct Accounts {
    database: Database,
    passwords: Passwords,
}

impl Accounts {
    /// The accounts in a database.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            passwords: Passwords::default(),
        }
    }

    /// The person with an e-mail address.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, AccountError> {
        let sql = "SELECT id, team, role, name, email FROM account.person WHERE email = $1";
        let client = self.database.client().await?;
        let row = client.query_opt(sql, &[&normal(email)]).await?;
        Ok(row.as_ref().map(User::of))
    }
}

/// An e-mail address as it is compared. NUL cannot be in a column, so it cannot be in an address that exists.
fn normal(email: &str) -> String {
    email.trim().replace('\0', "").to_lowercase()
}
