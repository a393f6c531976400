//! Who is at which session's page, at this edge and at all others: never in the log, and gone with their pages.
//!
//! Each edge tells the others its own crowd of a session whenever it changes, and every few seconds besides; a crowd
//! that is not heard of for some time is gone.

use bytes::Bytes;
use duplex_domain::{SessionId, UserId};
use duplex_eventlog::Log;
use duplex_wire::{Here, Present};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often an edge tells its crowd when nothing changes.
const AGAIN: Duration = Duration::from_secs(4);
/// After what silence another edge's crowd is gone.
const GONE: Duration = Duration::from_secs(12);
/// How long somebody counts as typing who does not say so again.
const TYPING: Duration = Duration::from_secs(6);
/// The least time between two tellings.
const BREATH: Duration = Duration::from_millis(100);

/// What one edge tells the others of one session.
#[derive(Debug, Serialize, Deserialize)]
struct Roster {
    edge: u64,
    /// The others shall tell theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ask: bool,
    people: Vec<Told>,
}

/// Somebody, and how many milliseconds ago their page spoke.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    #[serde(flatten)]
    present: Present,
    ago: u64,
}

/// Somebody, and when their page spoke.
type Seen = (Instant, Present);

/// Everybody who is at a page.
#[derive(Clone)]
pub(crate) struct Presence {
    log: Log,
    edge: u64,
    crowds: Arc<Mutex<HashMap<SessionId, Crowd>>>,
    pages: Arc<AtomicU64>,
}

/// Names one page that shows one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PageId(u64);

struct Page {
    user: UserId,
    here: Here,
    said: Instant,
}

/// Who is at one session.
struct Crowd {
    pages: BTreeMap<PageId, Page>,
    /// By edge: when it was heard, and whom it told.
    elsewhere: BTreeMap<u64, (Instant, Vec<Seen>)>,
    told: watch::Sender<Vec<Present>>,
    changed: Arc<Notify>,
    _exchange: DropGuard,
}

impl Crowd {
    /// The people at this edge: of each, the page used last.
    fn own(&self) -> Vec<Seen> {
        let pages = self.pages.values();
        newest(pages.map(|page| {
            let (user, here) = (page.user, page.here);
            (page.said, Present { user, here })
        }))
    }

    /// The people at all edges.
    fn everybody(&self) -> Vec<Present> {
        let elsewhere = self.elsewhere.values().flat_map(|(_, people)| people);
        let everybody = newest(elsewhere.copied().chain(self.own()));
        everybody.into_iter().map(|(_, present)| present).collect()
    }

    /// Tells everybody at this edge, if something changed.
    fn tell(&self) {
        let now = self.everybody();
        self.told.send_if_modified(|told| {
            let changed = *told != now;
            *told = now;
            changed
        });
    }

    /// Forgets whom nothing was heard of for too long.
    fn sweep(&mut self, now: Instant) {
        self.elsewhere
            .retain(|_, (heard, _)| now.duration_since(*heard) < GONE);
        for page in self.pages.values_mut() {
            page.here.typing &= now.duration_since(page.said) < TYPING;
        }
        self.tell();
    }
}

/// Of each person, what their page used last says.
fn newest(seen: impl Iterator<Item = Seen>) -> Vec<Seen> {
    let mut newest: BTreeMap<UserId, Seen> = BTreeMap::new();
    for (said, present) in seen {
        let known = newest.entry(present.user).or_insert((said, present));
        if said >= known.0 {
            *known = (said, present);
        }
    }
    newest.into_values().collect()
}

impl Presence {
    /// Nobody is at any page yet.
    pub fn new(log: Log) -> Self {
        Self {
            log,
            edge: uuid::Uuid::now_v7().as_u64_pair().1,
            crowds: Arc::default(),
            pages: Arc::default(),
        }
    }

