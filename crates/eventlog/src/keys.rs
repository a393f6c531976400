//! Keys on their way from edge to runner: beside the log, because a key must never arrive late.

use crate::Log;
use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Subscriber};
use bytes::Bytes;
use duplex_domain::{Refusal, Seq, SessionId, TerminalId, UserId};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a key may take; a later one would be a surprise.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keys that somebody pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// In which session.
    pub session: SessionId,
    /// For which terminal.
    pub terminal: TerminalId,
    /// Who.
    pub user: UserId,
    /// The newest fact they were allowed by: who decides about them has seen at least that.
    pub after: Seq,
    /// Their bytes.
    pub bytes: Bytes,
}

/// The keys did not reach the terminal, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The runner says no.
    #[error("{message}")]
    Refused {
        /// A word for programs.
        code: String,
        /// A sentence for people.
        message: String,
    },
    /// Nobody runs this terminal now.
    #[error("no runner holds this terminal at the moment; the keys were not typed")]
    NoRunner,
    /// No answer came. The keys may have arrived; they are not sent again.
    #[error("the runner did not answer; the keys may not have been typed")]
    Unanswered,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    code: String,
    message: String,
}

impl Log {
    /// Sends keys to the runner and waits for its word. They are sent at most once.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub async fn send_keys(&self, press: KeyPress) -> Result<(), KeysError> {
        let mut headers = HeaderMap::new();
        headers.insert("User", press.user.to_string().as_str());
        headers.insert("Terminal", press.terminal.to_string().as_str());
        headers.insert("After", press.after.0.to_string().as_str());
        let request = async_nats::Request::new()
            .headers(headers)
            .payload(press.bytes)
            .timeout(Some(PATIENCE));
        let answer = self
            .client
            .send_request(subject(press.session), request)
            .await;
        match answer {
            Ok(answer) if answer.payload.is_empty() => Ok(()),
            Ok(answer) => Err(refused(&answer.payload)),
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                Err(KeysError::NoRunner)
            }
            Err(_) => Err(KeysError::Unanswered),
        }
    }

    /// The keys pressed for a session; for the runner that holds it.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn keys(&self, session: SessionId) -> Result<Keys, crate::ReadError> {
        let subscribed = self.client.subscribe(subject(session)).await;
        let pressed = subscribed.map_err(crate::ReadError::unavailable)?;
        Ok(Keys {
            client: self.client.clone(),
            session,
            pressed,
        })
    }
}

fn subject(session: SessionId) -> String {
    format!("keys.{session}")
}

fn refused(payload: &[u8]) -> KeysError {
    match serde_json::from_slice::<Answer>(payload) {
        Ok(Answer { code, message }) => KeysError::Refused { code, message },
        Err(_) => KeysError::Unanswered,
    }
}

/// Keys as they come in at the runner.
pub struct Keys {
    client: async_nats::Client,
    session: SessionId,
    pressed: Subscriber,
}

/// Keys that wait for the runner's word.
pub struct PressedKey {
    /// The keys.
    pub press: KeyPress,
    client: async_nats::Client,
    reply: async_nats::Subject,
}

impl Keys {
    /// The next keys; none once the connection is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<PressedKey> {
        loop {
            let message = self.pressed.next().await?;
            let header = |name| Some(message.headers.as_ref()?.get(name)?.as_str());
            let user = header("User").and_then(|user| user.parse().ok());
            let terminal = header("Terminal").and_then(|terminal| terminal.parse().ok());
            let after = header("After").and_then(|after| after.parse().ok());
            let (Some(user), Some(terminal), Some(reply)) = (user, terminal, message.reply) else {
                continue;
            };
            let press = KeyPress {
                session: self.session,
                terminal,
                user,
                after: Seq(after.unwrap_or_default()),
                bytes: message.payload,
            };
            let client = self.client.clone();
            return Some(PressedKey {
                press,
                client,
                reply,
            });
        }
    }
}

impl PressedKey {
    /// They reached the terminal.
    pub async fn typed(self) {
        // An answer that is lost shows at the edge as unanswered.
        let _ = self.client.publish(self.reply, Bytes::new()).await;
    }

    /// They were not typed, and why.
    pub async fn refused(self, refusal: Refusal) {
        let answer = Answer {
            code: refusal.code().to_owned(),
            message: refusal.to_string(),
        };
        let payload = serde_json::to_vec(&answer).unwrap_or_default();
        let _ = self.client.publish(self.reply, payload.into()).await;
    }
}
