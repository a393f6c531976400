//! Links that let more people into a team.

use super::secret::{hash, secret};
use super::setup::{check_password, plausible_email, plausible_name};
use super::{AccountError, Accounts, TeamRole, User, millis, people};
use deadpool_postgres::Transaction;
use duplex_domain::{TeamId, Time, UserId};
use duplex_wire::{Invitation, Invite, InvitedTo, Join};
use tokio_postgres::Row;
use uuid::Uuid;

/// For how many days an invitation can be used: at most, and if nobody says.
const MOST_DAYS: u32 = 30;
const USUAL_DAYS: u32 = 7;
/// How many invitations of a team may be open.
const MOST: i64 = 200;
/// How long a note may be, in characters.
const LONGEST_NOTE: usize = 200;

/// An invitation holds as long as who made it is an owner.
const OPEN: &str =
    "i.expires_at > now() AND p.id = i.made_by AND p.role = 'owner' AND NOT p.disabled";

/// An invitation with its secret, which is told once.
#[derive(Debug)]
pub struct Invited {
    /// What the link has to hold.
    pub secret: super::Token,
    /// The invitation.
    pub invitation: Invitation,
}

impl Accounts {
    /// Makes an invitation into the team of its owner.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], [`AccountError::TooMany`], or what is wrong with a field.
    pub async fn invite(&self, by: &User, wanted: &Invite) -> Result<Invited, AccountError> {
        let days = wanted.days.unwrap_or(USUAL_DAYS);
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(AccountError::Days);
        }
        let note = plausible_note(wanted.note.as_deref().unwrap_or_default())?;
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        people::as_owner(&tx, by).await?;
        clear(&tx, by.team).await?;
        let secret = secret();
        let sql = format!(
            "INSERT INTO account.invitation AS i (id, team, hash, role, note, made_by, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7))
             RETURNING {}",
            columns("$8")
        );
        let days = i32::try_from(days).map_err(|_| AccountError::Days)?;
        let (hash, role) = (hash(&secret), wanted.role.word());
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 8] = [
            &Uuid::now_v7(),
            &by.team.0,
            &hash,
            &role,
            &note,
            &by.id.0,
            &days,
            &by.name,
        ];
        let row = tx.query_one(&sql, &values).await?;
        tx.commit().await?;
        Ok(Invited {
            secret: super::Token(secret),
            invitation: shown(&row),
        })
    }

    /// A team's invitations that can be used, the newest first.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn invitations(&self, team: TeamId) -> Result<Vec<Invitation>, AccountError> {
        let sql = format!(
            "SELECT {} FROM account.invitation i, account.person p
             WHERE i.team = $1 AND {OPEN} ORDER BY i.id DESC",
            columns("p.name")
        );
        let client = self.database.of(team).client().await?;
        let rows = client.query(&sql, &[&team.0]).await?;
        Ok(rows.iter().map(shown).collect())
    }

    /// Makes an invitation useless.
    ///
    /// # Errors
    /// [`AccountError::NotTheOwner`], or [`AccountError::NoInvitation`] if it was used or revoked already.
    pub async fn revoke_invitation(&self, by: &User, which: Uuid) -> Result<(), AccountError> {
        let mut client = self.database.of(by.team).client().await?;
        let tx = client.transaction().await?;
        people::as_owner(&tx, by).await?;
        let sql = "DELETE FROM account.invitation WHERE id = $1 AND team = $2";
        if tx.execute(sql, &[&which, &by.team.0]).await? == 0 {
            return Err(AccountError::NoInvitation);
        }
        tx.commit().await?;
        Ok(())
    }

    /// What an invitation is for; looking does not use it up.
    ///
    /// # Errors
    /// [`AccountError::LinkOver`] if it cannot be used, or never could.
    pub async fn invited_to(&self, secret: &str) -> Result<InvitedTo, AccountError> {
        let sql = format!(
            "SELECT t.name AS team, i.role, p.name AS by, {} AS expires_at
             FROM account.invitation i JOIN account.team t ON t.id = i.team, account.person p
             WHERE i.hash = $1 AND {OPEN}",
            millis("i.expires_at")
        );
        let client = self.database.at_the_door().client().await?;
        let row = client.query_opt(&sql, &[&hash(secret)]).await?;
        let row = row.ok_or(AccountError::LinkOver)?;
        Ok(InvitedTo {
            team: row.get("team"),
            role: TeamRole::of(row.get("role")),
            by: row.get("by"),
            expires_at: Time(row.get("expires_at")),
        })
    }

    /// Makes an account with an invitation, which is used up by it. Of several at once, one succeeds.
    ///
    /// # Errors
    /// [`AccountError::LinkOver`], [`AccountError::EmailTaken`], or what is wrong with a field; the invitation can be
    /// used on then.
    pub async fn join(&self, wanted: &Join) -> Result<User, AccountError> {
        // Cheap checks come first: a hash is made only for who holds the secret.
        self.invited_to(&wanted.secret).await?;
        let name = plausible_name(&wanted.name)?;
        let email = plausible_email(&wanted.email)?;
        check_password(&wanted.password)?;
        let password = self.passwords.hash(wanted.password.clone()).await?;
        let mut client = self.database.at_the_door().client().await?;
        let tx = client.transaction().await?;
        let (team, team_name, role) = use_up(&tx, &wanted.secret).await?;
        let user = User {
            id: UserId(Uuid::now_v7()),
            team,
            team_name,
            role,
            name,
            email,
        };
        insert(&tx, &user, &password).await?;
        tx.commit().await?;
        Ok(user)
    }
}

