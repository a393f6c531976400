//! Sends a script at its pace, and notices when nobody listens any more.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::Value;
use tokio::time::Instant;

use crate::chat::Chunks;
use crate::encode::{self, Wire};
use crate::handle::{Desk, Outcome};
use crate::script::{self, Script, Step, What};

/// An event cut in the middle of a word.
const HALF: &[u8] = b"event: content_block_delta\ndata: {\"type\":\"content_bl";

const HALF_A_CHUNK: &[u8] = b"data: {\"choices\":[{\"delta\":{\"con";

/// What follows a step.
enum Next {
    Go,
    Close,
    Tear,
}

/// The answer's body. When the client goes away it is dropped, and says so in the journal.
pub(crate) fn body(
    desk: Desk,
    number: u64,
    script: Script,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let sending = Sending {
        begin: Instant::now(),
        steps: script.steps.into_iter(),
        wire: script.wire,
        chunks: script.chunks,
        ready: VecDeque::new(),
        sent: 0,
        watch: Watch {
            desk,
            number,
            outcome: Outcome::Dropped,
        },
    };
    stream::unfold(Some(sending), |sending| async move {
        let mut sending = sending?;
        let ended = sending.watch.desk.ended.clone();
        let next = tokio::select! {
            () = ended.cancelled() => Some(Err(torn())),
            next = sending.next() => next,
        };
        match next? {
            Ok(bytes) => Some((Ok(bytes), Some(sending))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// Never answers; ends with the double or with the client.
pub(crate) async fn never(desk: Desk, number: u64) {
    let watch = Watch {
        desk,
        number,
        outcome: Outcome::Dropped,
    };
    watch.desk.ended.cancelled().await;
}

struct Sending {
    begin: Instant,
    steps: std::vec::IntoIter<Step>,
    wire: Wire,
    chunks: Option<Chunks>,
    ready: VecDeque<Bytes>,
    sent: u64,
    watch: Watch,
}

/// Writes down how an answer ended, whatever ends it.
struct Watch {
    desk: Desk,
    number: u64,
    outcome: Outcome,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.desk.ended_as(self.number, self.outcome);
    }
}

impl Sending {
    /// The next piece; an error tears the connection.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.wire.cut_at.is_some_and(|byte| byte == self.sent) {
            return Some(Err(self.tear().await));
        }
        while self.ready.is_empty() {
            let step = self.steps.next();
            match step {
                None => return self.close(),
                Some(step) => {
                    tokio::time::sleep_until(self.begin + step.at).await;
                    match self.perform(&step.what).await {
                        Next::Go => {}
                        Next::Close => return self.close(),
                        Next::Tear => return Some(Err(self.tear().await)),
                    }
                }
            }
        }
        self.piece().await.map(Ok)
    }

    async fn perform(&mut self, what: &What) -> Next {
        match what {
            What::Event(event) => self.prepare(event),
            What::Token { index, piece } => self.prepare(&script::delta(*index, &piece.delta())),
            What::Half if self.chunks.is_some() => {
                self.ready.push_back(Bytes::from_static(HALF_A_CHUNK));
            }
            What::Half => self.ready.push_back(Bytes::from_static(HALF)),
            What::Stall => std::future::pending().await,
            What::End => return Next::Close,
            What::Cut => return Next::Tear,
        }
        Next::Go
    }

    fn close(&mut self) -> Option<io::Result<Bytes>> {
        self.watch.outcome = Outcome::Answered;
        None
    }

    async fn tear(&mut self) -> io::Error {
        self.watch.outcome = Outcome::Answered;
        flush().await;
        torn()
    }

    fn prepare(&mut self, event: &Value) {
        let text = match &mut self.chunks {
            Some(chunks) => chunks.encode(event),
            None => encode::event(self.wire, event),
        };
        let text = text.into_bytes();
        let size = self.wire.piece.unwrap_or(text.len());
        self.ready
            .extend(text.chunks(size.max(1)).map(Bytes::copy_from_slice));
    }

    async fn piece(&mut self) -> Option<Bytes> {
        let mut piece = self.ready.pop_front()?;
        if let Some(cut) = self.wire.cut_at {
            let left = usize::try_from(cut - self.sent).unwrap_or(usize::MAX);
            piece.truncate(left);
        }
        if self.wire.piece.is_some() {
            flush().await;
        }
        self.sent += piece.len() as u64;
        Some(piece)
    }
}

/// Lets the server write what it was given before it is given more.
async fn flush() {
    tokio::task::yield_now().await;
}

fn torn() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the double drops the connection",
    )
}
