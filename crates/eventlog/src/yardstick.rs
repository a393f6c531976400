//! A bare JetStream publisher and subscriber, to hold Duplex's own figures against: same server, same stream settings.

use crate::{ConnectError, Log, Options, connect};
use async_nats::jetstream::{context::PublishErrorKind, stream};
use async_nats::{HeaderMap, Subscriber};
use bytes::Bytes;
use duplex_domain::Shard;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryStreamExt};
use std::future::IntoFuture;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many messages of one stream are on their way at once when publishing flat out: more gains nothing.
const IN_FLIGHT: usize = 32;
/// How long the last message may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);
/// A message begins with its time.
const STAMP: usize = 8;

/// The comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum YardstickError {
    /// The server cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A stream could not be made, followed or removed.
    #[error("the streams to compare with cannot be used: {0}")]
    Stream(String),
    /// A message was not acknowledged.
    #[error("the server did not take a message to compare with: {0}")]
    Publish(#[from] async_nats::error::Error<PublishErrorKind>),
    /// Some messages never came.
    #[error("only {got} of {sent} messages to compare with arrived; is the server overloaded?")]
    Lost {
        /// How many were acknowledged.
        sent: u64,
        /// How many the subscriber saw.
        got: usize,
    },
}

/// What a paced run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many publish side by side, spread over the streams; each has a subject of its own.
    pub writers: u32,
    /// Messages a second of each.
    pub rate: u32,
    /// For how long, in seconds.
    pub seconds: u32,
    /// Bytes a message; at least 8.
    pub bytes: usize,
}

impl Load {
    /// How many messages that is.
    #[must_use]
    pub fn messages(self) -> u64 {
        u64::from(self.writers) * u64::from(self.each())
    }

    fn each(self) -> u32 {
        self.rate * self.seconds
    }
}

/// A publisher, a subscriber on another connection, and streams of their own.
pub struct Yardstick {
    publisher: Log,
    subscriber: Log,
}

impl Yardstick {
    /// Connects twice, and makes as many streams as the log has, set up the same.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn set_up(options: &Options) -> Result<Self, YardstickError> {
        let publisher = Log::connect(options).await?;
        let subscriber = Log::connect(options).await?;
        for shard in Shard::all() {
            let made = publisher.jetstream.create_stream(config(shard)).await;
            made.map_err(|error| YardstickError::Stream(error.to_string()))?;
        }
        Ok(Self {
            publisher,
            subscriber,
        })
    }

    /// Publishes at a steady pace, every acknowledgement awaited but none waited for; gives the time from each publish
    /// to the arrival of the republished copy.
    ///
    /// # Errors
    /// When a message is refused or does not arrive.
    pub async fn paced(&self, load: Load) -> Result<Vec<Duration>, YardstickError> {
        let arrivals = self.subscribe("paced").await?;
        let begin = Instant::now();
        let receiving = tokio::spawn(receive(arrivals, load, begin));
        let mut writers = JoinSet::new();
        for writer in 0..load.writers {
            writers.spawn(write(self.publisher.clone(), writer, load, begin));
        }
        while let Some(written) = writers.join_next().await {
            written.map_err(|error| YardstickError::Stream(error.to_string()))??;
        }
        let received = receiving.await;
        received.map_err(|error| YardstickError::Stream(error.to_string()))?
    }

    /// Publishes as fast as the server takes it, pipelined over all streams; gives acknowledged messages a second.
    ///
    /// # Errors
    /// When a message is refused.
    pub async fn flat_out(&self, bytes: usize, span: Duration) -> Result<f64, YardstickError> {
        let begin = Instant::now();
        let until = begin + span;
        let floods = Shard::all().map(|shard| flood(&self.publisher, shard, bytes, until));
        let floods: FuturesUnordered<_> = floods.collect();
        let counts: Vec<u32> = floods.try_collect().await?;
        Ok(counts.into_iter().map(f64::from).sum::<f64>() / begin.elapsed().as_secs_f64())
    }

    /// Appends guarded messages one after the other; gives how long each acknowledgement took.
    ///
    /// # Errors
    /// When a message is refused.
    pub async fn one_by_one(
        &self,
        bytes: usize,
        count: usize,
    ) -> Result<Vec<Duration>, YardstickError> {
        let mut took = Vec::with_capacity(count);
        let mut guard = 0;
        // A subject of its own, so that nothing has been appended to it.
        let run = uuid::Uuid::now_v7().simple().to_string();
        let subject = format!("yardstick.0.single.{run}");
        for number in 0..count {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", format!("{run}:{number}").as_str());
            let expected = guard.to_string();
            headers.insert("Nats-Expected-Last-Subject-Sequence", expected.as_str());
            let begin = Instant::now();
            let context = &self.publisher.jetstream;
            let payload = Bytes::from(vec![b' '; bytes]);
            let sent = context.publish_with_headers(subject.clone(), headers, payload);
            guard = sent.await?.await?.sequence;
            took.push(begin.elapsed());
        }
        Ok(took)
    }

    /// Removes the streams.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn tear_down(self) -> Result<(), YardstickError> {
        for shard in Shard::all() {
            let removed = self.publisher.jetstream.delete_stream(name(shard)).await;
            removed.map_err(|error| YardstickError::Stream(error.to_string()))?;
        }
        Ok(())
    }

    async fn subscribe(&self, what: &str) -> Result<Subscriber, YardstickError> {
        let subject = format!("live.yardstick.*.{what}.>");
        let client = &self.subscriber.client;
        let arrivals = client.subscribe(subject).await;
        let arrivals = arrivals.map_err(|error| YardstickError::Stream(error.to_string()))?;
        // The subscription is at the server only once the connection is flushed.
        let flushed = client.flush().await;
        flushed.map_err(|error| YardstickError::Stream(error.to_string()))?;
        Ok(arrivals)
    }
}

