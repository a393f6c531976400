//! Showing one session on one socket.

use super::flow::Flow;
use super::outbox::{Gone, Outbox};
use super::presence::{PageId, Seat};
use crate::app::App;
use bytes::Bytes;
use duplex_domain::{Seq, SessionId, UserId};
use duplex_live::{Shown, Start, Update, Watch, WatchError};
use duplex_wire::{Down, Present, Screenful};
use metrics::counter;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How large a message of events grows, about.
const BATCH: usize = 64 * 1024;
/// The longest wait before a session that cannot be read is asked for again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A session on its way to a page.
pub(super) struct Show {
    pub app: App,
    pub session: SessionId,
    pub user: UserId,
    /// What this page is called among those who are at the session.
    pub page: PageId,
    pub out: Outbox,
    /// The newest frame sent.
    pub sent: Arc<AtomicU64>,
    /// What the page has drawn.
    pub flow: Arc<Flow>,
}

/// Why showing stopped.
enum Stop {
    /// The page is gone.
    Gone,
    /// The page fell behind; it gets a new snapshot.
    Lagged,
    /// The person may not see the session.
    Removed,
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Show {
    /// Shows the session until the page goes, or the person may not see it any more.
    pub async fn run(self, after: Option<Seq>) {
        let mut after = after;
        // Kept over a new start: somebody who fell behind has not left.
        let mut seat = None;
        let mut pause = Duration::from_millis(200);
        loop {
            match self
                .app
                .live
                .watch(self.session, self.user, after.take())
                .await
            {
                Ok(watch) => {
                    pause = Duration::from_millis(200);
                    match self.show(watch, &mut seat).await {
                        Stop::Gone => return,
                        Stop::Removed => return self.refuse().await,
                        Stop::Lagged => counter!("duplex_edge_resynchronised_total").increment(1),
                    }
                }
                Err(WatchError::NotFound) => return self.refuse().await,
                Err(WatchError::Unavailable) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// To a stranger the session does not exist.
    async fn refuse(&self) {
        let message = WatchError::NotFound.to_string();
        // A page that is gone needs no word.
        let _ = self
            .out
            .refuse(String::new(), "not_found", &message, Some(self.session))
            .await;
    }

    async fn show(&self, mut watch: Watch, seat: &mut Option<Seat>) -> Stop {
        // Output was left out, so a snapshot must follow.
        let mut behind = false;
        if let Err(gone) = self.begin(&watch, &mut behind).await {
            return gone.into();
        }
        let join = || self.app.presence.join(self.session, self.page, self.user);
        let seat = seat.get_or_insert_with(join);
        loop {
            let update = tokio::select! {
                update = watch.next() => update,
                () = self.flow.caught_up(), if behind => return Stop::Lagged,
                people = seat.people() => {
                    if let Err(gone) = self.present(people).await {
                        return gone.into();
                    }
                    continue;
                }
            };
            if let Err(stop) = self.take(update, &mut watch, &mut behind).await {
                return stop;
            }
        }
    }

    async fn begin(&self, watch: &Watch, behind: &mut bool) -> Result<(), Gone> {
        match &watch.start {
            Start::Snapshot(snapshot) => {
                self.out.json(snapshot.json.clone()).await?;
                for screen in &snapshot.screens {
                    self.flow.sends(screen.len() - Screenful::HEAD);
                    self.out.binary(screen.clone()).await?;
                }
            }
            Start::Missed(missed) => {
                let mut batch = Batch::default();
                for shown in missed {
                    self.add(&mut batch, shown, behind).await?;
                }
                self.flush(&mut batch).await?;
            }
        }
        self.synced(watch.seq).await
    }

    async fn present(&self, people: Vec<Present>) -> Result<(), Gone> {
        let session = self.session;
        self.out.say(&Down::Presence { session, people }).await
    }

    async fn synced(&self, seq: Seq) -> Result<(), Gone> {
        self.sent.fetch_max(seq.0, Ordering::Relaxed);
        self.out
            .say(&Down::Synced {
                session: self.session,
                seq,
            })
            .await
    }

    /// Sends an update with all that is ready behind it.
    async fn take(&self, first: Update, watch: &mut Watch, behind: &mut bool) -> Result<(), Stop> {
        let mut batch = Batch::default();
        let mut next = Some(first);
        while let Some(update) = next {
            match update {
                Update::Frame(shown) => self.add(&mut batch, &shown, behind).await?,
                Update::Synced(seq) => {
                    self.flush(&mut batch).await?;
                    self.synced(seq).await?;
                }
                Update::Removed => {
                    self.flush(&mut batch).await?;
                    return Err(Stop::Removed);
                }
                // What is in the batch is in the snapshot too.
                Update::Lagged => return Err(Stop::Lagged),
            }
            next = watch.ready();
        }
        Ok(self.flush(&mut batch).await?)
    }

    /// Takes a frame into the batch. Terminal output keeps its place among the events; what the page cannot draw is left
    /// out, and the chat goes on.
    async fn add(&self, batch: &mut Batch, shown: &Shown, behind: &mut bool) -> Result<(), Gone> {
        if let Some(json) = &shown.json {
            batch.push(json);
        }
        if !shown.output.is_empty() || batch.0.len() >= BATCH {
            self.flush(batch).await?;
        }
        for output in &shown.output {
            *behind |= !self.flow.takes(output.len() - Screenful::HEAD);
            if !*behind {
                self.out.binary(output.clone()).await?;
            }
        }
        self.sent.fetch_max(shown.seq.0, Ordering::Relaxed);
        Ok(())
    }

    async fn flush(&self, batch: &mut Batch) -> Result<(), Gone> {
        match batch.message(self.session) {
            Some(message) => self.out.json(message).await,
            None => Ok(()),
        }
    }
}

/// Frames' JSON, with commas between.
#[derive(Default)]
struct Batch(Vec<u8>);

impl Batch {
    fn push(&mut self, frame: &Bytes) {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(frame);
    }

    /// The message of what was pushed: a [`Down::Events`].
    fn message(&mut self, session: SessionId) -> Option<Bytes> {
        if self.0.is_empty() {
            return None;
        }
        let mut message =
            format!(r#"{{"type":"events","session":"{session}","events":["#).into_bytes();
        message.append(&mut self.0);
        message.extend_from_slice(b"]}");
        Some(message.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use duplex_domain::Lane;
    use duplex_wire::Frame;

    #[test]
    fn a_batch_reads_as_the_page_expects() {
        let session = SessionId(uuid::Uuid::from_u128(3));
        let frame = |seq| Frame {
            seq: Seq(seq),
            lane: Lane::Fact,
            events: vec![],
        };
        let mut batch = Batch::default();
        assert_eq!(batch.message(session), None);
        for seq in [4, 9] {
            batch.push(&serde_json::to_vec(&frame(seq)).unwrap().into());
        }
        let message = batch.message(session).unwrap();
        let down: Down = serde_json::from_slice(&message).unwrap();
        assert_eq!(
            down,
            Down::Events {
                session,
                events: vec![frame(4), frame(9)]
            }
        );
        assert_eq!(batch.message(session), None);
    }
}
