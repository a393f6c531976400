//! Links that let people into one session, and the visitors who came by them.

use super::secret::{Token, hash, secret};
use super::setup::plausible_name;
use super::{AccountError, Accounts, TeamRole, User};
use crate::Database;
use crate::row::{count, number, value_of, word};
use duplex_domain::{Role, Seq, SessionId, TeamId, Time, UserId};
use duplex_wire::{MakeLink, ShareLink, Span};
use tokio_postgres::Row;
use uuid::Uuid;

/// How many hours a link may work: 30 days.
const LONGEST: u32 = 720;
/// How many links a session may have that still work.
const MOST: i64 = 50;
/// How long a note may be, in characters.
const LONGEST_NOTE: usize = 100;

const WORKS: &str = "l.revoked_at IS NULL AND l.expires_at > now() AND NOT p.disabled";

/// A link, with what only the server needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownLink {
    /// What people see of it.
    pub link: ShareLink,
    /// The session it leads to.
    pub session: SessionId,
    /// The session's team.
    pub team: TeamId,
    /// Who made it.
    pub by: UserId,
}

/// Somebody who came by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The only session they may see.
    pub session: SessionId,
    /// The only stretch of it, where it is one.
    pub span: Option<Span>,
}

/// A visitor whose link does not work any more, and who may still be a member of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The visitor.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Who made the link.
    pub by: UserId,
}

