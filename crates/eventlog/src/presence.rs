//! Who is here, told from edge to edge: beside the log, because nobody needs it later.

use crate::{Log, ReadError};
use bytes::Bytes;
use duplex_domain::SessionId;
use futures_util::{Stream, StreamExt};

impl Log {
    /// Tells all edges something about who is at a session's page. It may be lost.
    ///
    /// # Errors
    /// When the connection is closed.
    pub async fn say_presence(&self, session: SessionId, said: Bytes) -> Result<(), ReadError> {
        let published = self.client.publish(subject(session), said).await;
        published.map_err(ReadError::unavailable)
    }

    /// What edges tell about who is at a session's page, this one's own words included.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn presence(
        &self,
        session: SessionId,
    ) -> Result<impl Stream<Item = Bytes> + Send + Unpin + use<>, ReadError> {
        let heard = self.client.subscribe(subject(session)).await;
        let heard = heard.map_err(ReadError::unavailable)?;
        Ok(heard.map(|message| message.payload))
    }
}

fn subject(session: SessionId) -> String {
    format!("presence.{session}")
}
