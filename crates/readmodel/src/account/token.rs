//! Programs' tokens: `dpx_`, 30 random letters and digits, and 6 that check them, so that one that leaks is recognised.

use super::secret::hash;
use super::{AccountError, Accounts, Grant, USER, User, changes, millis, moment};
use duplex_domain::Time;
use duplex_wire::{ApiToken, CreateToken, NewToken, Scope, TeamRole};
use rand::distr::{Alphanumeric, SampleString};
use tokio_postgres::Row;
use uuid::Uuid;

const PREFIX: &str = "dpx_";
/// How many random characters a token has: 178 bits.
const RANDOM: usize = 30;
/// In the order in which numbers are written.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// For how many days a token works: at most, and if nobody says.
const MOST_DAYS: u32 = 366;
const USUAL_DAYS: u32 = 30;
/// How many tokens a person may have.
const MOST: i64 = 100;

const TOUCH: &str = "
WITH touched AS (UPDATE account.api_token SET used_at = now() WHERE id = $1 RETURNING person)
UPDATE account.person p SET seen_at = now() FROM touched WHERE p.id = touched.person";

impl Accounts {
    /// A new token for the programs of whoever asks. It is told once; only its hash is kept. A token can make tokens that
    /// may do and last no more than itself.
    ///
    /// # Errors
    /// What is wrong with the name, the scopes or the days, or [`AccountError::TooMany`].
    pub async fn create_token(
        &self,
        by: &Grant,
        wanted: &CreateToken,
    ) -> Result<NewToken, AccountError> {
        let name = super::setup::plausible_name(&wanted.name)?;
        let scopes = scopes(by, &wanted.scopes)?;
        let days = days(by, wanted.days)?;
        let token = new_token();
        let mut client = self.database.of(by.user.team).client().await?;
        let tx = client.transaction().await?;
        let lock = "SELECT 1 FROM account.person WHERE id = $1 FOR NO KEY UPDATE";
        tx.execute(lock, &[&by.user.id.0]).await?;
        let count = "SELECT count(*) FROM account.api_token WHERE person = $1";
        let has: i64 = tx.query_one(count, &[&by.user.id.0]).await?.get(0);
        if has >= MOST {
            return Err(AccountError::TooMany("tokens"));
        }
        let sql = format!(
            "INSERT INTO account.api_token AS k (hash, person, name, scopes, expires_at)
             VALUES ($1, $2, $3, $4, least(now() + make_interval(days => $5),
                 to_timestamp($6::bigint / 1000.0)))
             RETURNING {}",
            columns()
        );
        let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
        let latest = by.expires_at.map(|time| time.0);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&hash(&token), &by.user.id.0, &name, &words, &days, &latest];
        let made = shown(&tx.query_one(&sql, &values).await?);
        tx.commit().await?;
        Ok(NewToken {
            secret: token,
            token: made,
        })
    }

    /// A person's tokens, the newest first.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn tokens(&self, user: &User) -> Result<Vec<ApiToken>, AccountError> {
        let sql = format!(
            "SELECT {} FROM account.api_token k WHERE k.person = $1 ORDER BY k.created_at DESC, k.id",
            columns()
        );
        let client = self.database.of(user.team).client().await?;
        let rows = client.query(&sql, &[&user.id.0]).await?;
        Ok(rows.iter().map(shown).collect())
    }

    /// Ends a token.
    ///
    /// # Errors
    /// [`AccountError::NoToken`] if it is not theirs, or has been ended already.
    pub async fn revoke_token(&self, user: &User, token: Uuid) -> Result<(), AccountError> {
        let mut client = self.database.of(user.team).client().await?;
        let tx = client.transaction().await?;
        let sql = "DELETE FROM account.api_token WHERE id = $1 AND person = $2";
        if tx.execute(sql, &[&token, &user.id.0]).await? == 0 {
            return Err(AccountError::NoToken);
        }
        changes::tell(&tx, user.id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What a program's token stands for. What cannot be a token is told from one without asking Postgres.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn who_bearer(&self, token: &str) -> Result<Option<Grant>, AccountError> {
        if !is_token(token) {
            return Ok(None);
        }
        let sql = format!(
            "SELECT {USER}, k.id AS grant_id, k.scopes, {} AS expires_at,
                 coalesce(k.used_at < now() - interval '1 minute', true) AS stale
             FROM account.api_token k JOIN account.person p ON p.id = k.person
             JOIN account.team t ON t.id = p.team
             WHERE k.hash = $1 AND NOT p.disabled AND coalesce(k.expires_at > now(), true)",
            millis("k.expires_at")
        );
        let client = self.database.at_the_door().client().await?;
        let statement = client.prepare_cached(&sql).await?;
        let Some(row) = client.query_opt(&statement, &[&hash(token)]).await? else {
            return Ok(None);
        };
        let id: Uuid = row.get("grant_id");
        if row.get("stale") {
            client.execute(TOUCH, &[&id]).await?;
        }
        Ok(Some(Grant {
            user: User::of(&row),
            id,
            scopes: Some(read_scopes(&row)),
            expires_at: moment(&row, "expires_at"),
        }))
    }
}