impl Accounts {
    /// Makes a link to a session. Its secret is told once; only its hash is kept.
    ///
    /// # Errors
    /// What is wrong with the wish, or [`AccountError::TooManyLinks`].
    pub async fn make_link(
        &self,
        by: &User,
        session: SessionId,
        wish: &MakeLink,
    ) -> Result<(ShareLink, Token), AccountError> {
        check(wish)?;
        let (id, token) = (Uuid::now_v7(), secret());
        let span = wish.span;
        let first = span.map(|span| number(span.first.0));
        let last = span.map(|span| number(span.last.0));
        let hours = f64::from(wish.hours);
        let uses = wish
            .uses
            .map(|uses| i32::try_from(uses).unwrap_or(i32::MAX));
        let client = self.database.of(by.team).client().await?;
        let sql = "SELECT count(*) FROM account.share_link
                   WHERE session = $1 AND revoked_at IS NULL AND expires_at > now()";
        if client.query_one(sql, &[&session.0]).await?.get::<_, i64>(0) >= MOST {
            return Err(AccountError::TooManyLinks);
        }
        let sql = "INSERT INTO account.share_link
                   (id, hash, team, session, role, first_seq, last_seq, note, made_by, expires_at, most_uses)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10 * interval '1 hour', $11)";
        let (role, note) = (word(&wish.role)?, wish.note.trim());
        client
            .execute(
                sql,
                &[
                    &id,
                    &hash(&token),
                    &by.team.0,
                    &session.0,
                    &role,
                    &first,
                    &last,
                    &note,
                    &by.id.0,
                    &hours,
                    &uses,
                ],
            )
            .await?;
        let made = self
            .links_where(self.database.of(by.team), "l.id = $1", id)
            .await?
            .pop();
        let made = made.ok_or(AccountError::NoLink)?;
        Ok((made.link, Token(token)))
    }

    /// A session's links, the newest first.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn links(
        &self,
        by: &User,
        session: SessionId,
    ) -> Result<Vec<ShareLink>, AccountError> {
        let known = self
            .links_where(self.database.of(by.team), "l.session = $1", session.0)
            .await?;
        Ok(known.into_iter().map(|known| known.link).collect())
    }

    /// The link with a secret, if it works.
    ///
    /// # Errors
    /// [`AccountError::NoLink`] if it does not.
    pub async fn link_of(&self, secret: &str) -> Result<KnownLink, AccountError> {
        let sql = "SELECT id FROM account.share_link WHERE hash = $1";
        let client = self.database.at_the_door().client().await?;
        let row = client.query_opt(sql, &[&hash(secret)]).await?;
        let id: Uuid = row.ok_or(AccountError::NoLink)?.get(0);
        drop(client);
        let known = self
            .links_where(self.database.at_the_door(), "l.id = $1", id)
            .await?
            .pop();
        known
            .filter(|known| known.link.works)
            .ok_or(AccountError::NoLink)
    }

    async fn links_where(
        &self,
        database: Database,
        which: &str,
        value: Uuid,
    ) -> Result<Vec<KnownLink>, AccountError> {
        let sql = format!(
            "SELECT l.*, p.name AS by_name,
                 {WORKS} AND (l.most_uses IS NULL OR l.uses < l.most_uses) AS works,
                 (extract(epoch FROM l.created_at) * 1000)::bigint AS made,
                 (extract(epoch FROM l.expires_at) * 1000)::bigint AS expires
             FROM account.share_link l JOIN account.person p ON p.id = l.made_by
             WHERE {which} ORDER BY l.id DESC"
        );
        let client = database.client().await?;
        let rows = client.query(&sql, &[&value]).await?;
        let known: Result<Vec<KnownLink>, _> = rows.iter().map(known).collect();
        Ok(known?)
    }

    /// Counts one use of a link; of several at once no more succeed than it allows.
    ///
    /// # Errors
    /// [`AccountError::NoLink`] if it does not work any more.
    pub async fn use_link(&self, secret: &str) -> Result<(), AccountError> {
        let sql = format!(
            "UPDATE account.share_link l SET uses = uses + 1 FROM account.person p
             WHERE l.hash = $1 AND p.id = l.made_by AND {WORKS} AND (most_uses IS NULL OR uses < most_uses)"
        );
        let client = self.database.at_the_door().client().await?;
        match client.execute(&sql, &[&hash(secret)]).await? {
            0 => Err(AccountError::NoLink),
            _ => Ok(()),
        }
    }

    /// Lets somebody without an account in by a link: makes them, and a token for their browser.
    ///
    /// # Errors
    /// [`AccountError::NoLink`] if it does not work any more, [`AccountError::Name`].
    pub async fn visit(
        &self,
        secret_of_link: &str,
        name: &str,
    ) -> Result<(User, KnownLink, Token), AccountError> {
        let name = plausible_name(name)?;
        let known = self.link_of(secret_of_link).await?;
        self.use_link(secret_of_link).await?;
        // So that nobody takes them for the person of the team whose name they chose.
        let name = format!("{name} (visitor)");
        let (id, token) = (Uuid::now_v7(), secret());
        let link = Uuid::parse_str(&known.link.id).map_err(|_| AccountError::NoLink)?;
        let client = self.database.at_the_door().client().await?;
        let sql =
            "INSERT INTO account.visitor (id, link, team, name, hash) VALUES ($1, $2, $3, $4, $5)";
        client
            .execute(sql, &[&id, &link, &known.team.0, &name, &hash(&token)])
            .await?;
        Ok((visitor(id, known.team, name), known, Token(token)))
    }

    /// Who came by a link, by their browser's token; nobody once the link does not work any more. A link that is used up
    /// still works for who used it.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn visitor(&self, token: &str) -> Result<Option<(User, Visit)>, AccountError> {
        let sql = format!(
            "SELECT v.id, v.team, v.name, l.session, l.first_seq, l.last_seq
             FROM account.visitor v JOIN account.share_link l ON l.id = v.link
                 JOIN account.person p ON p.id = l.made_by
             WHERE v.hash = $1 AND NOT v.gone AND {WORKS}"
        );
        let client = self.database.at_the_door().client().await?;
        let statement = client.prepare_cached(&sql).await?;
        let row = client.query_opt(&statement, &[&hash(token)]).await?;
        Ok(row.map(|row| {
            let user = visitor(row.get("id"), TeamId(row.get("team")), row.get("name"));
            let (session, span) = (SessionId(row.get("session")), span(&row));
            (user, Visit { session, span })
        }))
    }

    /// The name of a visitor to a session.
    ///
    /// # Errors
    /// [`AccountError::NoPerson`] if there is no such visitor.
    pub async fn visitor_name(
        &self,
        team: TeamId,
        session: SessionId,
        who: UserId,
    ) -> Result<String, AccountError> {
        let sql = "SELECT v.name FROM account.visitor v JOIN account.share_link l ON l.id = v.link
                   WHERE v.id = $1 AND l.session = $2 AND NOT v.gone";
        let client = self.database.of(team).client().await?;
        let row = client.query_opt(sql, &[&who.0, &session.0]).await?;
        Ok(row.ok_or(AccountError::NoPerson)?.get(0))
    }

    /// A visitor leaves: their browser's token works no more.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn end_visit(&self, token: &str) -> Result<(), AccountError> {
        let sql = "UPDATE account.visitor SET hash = NULL WHERE hash = $1";
        let client = self.database.at_the_door().client().await?;
        client.execute(sql, &[&hash(token)]).await?;
        Ok(())
    }

    /// Takes a link back: it lets nobody in any more, and who came by it is shut out.
    ///
    /// # Errors
    /// [`AccountError::NoLink`] if the session has no such link.
    pub async fn revoke_link(
        &self,
        by: &User,
        session: SessionId,
        link: Uuid,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE account.share_link SET revoked_at = coalesce(revoked_at, now())
                   WHERE id = $1 AND session = $2";
        let client = self.database.of(by.team).client().await?;
        match client.execute(sql, &[&link, &session.0]).await? {
            0 => Err(AccountError::NoLink),
            _ => Ok(()),
        }
    }

    /// Visitors who may still be members of a session although their link does not work any more, or they left.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn strays(&self) -> Result<Vec<Stray>, AccountError> {
        let sql = format!(
            "SELECT v.id, l.session, l.made_by
             FROM account.visitor v JOIN account.share_link l ON l.id = v.link
                 JOIN account.person p ON p.id = l.made_by
             WHERE NOT v.gone AND (v.hash IS NULL OR NOT ({WORKS})) ORDER BY v.id LIMIT 500"
        );
        let client = self.database.at_the_door().client().await?;
        let rows = client.query(&sql, &[]).await?;
        let stray = |row: &Row| Stray {
            user: UserId(row.get("id")),
            session: SessionId(row.get("session")),
            by: UserId(row.get("made_by")),
        };
        Ok(rows.iter().map(stray).collect())
    }

    /// A visitor is no member any more.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn stray_is_gone(&self, user: UserId) -> Result<(), AccountError> {
        let sql = "UPDATE account.visitor SET gone = true, hash = NULL WHERE id = $1";
        let client = self.database.at_the_door().client().await?;
        client.execute(sql, &[&user.0]).await?;
        Ok(())
    }
}

