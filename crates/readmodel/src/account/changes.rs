//! Word of people whose rights changed, from whichever process changed them.

use super::{AccountError, Accounts};
use deadpool_postgres::Transaction;
use duplex_domain::UserId;
use futures_util::stream::{StreamExt, poll_fn};
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::{AsyncMessage, NoTls};
use tracing::{info, warn};

/// Postgres' channel for it; a message is the person's id.
const CHANNEL: &str = "duplex_accounts";
/// How long to wait before listening again once the connection broke.
const PAUSE: Duration = Duration::from_millis(500);

/// Whose rights may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// This person's: role, being shut out, browsers, tokens.
    Of(UserId),
    /// Anybody's: word may have been missed.
    Anybody,
}

/// Tells everybody who listens, once the transaction is in.
pub(super) async fn tell(tx: &Transaction<'_>, person: UserId) -> Result<(), AccountError> {
    let sql = "SELECT pg_notify($1, $2)";
    tx.execute(sql, &[&CHANNEL, &person.0.simple().to_string()])
        .await?;
    Ok(())
}

impl Accounts {
    /// Listens, without end, on a connection of its own. After every time it could not, anybody's rights may have
    /// changed.
    pub async fn follow_changes(&self, mut told: impl FnMut(AccountChange)) {
        let mut heard = true;
        loop {
            let Err(error) = self.listen(&mut told, &mut heard).await else {
                continue;
            };
            if heard {
                warn!("changes of accounts are not heard at once for now: {error}");
            }
            heard = false;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn listen(
        &self,
        told: &mut impl FnMut(AccountChange),
        heard: &mut bool,
    ) -> Result<(), tokio_postgres::Error> {
        let (client, mut connection) = self.database.config().connect(NoTls).await?;
        let mut messages = pin!(poll_fn(move |cx| connection.poll_message(cx)));
        let listen = format!("LISTEN {CHANNEL}");
        let mut listening = pin!(client.batch_execute(&listen));
        let mut begun = false;
        loop {
            let message = tokio::select! {
                listened = &mut listening, if !begun => {
                    listened?;
                    begun = true;
                    told(AccountChange::Anybody);
                    if !*heard {
                        info!("changes of accounts are heard at once again");
                    }
                    *heard = true;
                    continue;
                }
                message = messages.next() => message,
            };
            match message {
                Some(Ok(AsyncMessage::Notification(note))) => told(change(note.payload())),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    }
}

fn change(payload: &str) -> AccountChange {
    payload
        .parse()
        .map_or(AccountChange::Anybody, AccountChange::Of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_names_nobody_is_about_anybody() {
        assert_eq!(change("ada"), AccountChange::Anybody);
        let ada = UserId(uuid::Uuid::from_u128(7));
        assert_eq!(change(&ada.to_string()), AccountChange::Of(ada));
    }
}