async fn use_up(
    tx: &Transaction<'_>,
    secret: &str,
) -> Result<(TeamId, String, TeamRole), AccountError> {
    let sql = format!(
        "DELETE FROM account.invitation i USING account.person p, account.team t
         WHERE i.hash = $1 AND t.id = i.team AND {OPEN} RETURNING i.team, t.name, i.role"
    );
    let row = tx.query_opt(&sql, &[&hash(secret)]).await?;
    let row = row.ok_or(AccountError::LinkOver)?;
    Ok((
        TeamId(row.get(0)),
        row.get(1),
        TeamRole::of(row.get::<_, &str>(2)),
    ))
}

async fn insert(tx: &Transaction<'_>, user: &User, password: &str) -> Result<(), AccountError> {
    let sql = "INSERT INTO account.person (id, team, role, name, email, password)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING";
    let role = user.role.word();
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
        &user.id.0,
        &user.team.0,
        &role,
        &user.name,
        &user.email,
        &password,
    ];
    match tx.execute(sql, &values).await? {
        0 => Err(AccountError::EmailTaken),
        _ => Ok(()),
    }
}

/// Removes what has expired, and refuses if too many are open.
async fn clear(tx: &Transaction<'_>, team: TeamId) -> Result<(), AccountError> {
    let sql = "DELETE FROM account.invitation WHERE team = $1 AND expires_at <= now()";
    tx.execute(sql, &[&team.0]).await?;
    let count = "SELECT count(*) FROM account.invitation WHERE team = $1";
    let open: i64 = tx.query_one(count, &[&team.0]).await?.get(0);
    if open >= MOST {
        return Err(AccountError::TooMany("open invitations"));
    }
    Ok(())
}

fn columns(by: &str) -> String {
    let (created, expires) = (millis("i.created_at"), millis("i.expires_at"));
    format!(
        "i.id, i.role, i.note, {by}::text AS by, {created} AS created_at, {expires} AS expires_at"
    )
}

fn shown(row: &Row) -> Invitation {
    Invitation {
        id: row.get("id"),
        role: TeamRole::of(row.get("role")),
        note: row.get("note"),
        by: row.get("by"),
        created_at: Time(row.get("created_at")),
        expires_at: Time(row.get("expires_at")),
    }
}

fn plausible_note(note: &str) -> Result<String, AccountError> {
    let note = note.trim();
    if note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control) {
        return Err(AccountError::Note);
    }
    Ok(note.to_owned())
}
