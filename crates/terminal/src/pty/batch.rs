//! Joins reads into batches: the first bytes leave at once, a flood leaves in few large pieces.

use super::Exited;
use bytes::{Bytes, BytesMut};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// After a batch the next one waits this long for company. A person typing is slower and never waits.
const COMPANY: Duration = Duration::from_millis(4);
/// The largest batch.
const USUAL: usize = 64 * 1024;
/// The largest batch once a flood has lasted [`FLOOD`].
const FLOODED: usize = 128 * 1024;
const FLOOD: Duration = Duration::from_millis(250);
/// After the program's exit the terminal may stay open in the hands of another process. The output is over when
/// nothing came for this long,
const SILENCE: Duration = Duration::from_millis(500);
/// or it was waited for this long altogether,
const PATIENCE: Duration = Duration::from_secs(1);
/// or this much came, which is more than can have been on its way when the program exited.
const REMAINDER: usize = 4 * 1024 * 1024;

/// Runs until the reads end, or the program exited and what it printed is through, or nobody takes batches.
pub(super) async fn run(reads: mpsc::Receiver<Bytes>, to: mpsc::Sender<Bytes>, exit: Exited) {
    let now = Instant::now();
    let mut source = Source {
        reads,
        exit,
        exited: false,
        waited: Duration::ZERO,
        drained: 0,
    };
    let mut buffer = BytesMut::new();
    let mut sent = now.checked_sub(COMPANY).unwrap_or(now);
    let mut busy_since = now;
    loop {
        if buffer.is_empty() {
            let Some(read) = source.next().await else {
                return;
            };
            buffer.extend_from_slice(&read);
            if sent.elapsed() > COMPANY {
                busy_since = Instant::now();
            }
        }
        let most = if busy_since.elapsed() > FLOOD {
            FLOODED
        } else {
            USUAL
        };
        source.fill(&mut buffer, most, sent + COMPANY).await;
        let batch = buffer.split_to(buffer.len().min(most)).freeze();
        if to.send(batch).await.is_err() {
            return;
        }
        sent = Instant::now();
    }
}

struct Source {
    reads: mpsc::Receiver<Bytes>,
    exit: Exited,
    exited: bool,
    /// How long was waited since the program exited. Time spent on a slow receiver does not count.
    waited: Duration,
    /// How much came since the program exited.
    drained: usize,
}

impl Source {
    /// The next read, or none if the output is over.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.exited {
            tokio::select! {
                biased;
                read = self.reads.recv() => return read,
                _ = self.exit.wait() => self.exited = true,
            }
        }
        if self.waited >= PATIENCE || self.drained >= REMAINDER {
            return None;
        }
        let from = Instant::now();
        let read = timeout(SILENCE, self.reads.recv()).await.ok().flatten()?;
        self.waited += from.elapsed();
        self.drained += read.len();
        Some(read)
    }

    /// Adds what is there already, and what comes until `deadline`, as long as there is room.
    async fn fill(&mut self, buffer: &mut BytesMut, most: usize, deadline: Instant) {
        while buffer.len() < most {
            let read = match self.reads.try_recv() {
                Ok(read) => Some(read),
                Err(_) if Instant::now() >= deadline => None,
                Err(_) => timeout_at(deadline, self.reads.recv()).await.ok().flatten(),
            };
            let Some(read) = read else { return };
            if self.exited {
                self.drained += read.len();
            }
            buffer.extend_from_slice(&read);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;
    use crate::Exit;
    use tokio::sync::watch;

    struct Bench {
        reads: mpsc::Sender<Bytes>,
        output: mpsc::Receiver<Bytes>,
        exit: watch::Sender<Option<Exit>>,
    }

    fn bench() -> Bench {
        let (reads, from) = mpsc::channel(16);
        let (to, output) = mpsc::channel(16);
        let (exit, exited) = watch::channel(None);
        tokio::spawn(run(from, to, Exited(exited)));
        Bench {
            reads,
            output,
            exit,
        }
    }

    #[tokio::test]
    async fn the_first_bytes_leave_alone_and_the_following_leave_together() {
        let mut bench = bench();
        bench.reads.send("a".into()).await.unwrap();
        assert_eq!(bench.output.recv().await.unwrap(), "a");
        let flood = Bytes::from(vec![b'x'; 10 * 1024]);
        for _ in 0..64 {
            bench.reads.send(flood.clone()).await.unwrap();
        }
        drop(bench.reads);
        let mut sizes = Vec::new();
        while let Some(batch) = bench.output.recv().await {
            sizes.push(batch.len());
        }
        assert_eq!(sizes.iter().sum::<usize>(), 64 * 10 * 1024);
        assert!(
            sizes.iter().all(|size| *size <= USUAL) && sizes.len() < 40,
            "{sizes:?}"
        );
    }

    #[tokio::test]
    async fn output_ends_although_another_process_holds_the_terminal_open() {
        let mut bench = bench();
        bench.reads.send("last words".into()).await.unwrap();
        bench.exit.send_replace(Some(Exit {
            code: Some(0),
            signal: None,
        }));
        assert_eq!(bench.output.recv().await.unwrap(), "last words");
        assert_eq!(bench.output.recv().await, None);
    }

    #[tokio::test]
    async fn output_ends_although_another_process_goes_on_printing() {
        let mut bench = bench();
        bench.exit.send_replace(Some(Exit {
            code: Some(0),
            signal: None,
        }));
        let flood = Bytes::from(vec![b'x'; 64 * 1024]);
        let reads = bench.reads.clone();
        tokio::spawn(async move { while reads.send(flood.clone()).await.is_ok() {} });
        let mut taken = 0;
        while let Some(batch) = bench.output.recv().await {
            taken += batch.len();
        }
        assert!((REMAINDER..2 * REMAINDER).contains(&taken), "{taken}");
    }
}