fn columns() -> String {
    let (created, expires) = (millis("k.created_at"), millis("k.expires_at"));
    let used = millis("k.used_at");
    format!(
        "k.id, k.name, k.scopes, {created} AS created_at, {expires} AS expires_at, {used} AS used_at"
    )
}

fn shown(row: &Row) -> ApiToken {
    ApiToken {
        id: row.get("id"),
        name: row.get("name"),
        scopes: read_scopes(row),
        created_at: Time(row.get("created_at")),
        expires_at: moment(row, "expires_at"),
        used_at: moment(row, "used_at"),
    }
}

fn read_scopes(row: &Row) -> Vec<Scope> {
    let words: Vec<&str> = row.get("scopes");
    words.into_iter().filter_map(Scope::of).collect()
}

/// Each scope once; none that the maker has not.
fn scopes(by: &Grant, wanted: &[Scope]) -> Result<Vec<Scope>, AccountError> {
    let has = |scope: &Scope| by.scopes.as_ref().is_none_or(|own| own.contains(scope));
    let mut all = Scope::ALL.to_vec();
    all.retain(|scope| wanted.contains(scope));
    if all.is_empty() || !all.iter().all(has) {
        return Err(AccountError::Scopes);
    }
    Ok(all)
}

/// How many days a token works; none for ever.
fn days(by: &Grant, wanted: Option<u32>) -> Result<Option<i32>, AccountError> {
    match wanted.unwrap_or(USUAL_DAYS) {
        0 if by.user.role == TeamRole::Owner => Ok(None),
        days if (1..=MOST_DAYS).contains(&days) => Ok(i32::try_from(days).ok()),
        _ => Err(AccountError::Days),
    }
}

fn new_token() -> String {
    let random = Alphanumeric.sample_string(&mut rand::rng(), RANDOM);
    let check = check(random.as_bytes());
    format!("{PREFIX}{random}{check}")
}

/// Whether a text has the form of a token, its last six characters right for those before.
fn is_token(text: &str) -> bool {
    let body = text.strip_prefix(PREFIX).filter(|body| body.is_ascii());
    let parts = body.and_then(|body| body.split_at_checked(RANDOM));
    parts.is_some_and(|(random, last)| {
        random.bytes().all(|byte| byte.is_ascii_alphanumeric()) && last == check(random.as_bytes())
    })
}

/// The CRC-32 of some bytes in six letters and digits.
fn check(bytes: &[u8]) -> String {
    let mut rest = crc32(bytes);
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest as usize % DIGITS.len()];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// CRC-32 as zip, PNG and GitHub's tokens have it; a bit at a time is fast enough for thirty bytes.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = (crc & 1).wrapping_neg();
            (crc >> 1) ^ (0xEDB8_8320 & carry)
        })
    };
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_usual_crc() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        // 0xCBF43926 = 3421780262 in base 62.
        assert_eq!(check(b"123456789"), "3jZRME");
        assert_eq!(check(b""), "000000");
    }

    #[test]
    fn a_token_is_told_from_what_looks_like_one() {
        let token = new_token();
        assert_eq!(token.len(), 40);
        assert!(is_token(&token), "{token}");
        let mut wrong = vec![
            String::new(),
            "dpx_".into(),
            "dpx_made_up".into(),
            token.replace("dpx_", "dpy_"),
            format!("{token}0"),
            format!(" {token}"),
            token[..39].to_owned(),
            format!("dpx_{}", "ä".repeat(18)),
        ];
        for at in 4..40 {
            let other = if &token[at..=at] == "a" { "b" } else { "a" };
            wrong.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
        }
        for wrong in wrong {
            assert!(!is_token(&wrong), "{wrong}");
        }
    }
}