fn check(wish: &MakeLink) -> Result<(), AccountError> {
    if !(1..=LONGEST).contains(&wish.hours) {
        return Err(AccountError::LinkHours);
    }
    if wish.uses == Some(0) {
        return Err(AccountError::LinkUses);
    }
    let readable =
        wish.note.chars().count() <= LONGEST_NOTE && !wish.note.chars().any(char::is_control);
    if !readable {
        return Err(AccountError::LinkNote);
    }
    let past = wish.span.is_some_and(|span| span.first > span.last);
    if wish.role == Role::Owner || past || (wish.span.is_some() && wish.role != Role::Viewer) {
        return Err(AccountError::LinkRole);
    }
    Ok(())
}

fn visitor(id: Uuid, team: TeamId, name: String) -> User {
    User {
        id: UserId(id),
        team,
        team_name: String::new(),
        role: TeamRole::Guest,
        name,
        email: String::new(),
    }
}

fn span(row: &Row) -> Option<Span> {
    let seq = |column| row.get::<_, Option<i64>>(column).map(|seq| Seq(count(seq)));
    let (first, last) = (seq("first_seq")?, seq("last_seq")?);
    Some(Span { first, last })
}

fn known(row: &Row) -> Result<KnownLink, crate::DatabaseError> {
    let uses = |uses: i32| u32::try_from(uses).unwrap_or_default();
    let id: Uuid = row.get("id");
    let link = ShareLink {
        id: id.as_simple().to_string(),
        role: value_of(row.get("role"))?,
        span: span(row),
        note: row.get("note"),
        by: row.get("by_name"),
        made_at: Time(row.get("made")),
        expires_at: Time(row.get("expires")),
        uses: uses(row.get("uses")),
        most_uses: row.get::<_, Option<i32>>("most_uses").map(uses),
        works: row.get("works"),
    };
    Ok(KnownLink {
        link,
        session: SessionId(row.get("session")),
        team: TeamId(row.get("team")),
        by: UserId(row.get("made_by")),
    })
}
