//! Pictures that tools show the model: kept beside the log, and put into a request just before it is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use duplex_domain::{Body, SessionId};
use duplex_eventlog::{BodyError, Log};
use duplex_provider::Message;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A session's pictures. Those that a turn sends again and again are read once.
pub struct Pictures {
    log: Log,
    session: SessionId,
    read: HashMap<String, String>,
}

impl Pictures {
    /// The pictures of a session.
    #[must_use]
    pub fn of(log: Log, session: SessionId) -> Self {
        Self {
            log,
            session,
            read: HashMap::new(),
        }
    }

    /// Keeps a picture.
    ///
    /// # Errors
    /// When the log does not take it.
    pub async fn keep(&self, bytes: Bytes, media_type: &str) -> Result<Body, BodyError> {
        self.log.put_body(self.session, bytes, media_type).await
    }

    /// Puts the bytes in where the history names pictures by their hash. One that is gone becomes a word.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn fill(&mut self, messages: &mut [Message]) -> Result<(), BodyError> {
        for block in places(messages) {
            let hash = block["source"]["hash"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if !self.read.contains_key(&hash) {
                let Some(bytes) = self.log.body(self.session, &hash).await? else {
                    *block = gone();
                    continue;
                };
                self.read.insert(hash.clone(), STANDARD.encode(&bytes));
            }
            block["source"] = json!({
                "type": "base64",
                "media_type": block["source"]["media_type"],
                "data": self.read.get(&hash),
            });
        }
        Ok(())
    }
}

/// Leaves the pictures out, where only words are wanted.
pub fn leave_out(messages: &mut [Message]) {
    for block in places(messages) {
        *block = gone();
    }
}

fn gone() -> Value {
    json!({ "type": "text", "text": "[a picture]" })
}

/// Every picture in the results of tools.
fn places(messages: &mut [Message]) -> impl Iterator<Item = &mut Value> {
    let blocks = messages.iter_mut().flat_map(|message| &mut message.content);
    let results = blocks.filter_map(|block| block.get_mut("content")?.as_array_mut());
    results
        .flatten()
        .filter(|block| block["source"]["type"] == "body")
}
