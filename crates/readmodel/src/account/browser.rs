//! Browsers that are signed in.

use super::secret::{Token, hash, secret};
use super::{AccountError, Accounts, Grant, USER, User, changes, millis};
use deadpool_postgres::Transaction;
use duplex_domain::{Time, UserId};
use duplex_wire::SignedInBrowser;
use uuid::Uuid;

/// What a person recognises a browser by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browser {
    /// Its name, such as `Firefox on Linux`; empty if it is not known.
    pub name: String,
    /// The network it is in; empty if it is not known.
    pub address: String,
}

/// A sign-in lasts 12 hours without use and 14 days in all.
const LASTS: &str =
    "s.used_at > now() - interval '12 hours' AND s.created_at > now() - interval '14 days'";

const PRUNE: &str = "
DELETE FROM account.web_session
WHERE used_at <= now() - interval '12 hours' OR created_at <= now() - interval '14 days'";

const TOUCH: &str = "
WITH touched AS (UPDATE account.web_session SET used_at = now() WHERE id = $1 RETURNING person)
UPDATE account.person p SET seen_at = now() FROM touched WHERE p.id = touched.person";

impl Accounts {
    /// Signs a person in at a browser, with a new token each time. Whether it is them was seen to before.
    ///
    /// # Errors
    /// [`AccountError::WrongLogin`] if they are shut out or gone meanwhile.
    pub async fn sign_in(&self, user: &User, browser: &Browser) -> Result<Token, AccountError> {
        let token = secret();
        let client = self.database.of(user.team).client().await?;
        client.execute(PRUNE, &[]).await?;
        let seen = "UPDATE account.person SET seen_at = now() WHERE id = $1 AND NOT disabled";
        if client.execute(seen, &[&user.id.0]).await? == 0 {
            return Err(AccountError::WrongLogin);
        }
        let sql = "INSERT INTO account.web_session (hash, person, browser, address)
                   SELECT $1, id, $3, $4 FROM account.person WHERE id = $2 AND NOT disabled";
        let (name, address) = (shown(&browser.name), shown(&browser.address));
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&hash(&token), &user.id.0, &name, &address];
        match client.execute(sql, &values).await? {
            0 => Err(AccountError::WrongLogin),
            _ => Ok(Token(token)),
        }
    }

    /// Who a browser's token belongs to; nobody if it has ended. Using it keeps it alive.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn who(&self, token: &str) -> Result<Option<Grant>, AccountError> {
        let client = self.database.at_the_door().client().await?;
        let sql = format!(
            "SELECT {USER}, s.id AS grant_id, s.used_at < now() - interval '1 minute' AS stale
             FROM account.web_session s JOIN account.person p ON p.id = s.person
             JOIN account.team t ON t.id = p.team
             WHERE s.hash = $1 AND NOT p.disabled AND {LASTS}"
        );
        let statement = client.prepare_cached(&sql).await?;
        let Some(row) = client.query_opt(&statement, &[&hash(token)]).await? else {
            return Ok(None);
        };
        let id: Uuid = row.get("grant_id");
        // Not at each request: a minute more or less does not matter in twelve hours.
        if row.get("stale") {
            client.execute(TOUCH, &[&id]).await?;
        }
        Ok(Some(Grant {
            user: User::of(&row),
            id,
            scopes: None,
            expires_at: None,
        }))
    }

    /// Whether a browser is still signed in, whatever token it has by now.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn is_signed_in(&self, browser: Uuid) -> Result<bool, AccountError> {
        let client = self.database.at_the_door().client().await?;
        let sql = "SELECT 1 FROM account.web_session s JOIN account.person p ON p.id = s.person
                   WHERE s.id = $1 AND NOT p.disabled";
        Ok(client.query_opt(sql, &[&browser]).await?.is_some())
    }

    /// Ends a browser's token, and says whose it was.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn logout(&self, token: &str) -> Result<Option<UserId>, AccountError> {
        let mut client = self.database.at_the_door().client().await?;
        let tx = client.transaction().await?;
        let sql = "DELETE FROM account.web_session WHERE hash = $1 RETURNING person";
        let row = tx.query_opt(sql, &[&hash(token)]).await?;
        let person = row.map(|row| UserId(row.get(0)));
        if let Some(person) = person {
            changes::tell(&tx, person).await?;
        }
        tx.commit().await?;
        Ok(person)
    }

    /// The browsers a person is signed in at, the one used last first; `this` is the one that asks.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn browsers(
        &self,
        user: &User,
        this: Option<Uuid>,
    ) -> Result<Vec<SignedInBrowser>, AccountError> {
        let client = self.database.of(user.team).client().await?;
        let (made, last) = (millis("s.created_at"), millis("s.used_at"));
        let sql = format!(
            "SELECT s.id, s.browser, s.address, {made} AS created_at, {last} AS used_at
             FROM account.web_session s WHERE s.person = $1 AND {LASTS}
             ORDER BY s.used_at DESC, s.id LIMIT 500"
        );
        let rows = client.query(&sql, &[&user.id.0]).await?;
        let browser = |row: &tokio_postgres::Row| SignedInBrowser {
            id: row.get("id"),
            browser: row.get("browser"),
            address: row.get("address"),
            created_at: Time(row.get("created_at")),
            used_at: Time(row.get("used_at")),
            this: this == Some(row.get("id")),
        };
        Ok(rows.iter().map(browser).collect())
    }

    /// Signs a person out at one of their browsers.
    ///
    /// # Errors
    /// [`AccountError::NoBrowser`] if it is not theirs, or has ended already.
    pub async fn end_browser(&self, user: &User, browser: Uuid) -> Result<(), AccountError> {
        let mut client = self.database.of(user.team).client().await?;
        let tx = client.transaction().await?;
        let sql = "DELETE FROM account.web_session WHERE id = $1 AND person = $2";
        if tx.execute(sql, &[&browser, &user.id.0]).await? == 0 {
            return Err(AccountError::NoBrowser);
        }
        changes::tell(&tx, user.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs a person out everywhere but at one browser.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn end_other_browsers(
        &self,
        user: &User,
        this: Option<Uuid>,
    ) -> Result<(), AccountError> {
        let mut client = self.database.of(user.team).client().await?;
        let tx = client.transaction().await?;
        end(&tx, user.id, this).await?;
        changes::tell(&tx, user.id).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Ends all a person's sign-ins but one.
async fn end(tx: &Transaction<'_>, user: UserId, except: Option<Uuid>) -> Result<(), AccountError> {
    let sql = "DELETE FROM account.web_session WHERE person = $1 AND id IS DISTINCT FROM $2";
    tx.execute(sql, &[&user.0, &except]).await?;
    Ok(())
}

/// What a change of somebody's rights does to their browsers: all are signed out but the one they did it with, which
/// gets a new token.
pub(super) async fn rotate(
    tx: &Transaction<'_>,
    user: UserId,
    own: Option<Uuid>,
) -> Result<Option<Token>, AccountError> {
    end(tx, user, own).await?;
    changes::tell(tx, user).await?;
    let token = secret();
    let sql = "UPDATE account.web_session SET hash = $1 WHERE id = $2 AND person = $3";
    let renewed = tx.execute(sql, &[&hash(&token), &own, &user.0]).await?;
    Ok((renewed == 1).then_some(Token(token)))
}

/// What a browser says of itself, as a column holds it and a list shows it.
fn shown(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(100).collect()
}