fn name(shard: Shard) -> String {
    format!("YARDSTICK_{shard}")
}

/// The log's own settings under other names.
fn config(shard: Shard) -> stream::Config {
    let subjects = format!("yardstick.{shard}.>");
    stream::Config {
        name: name(shard),
        description: Some("Duplex: messages to measure with; may be removed".to_owned()),
        republish: Some(stream::Republish {
            source: subjects.clone(),
            destination: format!("live.{subjects}"),
            headers_only: false,
        }),
        subjects: vec![subjects],
        ..connect::config(shard)
    }
}

/// One writer of a paced run. Writers begin spread over one interval, as sessions do.
async fn write(log: Log, writer: u32, load: Load, begin: Instant) -> Result<(), YardstickError> {
    let streams = u32::try_from(Shard::all().count()).unwrap_or(1);
    let subject = format!("yardstick.{}.paced.{writer}", writer % streams);
    let interval = Duration::from_secs(1) / load.rate.max(1);
    let offset = interval * writer / load.writers.max(1);
    let mut acks = JoinSet::new();
    for number in 0..load.each() {
        tokio::time::sleep_until(begin + offset + interval * number).await;
        let payload = stamped(begin, load.bytes);
        let ack = log.jetstream.publish(subject.clone(), payload).await?;
        acks.spawn(ack.into_future());
        while let Some(Ok(ack)) = acks.try_join_next() {
            ack?;
        }
    }
    while let Some(Ok(ack)) = acks.join_next().await {
        ack?;
    }
    Ok(())
}

async fn receive(
    mut arrivals: Subscriber,
    load: Load,
    begin: Instant,
) -> Result<Vec<Duration>, YardstickError> {
    let span = Duration::from_secs(load.seconds.into());
    let sent = load.messages();
    let mut took = Vec::new();
    while (took.len() as u64) < sent {
        let deadline = begin + span + PATIENCE;
        let Ok(Some(message)) = tokio::time::timeout_at(deadline, arrivals.next()).await else {
            let got = took.len();
            return Err(YardstickError::Lost { sent, got });
        };
        let now = begin.elapsed();
        took.extend(stamp(&message.payload).map(|stamp| now.saturating_sub(stamp)));
    }
    Ok(took)
}

async fn flood(
    log: &Log,
    shard: Shard,
    bytes: usize,
    until: Instant,
) -> Result<u32, YardstickError> {
    let subject = format!("yardstick.{shard}.flood");
    let payload = Bytes::from(vec![b' '; bytes]);
    let mut waiting = FuturesUnordered::new();
    let mut acknowledged = 0;
    while Instant::now() < until {
        let ack = log
            .jetstream
            .publish(subject.clone(), payload.clone())
            .await?;
        waiting.push(ack.into_future());
        if waiting.len() >= IN_FLIGHT
            && let Some(ack) = waiting.next().await
        {
            ack?;
            acknowledged += 1;
        }
    }
    while let Some(ack) = waiting.next().await {
        ack?;
        acknowledged += 1;
    }
    Ok(acknowledged)
}

/// A message that begins with the nanoseconds since `begin`.
fn stamped(begin: Instant, bytes: usize) -> Bytes {
    let mut payload = vec![b' '; bytes.max(STAMP)];
    let now = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    payload[..STAMP].copy_from_slice(&now.to_be_bytes());
    payload.into()
}

fn stamp(payload: &[u8]) -> Option<Duration> {
    let (stamp, _) = payload.split_first_chunk::<STAMP>()?;
    Some(Duration::from_nanos(u64::from_be_bytes(*stamp)))
}
