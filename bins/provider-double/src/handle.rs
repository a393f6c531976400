//! What a test holds of a running double: its address, what it was asked, and its end.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running double. It ends with its last clone.
#[derive(Clone, Debug)]
pub struct Handle {
    address: SocketAddr,
    desk: Desk,
    ended: CancellationToken,
    _guard: Arc<DropGuard>,
}

/// What the double was asked, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The requests for messages.
    pub requests: VecDeque<Recorded>,
    /// Everything that was wrong with a request, in words.
    pub violations: Vec<String>,
    /// How many requests there were, also those no longer kept.
    pub count: u64,
    keep: usize,
    tries: HashMap<u64, u64>,
    thoughts: HashMap<String, Vec<String>>,
    prefixes: HashSet<u64>,
}

/// One request for a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Its place among all requests, from 1.
    pub number: u64,
    /// The request.
    pub body: Value,
    /// How it ended, if it did.
    pub outcome: Outcome,
    /// The usage a whole answer reports.
    pub usage: Value,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has not.
    Answering,
    /// Everything was sent that was to be sent.
    Answered,
    /// With an HTTP error, or a page that is no answer.
    Refused(u16),
    /// The client went away.
    Dropped,
}

impl Handle {
    pub(crate) fn new(address: SocketAddr, keep: usize) -> Self {
        let ended = CancellationToken::new();
        let guard = Arc::new(ended.clone().drop_guard());
        let journal = Journal {
            keep,
            ..Journal::default()
        };
        let desk = Desk {
            journal: Arc::new(watch::Sender::new(journal)),
            ended: ended.clone(),
        };
        Self {
            address,
            desk,
            ended,
            _guard: guard,
        }
    }

    pub(crate) fn desk(&self) -> Desk {
        self.desk.clone()
    }

    pub(crate) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base address a client is given.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.desk.journal.borrow().clone()
    }

    /// The requests for messages so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.desk
            .journal
            .borrow()
            .requests
            .iter()
            .cloned()
            .collect()
    }

    /// Everything that was wrong with a request so far.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.desk.journal.borrow().violations.clone()
    }

    /// Waits until the journal is as wanted.
    ///
    /// # Errors
    /// The journal as it is, when the deadline passes first.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        wanted: impl FnMut(&Journal) -> bool,
    ) -> Result<Journal, Box<Journal>> {
        let mut journal = self.desk.journal.subscribe();
        let found = tokio::time::timeout(deadline, journal.wait_for(wanted)).await;
        match found {
            Ok(Ok(found)) => Ok(found.clone()),
            Ok(Err(_)) | Err(_) => Err(Box::new(self.journal())),
        }
    }

    /// Stops listening and drops every connection, as a provider does that dies.
    pub fn abort(&self) {
        self.ended.cancel();
    }

    /// Waits until it is aborted.
    pub async fn aborted(&self) {
        self.ended.cancelled().await;
    }
}

/// The double's own side of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    journal: Arc<watch::Sender<Journal>>,
    pub ended: CancellationToken,
}

impl Desk {
    /// Enters a request and gives its number, and how often this very request came before.
    pub fn enter(&self, body: &Value) -> (u64, u64) {
        let hash = crate::text::hash(body.to_string().as_bytes());
        let mut entered = (0, 0);
        self.journal.send_modify(|journal| {
            journal.count += 1;
            let tries = journal.tries.entry(hash).or_default();
            entered = (journal.count, *tries);
            *tries += 1;
            let outcome = Outcome::Answering;
            journal.requests.push_back(Recorded {
                number: journal.count,
                body: body.clone(),
                outcome,
                usage: Value::Null,
            });
            while journal.requests.len() > journal.keep {
                journal.requests.pop_front();
            }
        });
        entered
    }

    pub fn violated(&self, violations: &[String]) {
        self.journal
            .send_modify(|journal| journal.violations.extend_from_slice(violations));
    }

    pub fn will_use(&self, number: u64, usage: &Value) {
        self.change(number, |recorded| recorded.usage = usage.clone());
    }

    pub fn ended_as(&self, number: u64, outcome: Outcome) {
        self.change(number, |recorded| recorded.outcome = outcome);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Recorded)) {
        self.journal.send_modify(|journal| {
            if let Some(recorded) = journal
                .requests
                .iter_mut()
                .rfind(|recorded| recorded.number == number)
            {
                change(recorded);
            }
        });
    }

    /// Remembers what stood before an answer.
    pub fn asked(&self, prefix: u64) {
        self.journal.send_modify(|journal| {
            journal.prefixes.insert(prefix);
        });
    }

    /// Whether an answer was ever asked for with this before it.
    pub fn was_asked(&self, prefix: u64) -> bool {
        self.journal.borrow().prefixes.contains(&prefix)
    }

    /// Remembers which thinking came before which calls: it must come back with them.
    pub fn thought(&self, calls: &[String], signatures: &[String]) {
        if signatures.is_empty() {
            return;
        }
        self.journal.send_modify(|journal| {
            journal
                .thoughts
                .extend(calls.iter().map(|call| (call.clone(), signatures.to_vec())));
        });
    }

    /// The signatures of the thinking before a call.
    pub fn signatures_before(&self, call: &str) -> Vec<String> {
        self.journal
            .borrow()
            .thoughts
            .get(call)
            .cloned()
            .unwrap_or_default()
    }
}
