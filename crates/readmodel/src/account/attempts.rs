//! Wrong passwords are counted for each address, known or not, so that guessing is slow.

use super::AccountError;
use super::secret::hash;
use deadpool_postgres::Client;

/// How many attempts an address has within 15 minutes.
const ALLOWED: i64 = 10;

const PRUNE: &str = "DELETE FROM account.login_attempt WHERE at < now() - interval '15 minutes'";

/// How many attempts there were, and in how many seconds the first of them is forgotten.
const RECENT: &str = "
SELECT count(*), greatest(1, ceil(extract(epoch FROM min(at) + interval '15 minutes' - now())))::bigint
FROM account.login_attempt WHERE key = $1 AND at >= now() - interval '15 minutes'";

/// Counts an attempt before its password is checked, so that guesses made at once are counted too.
pub(super) async fn begin(client: &mut Client, email: &str) -> Result<(), AccountError> {
    let key = hash(email);
    client.execute(PRUNE, &[]).await?;
    let tx = client.transaction().await?;
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))";
    tx.execute(lock, &[&key]).await?;
    let recent = tx.query_one(RECENT, &[&key]).await?;
    if recent.get::<_, i64>(0) >= ALLOWED {
        let seconds: i64 = recent.get::<_, Option<i64>>(1).unwrap_or(1);
        let minutes = u32::try_from((seconds + 59) / 60).unwrap_or(15);
        return Err(AccountError::TooManyAttempts { minutes });
    }
    let sql = "INSERT INTO account.login_attempt (key) VALUES ($1)";
    tx.execute(sql, &[&key]).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets an address's attempts: the right password came.
pub(super) async fn succeeded(client: &Client, email: &str) -> Result<(), AccountError> {
    let sql = "DELETE FROM account.login_attempt WHERE key = $1";
    client.execute(sql, &[&hash(email)]).await?;
    Ok(())
}
