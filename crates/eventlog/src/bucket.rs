//! Reading a key-value bucket without a JetStream consumer: no process may make one, for a consumer delivers wherever
//! it is told to.

use crate::read::header;
use crate::{Log, ReadError};
use async_nats::{Message, Subscriber};
use bytes::Bytes;
use duplex_domain::Seq;
use futures_util::{Stream, StreamExt, stream};
use std::collections::VecDeque;
use std::time::Duration;

/// How long to sleep without a wake-up.
const PROBE: Duration = Duration::from_secs(5);
/// How long to wait before a server that does not answer is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a value takes to be stored, and how often that is waited for.
const STORED: Duration = Duration::from_millis(10);
const LOOKS: u8 = 50;

/// A value of a bucket as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub key: String,
    pub seq: Seq,
    /// None if the key was deleted.
    pub bytes: Option<Bytes>,
}

impl Value {
    fn of(bucket: &str, message: &Message) -> Option<Self> {
        let headers = message.headers.as_ref();
        let subject = headers?.get("Nats-Subject")?.as_str();
        let key = subject.strip_prefix(&format!("$KV.{bucket}."))?.to_owned();
        let seq = Seq(header(headers, "Nats-Sequence")?);
        let deleted = headers?.get("KV-Operation").is_some();
        let bytes = (!deleted).then(|| message.payload.clone());
        Some(Self { key, seq, bytes })
    }
}

impl Log {
    /// The values of all keys under `keys` (such as `>`), stored after `after`, oldest first, deleted ones too.
    pub(crate) async fn values(
        &self,
        bucket: &str,
        keys: &str,
        after: Seq,
    ) -> Result<Vec<Value>, ReadError> {
        let (stream, subjects) = (format!("KV_{bucket}"), format!("$KV.{bucket}.{keys}"));
        let (mut values, mut after) = (Vec::new(), after);
        loop {
            let messages = self.messages(&stream, &subjects, after).await?;
            let read = messages
                .iter()
                .filter_map(|message| Value::of(bucket, message));
            values.extend(read);
            let last = messages.last();
            let last = last.and_then(|last| header(last.headers.as_ref(), "Nats-Sequence"));
            match last {
                Some(last) => after = Seq(last),
                None => return Ok(values),
            }
        }
    }

    /// The values of a bucket as they are, then as they change; a server that is away is waited for.
    pub(crate) async fn changes(
        &self,
        bucket: &'static str,
        keys: &str,
    ) -> Result<impl Stream<Item = Value> + Send + use<>, ReadError> {
        let subscribed = self.client.subscribe(format!("$KV.{bucket}.{keys}")).await;
        let wake = subscribed.map_err(ReadError::unavailable)?;
        self.client.flush().await.map_err(ReadError::unavailable)?;
        let changes = Changes {
            log: self.clone(),
            bucket,
            keys: keys.to_owned(),
            wake,
            cursor: Seq(0),
            expected: 0,
            ready: VecDeque::new(),
        };
        Ok(stream::unfold(changes, |mut changes| async move {
            let value = changes.next().await;
            Some((value, changes))
        }))
    }
}

/// A bucket being followed. The subscription is a wake-up alone: values are read from what is stored.
struct Changes {
    log: Log,
    bucket: &'static str,
    keys: String,
    wake: Subscriber,
    cursor: Seq,
    /// How often more to look for a value that was seen on its way to the bucket, and may be faster than the bucket.
    expected: u8,
    ready: VecDeque<Value>,
}

impl Changes {
    async fn next(&mut self) -> Value {
        loop {
            if let Some(value) = self.ready.pop_front() {
                self.cursor = value.seq;
                return value;
            }
            match self.log.values(self.bucket, &self.keys, self.cursor).await {
                Ok(values) if values.is_empty() => self.sleep().await,
                Ok(values) => (self.ready, self.expected) = (values.into(), 0),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn sleep(&mut self) {
        if let Some(looks) = self.expected.checked_sub(1) {
            self.expected = looks;
            return tokio::time::sleep(STORED).await;
        }
        let mut connections = self.log.connections.clone();
        connections.mark_unchanged();
        tokio::select! {
            woken = self.wake.next() => match woken {
                Some(_) => self.expected = LOOKS,
                None => tokio::time::sleep(PAUSE).await,
            },
            _ = connections.changed() => {}
            () = tokio::time::sleep(PROBE) => {}
        }
    }
}
