//! Signing in and out, and who a token belongs to.

use super::secret::{Token, hash, secret};
use super::{AccountError, Accounts, User, attempts, normal};
use duplex_domain::UserId;

/// How every program's token begins, so that one that leaks is recognised.
const PREFIX: &str = "dpx_";
/// Longer than any password that can be set; hashing more would only cost.
const LONGEST_PASSWORD: usize = 4000;

/// A browser's session lasts 12 hours without use and 14 days in all.
const WHO: &str = "
SELECT p.id, p.team, p.role, p.name, p.email, s.used_at < now() - interval '1 minute' AS stale
FROM account.web_session s JOIN account.person p ON p.id = s.person
WHERE s.hash = $1 AND NOT p.disabled
    AND s.used_at > now() - interval '12 hours' AND s.created_at > now() - interval '14 days'";

const PRUNE: &str = "
DELETE FROM account.web_session
WHERE used_at <= now() - interval '12 hours' OR created_at <= now() - interval '14 days'";

impl Accounts {
    /// Signs a person in, with a new token each time.
    ///
    /// # Errors
    /// [`AccountError::WrongLogin`], which tells nobody whether the address is known, or
    /// [`AccountError::TooManyAttempts`].
    pub async fn login(&self, email: &str, password: &str) -> Result<(User, Token), AccountError> {
        let email = normal(email);
        let mut client = self.database.client().await?;
        attempts::begin(&mut client, &email).await?;
        let sql = "SELECT id, team, role, name, email, password FROM account.person
                   WHERE email = $1 AND NOT disabled";
        let row = client.query_opt(sql, &[&email]).await?;
        // Hashing takes long: the connection is not kept from others meanwhile.
        drop(client);
        let stored = row.as_ref().map(|row| row.get("password"));
        let end = password.floor_char_boundary(LONGEST_PASSWORD + 1);
        let given = password[..end].to_owned();
        let right = self.passwords.verify(given, stored).await?;
        let user = row.filter(|_| right).as_ref().map(User::of);
        let user = user.ok_or(AccountError::WrongLogin)?;

        let token = secret();
        let client = self.database.client().await?;
        attempts::succeeded(&client, &email).await?;
        client.execute(PRUNE, &[]).await?;
        let sql = "INSERT INTO account.web_session (hash, person) VALUES ($1, $2)";
        client.execute(sql, &[&hash(&token), &user.id.0]).await?;
        Ok((user, Token(token)))
    }

    /// Who a browser's token belongs to; nobody if it has ended. Using it keeps it alive.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn who(&self, token: &str) -> Result<Option<User>, AccountError> {
        let hash = hash(token);
        let client = self.database.client().await?;
        let statement = client.prepare_cached(WHO).await?;
        let Some(row) = client.query_opt(&statement, &[&hash]).await? else {
            return Ok(None);
        };
        // Not at each request: a minute more or less does not matter in twelve hours.
        if row.get("stale") {
            let sql = "UPDATE account.web_session SET used_at = now() WHERE hash = $1";
            client.execute(sql, &[&hash]).await?;
        }
        Ok(Some(User::of(&row)))
    }

    /// Ends a browser's token.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn logout(&self, token: &str) -> Result<(), AccountError> {
        let sql = "DELETE FROM account.web_session WHERE hash = $1";
        let client = self.database.client().await?;
        client.execute(sql, &[&hash(token)]).await?;
        Ok(())
    }

    /// A new token for a person's programs. It is shown once; only its hash is kept.
    ///
    /// # Errors
    /// [`AccountError::Name`] for a name that is empty or too long; when there is no such person.
    pub async fn create_token(&self, user: UserId, name: &str) -> Result<Token, AccountError> {
        let name = super::setup::plausible_name(name)?;
        let token = format!("{PREFIX}{}", secret());
        let sql = "INSERT INTO account.api_token (hash, person, name) VALUES ($1, $2, $3)";
        let client = self.database.client().await?;
        client
            .execute(sql, &[&hash(&token), &user.0, &name])
            .await?;
        Ok(Token(token))
    }

    /// Who a program's token (`dpx_…`) belongs to.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn who_bearer(&self, token: &str) -> Result<Option<User>, AccountError> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let sql = "SELECT p.id, p.team, p.role, p.name, p.email
                   FROM account.api_token t JOIN account.person p ON p.id = t.person
                   WHERE t.hash = $1 AND NOT p.disabled";
        let client = self.database.client().await?;
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_opt(&statement, &[&hash(token)]).await?;
        Ok(row.as_ref().map(User::of))
    }
}
