//! Wrong guesses at secrets are counted for each network, so that nobody tries one account after the other.

use super::{AccountError, Accounts};

/// A guess that is counted as wrong until it is forgotten.
#[derive(Debug)]
#[must_use = "a guess that was right is to be forgotten"]
pub struct Try(i64);

const PRUNE: &str = "DELETE FROM account.wrong_try WHERE at < now() - interval '1 day'";

/// How many guesses there were today, and in how many seconds the first of them is forgotten.
const TODAY: &str = "
SELECT count(*), greatest(1, ceil(extract(epoch FROM min(at) + interval '1 day' - now())))::bigint
FROM account.wrong_try WHERE network = $1 AND at >= now() - interval '1 day'";

impl Accounts {
    /// Counts a guess of a network's before it is looked at.
    ///
    /// # Errors
    /// [`AccountError::TooManyGuesses`] once there were `allowed` within a day.
    pub async fn count_try(&self, network: &str, allowed: u32) -> Result<Try, AccountError> {
        let mut client = self.database.at_the_door().client().await?;
        client.execute(PRUNE, &[]).await?;
        let tx = client.transaction().await?;
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))";
        tx.execute(lock, &[&network]).await?;
        let today = tx.query_one(TODAY, &[&network]).await?;
        if today.get::<_, i64>(0) >= i64::from(allowed) {
            let seconds: i64 = today.get::<_, Option<i64>>(1).unwrap_or(1);
            let minutes = u32::try_from((seconds + 59) / 60).unwrap_or(24 * 60);
            return Err(AccountError::TooManyGuesses { minutes });
        }
        let sql = "INSERT INTO account.wrong_try (network) VALUES ($1) RETURNING id";
        let counted = tx.query_one(sql, &[&network]).await?.get(0);
        tx.commit().await?;
        Ok(Try(counted))
    }

    /// Forgets a guess: it was right, or none.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn forget_try(&self, counted: Try) -> Result<(), AccountError> {
        let sql = "DELETE FROM account.wrong_try WHERE id = $1";
        let client = self.database.at_the_door().client().await?;
        client.execute(sql, &[&counted.0]).await?;
        Ok(())
    }
}
