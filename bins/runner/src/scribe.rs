//! Writes one lane of a session, under the runner's claim.
//!
//! One frame is on its way at a time; what comes meanwhile fills the next: at once when idle, in groups under load.

use crate::clock;
use duplex_domain::{Envelope, Epoch, Event, Lane, RunnerId, Seq, TurnId, Writer, codec};
use duplex_eventlog::{Address, AppendError, Log};
use futures_util::TryStreamExt;
use std::pin::pin;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

/// How many events may wait for the frame that is on its way.
const WAITING: usize = 1024;
/// About how many bytes of payload one frame carries at most.
const FRAME: usize = 64 * 1024;

/// The claim is somebody else's now, or the log refuses the lane; nothing more can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another runner holds this session now")]
pub struct Lost;

/// Who writes, under which claim.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    /// The runner.
    pub runner: RunnerId,
    /// Its claim.
    pub epoch: Epoch,
}

impl Pen {
    /// An event, as this runner writes it now.
    #[must_use]
    pub fn envelope(self, turn: Option<TurnId>, event: Event) -> Envelope {
        Envelope {
            v: codec::CURRENT,
            at: clock::now(),
            by: Writer::Runner(self.runner),
            epoch: Some(self.epoch),
            turn,
            event,
        }
    }
}

/// One lane's writer. Cheap to clone; ends when the last clone is dropped.
#[derive(Clone)]
pub struct Scribe {
    pen: Pen,
    lines: mpsc::Sender<Line>,
}

enum Line {
    Event(Box<Envelope>),
    Flush(oneshot::Sender<()>),
}

impl Scribe {
    /// Begins to write behind `guard`. The handle ends with the writing.
    pub fn start(
        log: Log,
        address: Address,
        lane: Lane,
        guard: Seq,
        pen: Pen,
    ) -> (Self, AbortOnDropHandle<()>) {
        let (lines, waiting) = mpsc::channel(WAITING);
        let desk = Desk {
            log,
            address,
            lane,
            guard,
            pen,
            frames: 0,
        };
        let task = AbortOnDropHandle::new(tokio::spawn(desk.write(waiting)));
        (Self { pen, lines }, task)
    }

    /// Hands in an event and gives it back as it was written. Waits while the log is slow.
    ///
    /// # Errors
    /// [`Lost`].
    pub async fn write(&self, turn: Option<TurnId>, event: Event) -> Result<Envelope, Lost> {
        let envelope = self.pen.envelope(turn, event);
        let line = Line::Event(Box::new(envelope.clone()));
        self.lines.send(line).await.map_err(|_| Lost)?;
        Ok(envelope)
    }

    /// Waits until everything handed in before is in the log.
    ///
    /// # Errors
    /// [`Lost`].
    pub async fn flush(&self) -> Result<(), Lost> {
        let (done, written) = oneshot::channel();
        let line = Line::Flush(done);
        self.lines.send(line).await.map_err(|_| Lost)?;
        written.await.map_err(|_| Lost)
    }
}

struct Desk {
    log: Log,
    address: Address,
    lane: Lane,
    guard: Seq,
    pen: Pen,
    frames: u64,
}

impl Desk {
    async fn write(mut self, mut waiting: mpsc::Receiver<Line>) {
        while let Some(first) = waiting.recv().await {
            let (frame, flushes) = collect(first, &mut waiting);
            if let Err(problem) = self.append(&frame).await {
                let session = self.address.session;
                error!(session.id = %session, "writing session {session} ends: {problem}");
                return;
            }
            for flush in flushes {
                // Who waited may have given up.
                let _ = flush.send(());
            }
        }
    }

    async fn append(&mut self, frame: &[Envelope]) -> Result<(), AppendError> {
        if frame.is_empty() {
            return Ok(());
        }
        self.frames += 1;
        let Pen { epoch, .. } = self.pen;
        let id = format!("{}.{}.{}", epoch.0, self.lane.as_str(), self.frames);
        loop {
            let appended = self
                .log
                .append(&self.address, self.lane, self.guard, &id, frame)
                .await;
            match appended {
                Ok(seq) => {
                    self.guard = seq;
                    return Ok(());
                }
                Err(AppendError::Conflict { .. }) if self.passed_a_stale_writer().await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whoever came first held an older claim: what they wrote does not count, and this lane goes on behind it.
    async fn passed_a_stale_writer(&mut self) -> bool {
        let frames = self.log.read(self.address.session, self.guard);
        let mut frames = pin!(frames);
        let mut newest = self.guard;
        while let Ok(Some(frame)) = frames.try_next().await {
            let newer = |event: &Envelope| event.epoch > Some(self.pen.epoch);
            if frame.events.iter().any(newer) {
                return false;
            }
            if frame.lane == self.lane {
                newest = frame.seq;
            }
        }
        let passed = newest > self.guard;
        self.guard = newest;
        passed
    }
}

/// The first line and all that already wait behind it, up to a frame's size.
fn collect(
    first: Line,
    waiting: &mut mpsc::Receiver<Line>,
) -> (Vec<Envelope>, Vec<oneshot::Sender<()>>) {
    let (mut frame, mut flushes, mut size) = (Vec::new(), Vec::new(), 0);
    let mut next = Some(first);
    while let Some(line) = next {
        match line {
            Line::Event(envelope) => {
                size += weight(&envelope.event);
                frame.push(*envelope);
            }
            Line::Flush(done) => flushes.push(done),
        }
        next = if size < FRAME {
            waiting.try_recv().ok()
        } else {
            None
        };
    }
    (frame, flushes)
}

/// About how many bytes an event takes.
fn weight(event: &Event) -> usize {
    let body = match event {
        Event::TextDelta { text, .. } | Event::ThinkingDelta { text, .. } => text.len(),
        Event::ToolInputDelta { json, .. } => json.len(),
        Event::ToolFinished { content, diff, .. } => {
            content.len() + diff.as_ref().map_or(0, String::len)
        }
        Event::ToolOutput { bytes, .. }
        | Event::Printed { bytes, .. }
        | Event::ScreenSaved { bytes, .. }
        | Event::Typed { bytes, .. } => bytes.0.len(),
        _ => 0,
    };
    body + 200
}
