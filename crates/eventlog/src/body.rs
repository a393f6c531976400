//! Bytes too many for an event: kept beside the log under their hash, each session's apart.

use crate::Log;
use crate::read::header;
use async_nats::Message;
use async_nats::jetstream::object_store::{self, InfoErrorKind, ObjectInfo, ObjectStore};
use bytes::Bytes;
use duplex_domain::{Body, Seq, SessionId};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The bucket's name.
const BUCKET: &str = "BODIES";
/// The largest body, in bytes.
pub const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// A body cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The server does not answer, or its disk is full.
    #[error("the log's object store cannot be used: {0}")]
    Unavailable(String),
    /// Over [`LARGEST_BODY`].
    #[error("{0} bytes are too many to be kept; 32 MiB is the most")]
    TooLarge(usize),
    /// What came back is not what was kept.
    #[error("the body {0} is damaged")]
    Damaged(String),
}

impl BodyError {
    fn unavailable(error: impl std::fmt::Display) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl Log {
    /// Keeps bytes for a session and gives what an event says of them. The same bytes are kept once.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn put_body(
        &self,
        session: SessionId,
        bytes: Bytes,
        media_type: &str,
    ) -> Result<Body, BodyError> {
        if bytes.len() > LARGEST_BODY {
            return Err(BodyError::TooLarge(bytes.len()));
        }
        let hash = hash_of(&bytes);
        let (name, store) = (name(session, &hash), self.bodies().await?);
        if !is_kept(&store, &name).await? {
            let put = store.put(name.as_str(), &mut bytes.as_ref()).await;
            put.map_err(BodyError::unavailable)?;
        }
        Ok(Body {
            hash,
            size: bytes.len() as u64,
            media_type: media_type.to_owned(),
        })
    }

    /// A session's body; none if it has none of this hash.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn body(&self, session: SessionId, hash: &str) -> Result<Option<Bytes>, BodyError> {
        let hexadecimal = hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !hexadecimal {
            return Ok(None);
        }
        let store = self.bodies().await?;
        let info = match store.info(name(session, hash)).await {
            Ok(info) if info.deleted => return Ok(None),
            Ok(info) => info,
            Err(error) if error.kind() == InfoErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BodyError::unavailable(error)),
        };
        let mut bytes = Vec::with_capacity(info.size.min(LARGEST_BODY));
        for chunk in self.chunks(&info).await? {
            bytes.extend_from_slice(&chunk.payload);
        }
        if hash_of(&bytes) != hash {
            return Err(BodyError::Damaged(hash.to_owned()));
        }
        Ok(Some(bytes.into()))
    }

    /// The messages that an object lies in. Read as they are stored, since no process may make the consumer with which
    /// the client would have them delivered.
    async fn chunks(&self, info: &ObjectInfo) -> Result<Vec<Message>, BodyError> {
        let (stream, subject) = (
            format!("OBJ_{BUCKET}"),
            format!("$O.{BUCKET}.C.{}", info.nuid),
        );
        let (mut chunks, mut after) = (Vec::with_capacity(info.chunks), Seq(0));
        while chunks.len() < info.chunks {
            let read = self.messages(&stream, &subject, after).await;
            let read = read.map_err(BodyError::unavailable)?;
            let last = read
                .last()
                .and_then(|last| header(last.headers.as_ref(), "Nats-Sequence"));
            let Some(last) = last else { break };
            after = Seq(last);
            chunks.extend(read);
        }
        Ok(chunks)
    }

    pub(crate) async fn bodies(&self) -> Result<ObjectStore, BodyError> {
        if let Ok(store) = self.jetstream.get_object_store(BUCKET).await {
            return Ok(store);
        }
        let config = object_store::Config {
            bucket: BUCKET.to_owned(),
            description: Some("Bytes too many for an event, by session and hash".to_owned()),
            ..object_store::Config::default()
        };
        let made = self.jetstream.create_object_store(config).await;
        made.map_err(BodyError::unavailable)
    }
}

async fn is_kept(store: &ObjectStore, name: &str) -> Result<bool, BodyError> {
    match store.info(name).await {
        Ok(info) => Ok(!info.deleted),
        Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(false),
        Err(error) => Err(BodyError::unavailable(error)),
    }
}

fn name(session: SessionId, hash: &str) -> String {
    format!("{session}/{hash}")
}

fn hash_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
