//! New passwords: by who knows the old one, or by a link that an owner made.

use super::secret::{Token, hash, secret};
use super::setup::check_password;
use super::{AccountError, Accounts, User, attempts, browser, millis, people};
use duplex_domain::{Time, UserId};
use duplex_wire::ResetFor;
use uuid::Uuid;

/// A link for a new password, told once.
#[derive(Debug)]
pub struct Reset {
    /// What the link has to hold.
    pub secret: Token,
    /// Until when it can be used.
    pub expires_at: Time,
}

impl Accounts {
    /// Changes a person's password. They are signed out at all browsers but their own, which gets a new token.
    ///
    /// # Errors
    /// [`AccountError::WrongPassword`], [`AccountError::TooManyAttempts`], or [`AccountError::Password`].
    pub async fn change_password(
        &self,
        by: &User,
        own: Option<Uuid>,
        current: &str,
        password: &str,
    ) -> Result<Option<Token>, AccountError> {
        check_password(password)?;
        // Counted apart from sign-ins, so that a stolen browser can neither guess nor lock its person out.
        let counted = format!("password of {}", by.id);
        let mut client = self.database.of(by.team).client().await?;
        attempts::begin(&mut client, &counted).await?;
        let sql = "SELECT password FROM account.person WHERE id = $1";
        let row = client.query_opt(sql, &[&by.id.0]).await?;
        drop(client);
        let stored: Option<String> = row.and_then(|row| row.get(0));
        if !self.is_password(current, stored.clone()).await? {
            return Err(AccountError::WrongPassword);
        }
        let new = self.passwords.hash(password.to_owned()).await?;
        let mut client = self.database.of(by.team).client().await?;
        attempts::succeeded(&client, &counted).await?;
        let tx = client.transaction().await?;
        let sql = "UPDATE account.person SET password = $1 WHERE id = $2 AND password = $3";
        if tx.execute(sql, &[&new, &by.id.0, &stored]).await? == 0 {
            return Err(AccountError::WrongPassword);
        }
        let forget = "DELETE FROM account.password_reset WHERE person = $1";
        tx.execute(forget, &[&by.id.0]).await?;
        let token = browser::rotate(&tx, by.id, own).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// A link by which somebody in the team of its owner chooses a new password; one made before stops working.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], or [`AccountError::NoPerson`].
    pub async fn new_reset(&self, by: &User, who: UserId) -> Result<Reset, AccountError> {
        let secret = secret();
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        people::as_owner(&tx, by).await?;
        people::role_in(&tx, by.team, who).await?;
        let sql = format!(
            "INSERT INTO account.password_reset AS r (person, hash, expires_at)
             VALUES ($1, $2, now() + interval '24 hours')
             ON CONFLICT (person) DO UPDATE
                 SET hash = excluded.hash, created_at = now(), expires_at = excluded.expires_at
             RETURNING {}",
            millis("r.expires_at")
        );
        let row = tx.query_one(&sql, &[&who.0, &hash(&secret)]).await?;
        tx.commit().await?;
        Ok(Reset {
            secret: Token(secret),
            expires_at: Time(row.get(0)),
        })
    }

    /// Whose password a link sets; looking does not use it up.
    ///
    /// # Errors
    /// [`AccountError::LinkOver`] if it cannot be used, or never could.
    pub async fn reset_for(&self, secret: &str) -> Result<ResetFor, AccountError> {
        let sql = "SELECT p.name, p.email FROM account.password_reset r
                   JOIN account.person p ON p.id = r.person
                   WHERE r.hash = $1 AND r.expires_at > now() AND NOT p.disabled";
        let client = self.database.at_the_door().client().await?;
        let row = client.query_opt(sql, &[&hash(secret)]).await?;
        let row = row.ok_or(AccountError::LinkOver)?;
        let (name, email) = (row.get(0), row.get(1));
        Ok(ResetFor { name, email })
    }

    /// Sets a password with a link, which is used up by it, and signs its person out everywhere.
    ///
    /// # Errors
    /// [`AccountError::LinkOver`], or [`AccountError::Password`]; the link can be used on then.
    pub async fn reset(&self, secret: &str, password: &str) -> Result<User, AccountError> {
        let email = self.reset_for(secret).await?.email;
        check_password(password)?;
        let new = self.passwords.hash(password.to_owned()).await?;
        let mut client = self.database.at_the_door().client().await?;
        let tx = client.transaction().await?;
        let sql = "DELETE FROM account.password_reset r USING account.person p
                   WHERE r.hash = $1 AND r.expires_at > now()
                       AND p.id = r.person AND NOT p.disabled RETURNING r.person";
        let row = tx.query_opt(sql, &[&hash(secret)]).await?;
        let person = UserId(row.ok_or(AccountError::LinkOver)?.get(0));
        let sql = "UPDATE account.person SET password = $1 WHERE id = $2";
        tx.execute(sql, &[&new, &person.0]).await?;
        browser::rotate(&tx, person, None).await?;
        tx.commit().await?;
        attempts::succeeded(&client, &email).await?;
        let user = self.user_by_email(&email).await?;
        user.ok_or(AccountError::LinkOver)
    }
}