    /// A name for a page that is about to show a session.
    pub(super) fn page(&self) -> PageId {
        PageId(self.pages.fetch_add(1, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Crowd>> {
        self.crowds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A page shows a session from now on.
    pub(super) fn join(&self, session: SessionId, page: PageId, user: UserId) -> Seat {
        let mut crowds = self.lock();
        let crowd = crowds.entry(session).or_insert_with(|| self.crowd(session));
        let (here, said) = (Here::default(), Instant::now());
        crowd.pages.insert(page, Page { user, here, said });
        crowd.tell();
        crowd.changed.notify_one();
        let mut told = crowd.told.subscribe();
        told.mark_changed();
        Seat {
            presence: self.clone(),
            session,
            page,
            told,
        }
    }

    fn crowd(&self, session: SessionId) -> Crowd {
        let (over, changed) = (CancellationToken::new(), Arc::new(Notify::new()));
        let exchange = self
            .clone()
            .exchange(session, changed.clone(), over.clone());
        tokio::spawn(exchange);
        Crowd {
            pages: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            told: watch::Sender::default(),
            changed,
            _exchange: over.drop_guard(),
        }
    }

    /// A page says where its person is; one that shows nothing is not heard.
    pub(super) fn say(&self, session: SessionId, page: PageId, here: Here) {
        let mut crowds = self.lock();
        let Some(crowd) = crowds.get_mut(&session) else {
            return;
        };
        let Some(known) = crowd.pages.get_mut(&page) else {
            return;
        };
        known.here = here;
        known.said = Instant::now();
        crowd.tell();
        crowd.changed.notify_one();
    }

    fn leave(&self, session: SessionId, page: PageId) {
        let mut crowds = self.lock();
        let Some(crowd) = crowds.get_mut(&session) else {
            return;
        };
        crowd.pages.remove(&page);
        crowd.tell();
        crowd.changed.notify_one();
        if crowd.pages.is_empty() {
            crowds.remove(&session);
        }
    }

    /// Tells the other edges, and hears them, as long as anybody here is at the session.
    async fn exchange(self, session: SessionId, changed: Arc<Notify>, over: CancellationToken) {
        let exchanging = async {
            loop {
                self.talk(session, &changed).await;
                tokio::time::sleep(AGAIN).await;
            }
        };
        over.run_until_cancelled(exchanging).await;
        // Nobody new may have come meanwhile: then there is a crowd again, with an exchange of its own.
        self.publish(session, false).await;
    }

    /// Until the subscription ends.
    async fn talk(&self, session: SessionId, changed: &Notify) {
        let mut heard = match self.log.presence(session).await {
            Ok(heard) => heard,
            Err(error) => return tracing::warn!("who is at other edges is not known: {error}"),
        };
        self.publish(session, true).await;
        let mut again = tokio::time::interval_at(Instant::now() + AGAIN, AGAIN);
        loop {
            tokio::select! {
                said = heard.next() => match said {
                    Some(said) => self.hear(session, &said).await,
                    None => return,
                },
                () = changed.notified() => {
                    self.publish(session, false).await;
                    tokio::time::sleep(BREATH).await;
                }
                _ = again.tick() => {
                    if let Some(crowd) = self.lock().get_mut(&session) {
                        crowd.sweep(Instant::now());
                    }
                    self.publish(session, false).await;
                }
            }
        }
    }

    async fn publish(&self, session: SessionId, ask: bool) {
        let own = self.lock().get(&session).map(Crowd::own);
        let now = Instant::now();
        let told = |(said, present)| Told {
            present,
            ago: u64::try_from(now.duration_since(said).as_millis()).unwrap_or(u64::MAX),
        };
        let people = own.unwrap_or_default().into_iter().map(told).collect();
        let roster = Roster {
            edge: self.edge,
            ask,
            people,
        };
        let Ok(said) = serde_json::to_vec(&roster) else {
            return;
        };
        // What is lost is said again.
        let _ = self.log.say_presence(session, Bytes::from(said)).await;
    }

    async fn hear(&self, session: SessionId, said: &[u8]) {
        let Ok(roster) = serde_json::from_slice::<Roster>(said) else {
            return;
        };
        if roster.edge == self.edge {
            return;
        }
        if let Some(crowd) = self.lock().get_mut(&session) {
            if roster.people.is_empty() {
                crowd.elsewhere.remove(&roster.edge);
            } else {
                let now = Instant::now();
                let seen = |Told { present, ago }| {
                    let said = now.checked_sub(Duration::from_millis(ago));
                    (said.unwrap_or(now), present)
                };
                let people = roster.people.into_iter().map(seen).collect();
                crowd.elsewhere.insert(roster.edge, (now, people));
            }
            crowd.tell();
        }
        if roster.ask {
            self.publish(session, false).await;
        }
    }
}

/// A page's place among those who are at a session; left when dropped.
pub(super) struct Seat {
    presence: Presence,
    session: SessionId,
    page: PageId,
    told: watch::Receiver<Vec<Present>>,
}

impl Seat {
    /// Who is here, at once and then whenever it changes.
    pub async fn people(&mut self) -> Vec<Present> {
        // A crowd lives as long as anybody is in it.
        let _ = self.told.changed().await;
        self.told.borrow_and_update().clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.presence.leave(self.session, self.page);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use duplex_wire::Pane;

    const ADA: UserId = UserId(uuid::Uuid::from_u128(1));
    const BOB: UserId = UserId(uuid::Uuid::from_u128(2));

    fn crowd() -> Crowd {
        Crowd {
            pages: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            told: watch::Sender::default(),
            changed: Arc::default(),
            _exchange: CancellationToken::new().drop_guard(),
        }
    }

    fn at(pane: Pane, typing: bool) -> Here {
        let top = None;
        Here { pane, typing, top }
    }

    #[test]
    fn of_each_person_the_page_used_last_speaks() {
        let (start, mut crowd) = (Instant::now(), crowd());
        let page = |user, pane, after| Page {
            user,
            here: at(pane, false),
            said: start + Duration::from_secs(after),
        };
        crowd.pages.insert(PageId(1), page(ADA, Pane::Chat, 5));
        crowd.pages.insert(PageId(2), page(ADA, Pane::Away, 1));
        let here = at(Pane::Away, false);
        let elsewhere = |user, after| {
            let present = Present { user, here };
            (start + Duration::from_secs(after), present)
        };
        let people = vec![elsewhere(ADA, 2), elsewhere(BOB, 2)];
        crowd.elsewhere.insert(7, (start, people));
        let here = at(Pane::Chat, false);
        let ada = Present { user: ADA, here };
        let bob = elsewhere(BOB, 0).1;
        assert_eq!(crowd.everybody(), [ada, bob]);
    }

    #[test]
    fn who_is_not_heard_of_types_no_more_and_is_gone() {
        let (start, mut crowd) = (Instant::now(), crowd());
        let (user, said) = (ADA, start);
        let here = at(Pane::Chat, true);
        crowd.pages.insert(PageId(1), Page { user, here, said });
        let bob = Present { user: BOB, here };
        crowd.elsewhere.insert(7, (start, vec![(start, bob)]));

        crowd.sweep(start + TYPING - Duration::from_secs(1));
        assert_eq!(*crowd.told.borrow(), [Present { user, here }, bob]);
        crowd.sweep(start + GONE);
        let here = at(Pane::Chat, false);
        assert_eq!(*crowd.told.borrow(), [Present { user, here }]);
    }
}
