//! Who is in a team, and what they may do in it.

use super::secret::Token;
use super::setup::plausible_name;
use super::{AccountError, Accounts, TeamRole, User, browser, millis, moment};
use deadpool_postgres::Transaction;
use duplex_domain::{TeamId, UserId};
use duplex_wire::TeamPerson;
use tokio_postgres::Row;
use uuid::Uuid;

/// What is left of who left: nobody signs in with this address, and another account may have the one they had.
const LEAVE: &str = "
UPDATE account.person SET disabled = true, left_at = now(), role = 'guest', password = '', email = 'left ' || id::text
WHERE id = $1";

impl Accounts {
    /// The people of a person's team, by name. Only owners are told who is shut out, and when people were last here.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn people(&self, by: &User) -> Result<Vec<TeamPerson>, AccountError> {
        let owner = by.role == TeamRole::Owner;
        let sql = format!(
            "SELECT id, name, email, role, disabled, {} AS seen_at FROM account.person
             WHERE team = $1 AND ($2 OR NOT disabled) AND left_at IS NULL ORDER BY disabled, lower(name), id LIMIT 2000",
            millis("seen_at")
        );
        let client = self.database.of(by.team).client().await?;
        let rows = client.query(&sql, &[&by.team.0, &owner]).await?;
        Ok(rows.iter().map(|row| shown(row, owner)).collect())
    }

    /// The name of somebody who is in a team and not shut out.
    ///
    /// # Errors
    /// [`AccountError::NoPerson`] if there is no such person.
    pub async fn name_in_team(&self, team: TeamId, who: UserId) -> Result<String, AccountError> {
        let sql = "SELECT name FROM account.person WHERE id = $1 AND team = $2 AND NOT disabled";
        let client = self.database.of(team).client().await?;
        let row = client.query_opt(sql, &[&who.0, &team.0]).await?;
        Ok(row.ok_or(AccountError::NoPerson)?.get(0))
    }

    /// Sets what somebody may do in the team. They are signed out at their browsers; if an owner does it to themselves,
    /// the browser they do it with gets a new token.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], [`AccountError::NoPerson`], or [`AccountError::LastOwner`].
    pub async fn set_role(
        &self,
        by: &User,
        own: Option<Uuid>,
        who: UserId,
        role: TeamRole,
    ) -> Result<Option<Token>, AccountError> {
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        as_owner(&tx, by).await?;
        if role_in(&tx, by.team, who).await? == role {
            return Ok(None);
        }
        let token = put_role(&tx, who, role, own.filter(|_| who == by.id)).await?;
        keep_an_owner(&tx, by.team).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Shuts somebody out, or lets them in again. Who is shut out is signed out everywhere, and their tokens do not work.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], [`AccountError::NoPerson`], [`AccountError::Yourself`], or
    /// [`AccountError::LastOwner`].
    pub async fn set_disabled(
        &self,
        by: &User,
        who: UserId,
        disabled: bool,
    ) -> Result<(), AccountError> {
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        as_owner(&tx, by).await?;
        role_in(&tx, by.team, who).await?;
        if who == by.id {
            return Err(AccountError::Yourself);
        }
        let sql = "UPDATE account.person SET disabled = $1 WHERE id = $2";
        tx.execute(sql, &[&disabled, &who.0]).await?;
        if disabled {
            forget_links(&tx, who).await?;
            browser::rotate(&tx, who, None).await?;
        }
        keep_an_owner(&tx, by.team).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes somebody the owner instead of the owner who asks, who stays as a member.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], [`AccountError::Yourself`], or [`AccountError::NoPerson`] if they are not in the
    /// team or shut out.
    pub async fn transfer(
        &self,
        by: &User,
        own: Option<Uuid>,
        to: UserId,
    ) -> Result<Option<Token>, AccountError> {
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        as_owner(&tx, by).await?;
        if to == by.id {
            return Err(AccountError::Yourself);
        }
        let enabled = "SELECT 1 FROM account.person WHERE id = $1 AND NOT disabled";
        if tx.query_opt(enabled, &[&to.0]).await?.is_none() {
            return Err(AccountError::NoPerson);
        }
        if role_in(&tx, by.team, to).await? != TeamRole::Owner {
            put_role(&tx, to, TeamRole::Owner, None).await?;
        }
        let token = put_role(&tx, by.id, TeamRole::Member, own).await?;
        keep_an_owner(&tx, by.team).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Takes a person out of their team, on their own wish: account, browsers, tokens and links are gone. What they did
    /// in sessions stays in the log.
    ///
    /// # Errors
    /// [`AccountError::LastOwner`].
    pub async fn leave(&self, by: &User) -> Result<(), AccountError> {
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        lock(&tx, by.team).await?;
        tx.execute(LEAVE, &[&by.id.0]).await?;
        let tokens = "DELETE FROM account.api_token WHERE person = $1";
        tx.execute(tokens, &[&by.id.0]).await?;
        forget_links(&tx, by.id).await?;
        browser::rotate(&tx, by.id, None).await?;
        keep_an_owner(&tx, by.team).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Calls a person otherwise. Sessions keep the name under which they were let in.
    ///
    /// # Errors
    /// [`AccountError::Name`].
    pub async fn rename(&self, user: &User, name: &str) -> Result<(), AccountError> {
        let name = plausible_name(name)?;
        let client = self.database.of(user.team).client().await?;
        let sql = "UPDATE account.person SET name = $1 WHERE id = $2";
        client.execute(sql, &[&name, &user.id.0]).await?;
        Ok(())
    }

    /// Calls a team otherwise.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`] or [`AccountError::Name`].
    pub async fn rename_team(&self, by: &User, name: &str) -> Result<(), AccountError> {
        let name = plausible_name(name)?;
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        as_owner(&tx, by).await?;
        let sql = "UPDATE account.team SET name = $1 WHERE id = $2";
        tx.execute(sql, &[&name, &by.team.0]).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn shown(row: &Row, to_owner: bool) -> TeamPerson {
    TeamPerson {
        id: UserId(row.get("id")),
        name: row.get("name"),
        email: row.get("email"),
        role: TeamRole::of(row.get("role")),
        disabled: row.get("disabled"),
        seen_at: moment(row, "seen_at").filter(|_| to_owner),
    }
}

/// Changes of who is in a team, and as what, take turns.
async fn lock(tx: &Transaction<'_>, team: TeamId) -> Result<(), AccountError> {
    let sql = "SELECT 1 FROM account.team WHERE id = $1 FOR NO KEY UPDATE";
    tx.execute(sql, &[&team.0]).await?;
    Ok(())
}

/// Takes a team's turn for one of its owners, if they are one now.
pub(super) async fn as_owner(tx: &Transaction<'_>, by: &User) -> Result<(), AccountError> {
    lock(tx, by.team).await?;
    let sql = "SELECT 1 FROM account.person
               WHERE id = $1 AND team = $2 AND role = 'owner' AND NOT disabled";
    match tx.query_opt(sql, &[&by.id.0, &by.team.0]).await? {
        Some(_) => Ok(()),
        None => Err(AccountError::NotTheOwner),
    }
}

/// What somebody is in a team.
pub(super) async fn role_in(
    tx: &Transaction<'_>,
    team: TeamId,
    who: UserId,
) -> Result<TeamRole, AccountError> {
    let sql = "SELECT role FROM account.person WHERE id = $1 AND team = $2 AND left_at IS NULL";
    let row = tx.query_opt(sql, &[&who.0, &team.0]).await?;
    let row = row.ok_or(AccountError::NoPerson)?;
    Ok(TeamRole::of(row.get(0)))
}

/// Sets a role and ends what the former one gave: browsers, links made as an owner, tokens for ever.
async fn put_role(
    tx: &Transaction<'_>,
    who: UserId,
    role: TeamRole,
    own: Option<Uuid>,
) -> Result<Option<Token>, AccountError> {
    let sql = "UPDATE account.person SET role = $1 WHERE id = $2";
    tx.execute(sql, &[&role.word(), &who.0]).await?;
    if role != TeamRole::Owner {
        forget_links(tx, who).await?;
        let sql = "UPDATE account.api_token SET expires_at = now() + interval '366 days'
                   WHERE person = $1 AND expires_at IS NULL";
        tx.execute(sql, &[&who.0]).await?;
    }
    browser::rotate(tx, who, own).await
}

/// Makes the links useless that somebody made, or that were made for them.
async fn forget_links(tx: &Transaction<'_>, who: UserId) -> Result<(), AccountError> {
    let invitations = "DELETE FROM account.invitation WHERE made_by = $1";
    tx.execute(invitations, &[&who.0]).await?;
    let reset = "DELETE FROM account.password_reset WHERE person = $1";
    tx.execute(reset, &[&who.0]).await?;
    Ok(())
}

/// Refuses what would leave a team without anybody who can administer it.
async fn keep_an_owner(tx: &Transaction<'_>, team: TeamId) -> Result<(), AccountError> {
    let sql = "SELECT 1 FROM account.person
               WHERE team = $1 AND role = 'owner' AND NOT disabled LIMIT 1";
    match tx.query_opt(sql, &[&team.0]).await? {
        Some(_) => Ok(()),
        None => Err(AccountError::LastOwner),
    }
}
