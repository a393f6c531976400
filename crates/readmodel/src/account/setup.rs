//! The first owner: made once, with a one-time secret.

use super::secret::{hash, secret};
use super::{AccountError, Accounts, TeamRole, User, normal};
use deadpool_postgres::Transaction;
use duplex_domain::{TeamId, UserId};
use uuid::Uuid;

/// Set-ups take turns on this advisory lock ("setup" in ASCII).
const SETTING_UP: i64 = 0x73_6574_7570;

impl Accounts {
    /// Whether there is an owner, and so whether Duplex is set up.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn has_owner(&self) -> Result<bool, AccountError> {
        let client = self.database.at_the_door().client().await?;
        let row = client.query_one(HAS_OWNER, &[]).await?;
        Ok(row.get(0))
    }

    /// A new secret for the setup link; the one before it stops working.
    ///
    /// # Errors
    /// [`AccountError::AlreadySetUp`] once there is an owner.
    pub async fn new_setup_secret(&self) -> Result<String, AccountError> {
        let secret = secret();
        let mut client = self.database.at_the_door().client().await?;
        let tx = begin(&mut client).await?;
        let sql = "INSERT INTO account.setup (hash) VALUES ($1)
                   ON CONFLICT (only_one) DO UPDATE SET hash = excluded.hash, created_at = now()";
        tx.execute(sql, &[&hash(&secret)]).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Makes the team and its first owner. Of several at once, one succeeds.
    ///
    /// # Errors
    /// [`AccountError::AlreadySetUp`] once there is an owner, [`AccountError::WrongSecret`] if the secret is not the
    /// newest, or what is wrong with a field.
    pub async fn setup(
        &self,
        secret: &str,
        name: &str,
        email: &str,
        password: &str,
    ) -> Result<User, AccountError> {
        // Cheap checks come first: a hash is made only for who holds the secret.
        let mut client = self.database.at_the_door().client().await?;
        check_secret(&begin(&mut client).await?, secret).await?;
        drop(client);
        let name = plausible_name(name)?;
        let email = plausible_email(email)?;
        check_password(password)?;
        let password = self.passwords.hash(password.to_owned()).await?;

        let mut client = self.database.at_the_door().client().await?;
        let tx = begin(&mut client).await?;
        check_secret(&tx, secret).await?;
        let user = User {
            id: UserId(Uuid::now_v7()),
            team: TeamId(Uuid::now_v7()),
            team_name: name.clone(),
            role: TeamRole::Owner,
            name,
            email,
        };
        insert(&tx, &user, &password).await?;
        tx.commit().await?;
        Ok(user)
    }
}

const HAS_OWNER: &str = "SELECT EXISTS (SELECT 1 FROM account.person WHERE role = 'owner')";

/// A transaction that no other set-up runs beside, while there is no owner.
async fn begin(client: &mut deadpool_postgres::Client) -> Result<Transaction<'_>, AccountError> {
    let tx = client.transaction().await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&SETTING_UP])
        .await?;
    if tx.query_one(HAS_OWNER, &[]).await?.get(0) {
        return Err(AccountError::AlreadySetUp);
    }
    Ok(tx)
}

async fn check_secret(tx: &Transaction<'_>, secret: &str) -> Result<(), AccountError> {
    let sql = "SELECT 1 FROM account.setup WHERE hash = $1";
    match tx.query_opt(sql, &[&hash(secret)]).await? {
        Some(_) => Ok(()),
        None => Err(AccountError::WrongSecret),
    }
}

async fn insert(tx: &Transaction<'_>, user: &User, password: &str) -> Result<(), AccountError> {
    let team = "INSERT INTO account.team (id, name) VALUES ($1, $2)";
    tx.execute(team, &[&user.team.0, &user.team_name]).await?;
    let person = "INSERT INTO account.person (id, team, role, name, email, password)
                  VALUES ($1, $2, 'owner', $3, $4, $5)";
    tx.execute(
        person,
        &[&user.id.0, &user.team.0, &user.name, &user.email, &password],
    )
    .await?;
    tx.execute("DELETE FROM account.setup", &[]).await?;
    Ok(())
}

pub(super) fn plausible_name(name: &str) -> Result<String, AccountError> {
    let name = name.trim();
    let fits = (1..=100).contains(&name.chars().count());
    if fits && !name.chars().any(char::is_control) {
        Ok(name.to_owned())
    } else {
        Err(AccountError::Name)
    }
}

/// An address with one @ between two parts without spaces. Whether mail arrives there only mail can tell.
pub(super) fn plausible_email(email: &str) -> Result<String, AccountError> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '@';
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    let address = email.trim();
    match address.split_once('@') {
        Some((who, host)) if part(who) && part(host) && address.len() <= 254 => Ok(normal(address)),
        _ => Err(AccountError::Email),
    }
}

pub(super) fn check_password(password: &str) -> Result<(), AccountError> {
    if (10..=1000).contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(AccountError::Password)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn an_address_is_kept_in_small_letters() {
        let kept = plausible_email(" Ada@Example.ORG ").unwrap();
        assert_eq!(kept, "ada@example.org");
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for not in [
            "",
            "ada",
            "@",
            "ada@",
            "@example.org",
            "a da@example.org",
            "a@b@c",
            "a@b\0",
        ] {
            let refused = plausible_email(not).unwrap_err();
            assert_eq!(refused.code(), "invalid_email", "{not:?}");
        }
    }

    #[test]
    fn a_password_is_measured_in_characters() {
        assert!(check_password("änderung10").is_ok());
        assert_eq!(
            check_password("ninechars").unwrap_err().code(),
            "invalid_password"
        );
        assert_eq!(
            check_password(&"x".repeat(1001)).unwrap_err().code(),
            "invalid_password"
        );
    }
}
