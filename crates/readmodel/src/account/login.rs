//! Signing in with a password.

use super::browser::Browser;
use super::secret::Token;
use super::{AccountError, Accounts, USER, User, attempts, normal};
use tokio_postgres::Row;

/// Longer than any password that can be set; hashing more would only cost.
const LONGEST_PASSWORD: usize = 4000;

impl Accounts {
    /// Signs a person in, with a new token each time.
    ///
    /// # Errors
    /// [`AccountError::WrongLogin`], which tells nobody whether the address is known, or
    /// [`AccountError::TooManyAttempts`].
    pub async fn login(
        &self,
        email: &str,
        password: &str,
        browser: &Browser,
    ) -> Result<(User, Token), AccountError> {
        let email = normal(email);
        let mut client = self.database.at_the_door().client().await?;
        attempts::begin(&mut client, &email).await?;
        let sql = format!(
            "SELECT {USER}, p.password FROM account.person p JOIN account.team t ON t.id = p.team
             WHERE p.email = $1 AND NOT p.disabled"
        );
        let row = client.query_opt(&sql, &[&email]).await?;
        // Hashing takes long: the connection is not kept from others meanwhile.
        drop(client);
        let right = self.is_password(password, stored(row.as_ref())).await?;
        let row = row.filter(|_| right).ok_or(AccountError::WrongLogin)?;
        let user = User::of(&row);
        let client = self.database.at_the_door().client().await?;
        attempts::succeeded(&client, &email).await?;
        drop(client);
        self.harden(&user, password, stored(Some(&row))).await?;
        let token = self.sign_in(&user, browser).await?;
        Ok((user, token))
    }

    /// Whether this is the password behind a stored hash.
    pub(super) async fn is_password(
        &self,
        password: &str,
        stored: Option<String>,
    ) -> Result<bool, AccountError> {
        let end = password.floor_char_boundary(LONGEST_PASSWORD + 1);
        self.passwords
            .verify(password[..end].to_owned(), stored)
            .await
    }

    /// Hashes a password anew, now that it is known, if it was hashed with less than is usual today.
    async fn harden(
        &self,
        user: &User,
        password: &str,
        stored: Option<String>,
    ) -> Result<(), AccountError> {
        let Some(old) = stored.filter(|stored| self.passwords.is_weak(stored)) else {
            return Ok(());
        };
        let new = self.passwords.hash(password.to_owned()).await?;
        let client = self.database.of(user.team).client().await?;
        // Only what was read is replaced: the password may have been changed meanwhile.
        let sql = "UPDATE account.person SET password = $1 WHERE id = $2 AND password = $3";
        client.execute(sql, &[&new, &user.id.0, &old]).await?;
        Ok(())
    }
}

fn stored(row: Option<&Row>) -> Option<String> {
    row.and_then(|row| row.get("password"))
}
