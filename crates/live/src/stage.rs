//! What is shown of a session: the fold, the screens, and what watchers are told.

use crate::ring::Ring;
use crate::screens::Screens;
use crate::watch::News;
use crate::{Loaded, Shown, Snapshot, Start, Watch, WatchError};
use duplex_domain::{
    Event, MessageId, Picture, Recorded, Role, Seq, SessionId, State, TeamId, UserId,
};
use duplex_wire::TerminalView;
use std::sync::Arc;
use tokio::sync::broadcast;

/// How many items of the transcript are kept; older ones come from the views.
const ITEMS: usize = 200;
/// How far a watcher may fall behind, in frames.
const BEHIND: usize = 512;

/// A session as it stands, for one look.
#[derive(Clone, Debug)]
pub struct Glimpse {
    /// The session and its newest items.
    pub picture: Picture,
    /// Its terminals' screens, as text.
    pub terminals: Vec<TerminalView>,
}

/// What is shown of a session.
pub(crate) struct Stage {
    pub picture: Picture,
    screens: Screens,
    ring: Ring,
    news: broadcast::Sender<News>,
    /// The newest snapshot, until something changes.
    snapshot: Option<Arc<Snapshot>>,
}

impl Stage {
    pub fn new(session: SessionId) -> Self {
        Self {
            picture: Picture::new(session),
            screens: Screens::default(),
            ring: Ring::default(),
            news: broadcast::Sender::new(BEHIND),
            snapshot: None,
        }
    }

    /// Starts from a stored view. Returns the frame after which the log has to be read.
    pub fn restart(&mut self, loaded: Option<Loaded>) -> Seq {
        let fresh = || Loaded {
            picture: Picture::new(self.picture.session.id),
            screens: Vec::new(),
        };
        let Loaded {
            mut picture,
            screens,
        } = loaded.unwrap_or_else(fresh);
        picture.transcript.keep_newest(ITEMS);
        let after = Screens::missing_after(&picture.session, &screens);
        self.screens = Screens::new(&picture.session, screens);
        self.ring = Ring::new(picture.session.seq);
        self.picture = picture;
        self.snapshot = None;
        self.tell(News::Restarted);
        after
    }

    /// Takes in a frame and tells the watchers.
    pub fn apply(&mut self, recorded: &Recorded) {
        let is_new = recorded.seq > self.picture.session.seq;
        for envelope in &recorded.events {
            // What lies before the view was heeded under the claims of its time.
            if !is_new || self.picture.session.heeds(envelope) {
                self.screens.apply(recorded.seq, envelope);
            }
        }
        if !is_new {
            return;
        }
        self.screens.passed(recorded.seq);
        self.picture.apply(recorded);
        self.picture.transcript.keep_newest(ITEMS);
        self.snapshot = None;
        self.show_out(recorded);
        let shown = Arc::new(Shown::of(recorded));
        self.ring.push(shown.clone());
        self.tell(News::Frame(shown));
    }

    /// Removed members are told first, so that they do not see the frame itself.
    fn show_out(&self, recorded: &Recorded) {
        for envelope in &recorded.events {
            if let Event::MemberRemoved { user } = envelope.event
                && self.picture.session.role_of(user).is_none()
            {
                self.tell(News::Removed(user));
            }
        }
    }

    pub fn tell(&self, news: News) {
        // Nobody watching is no error.
        let _ = self.news.send(news);
    }

    pub fn is_watched(&self) -> bool {
        self.news.receiver_count() > 0
    }

    pub fn is_open(&self) -> bool {
        self.picture.session.state != State::Unopened
    }

    /// A person's role; to a stranger a session does not exist.
    pub fn role_of(&self, user: UserId) -> Result<Role, WatchError> {
        self.picture
            .session
            .role_of(user)
            .ok_or(WatchError::NotFound)
    }

    /// The team that pays for what a person asks of the agent; none if it is a message that was posted already.
    pub fn payer(&self, user: UserId, message: MessageId) -> Result<Option<TeamId>, WatchError> {
        self.role_of(user)?;
        let session = &self.picture.session;
        let posted = session.posted.contains(&message);
        Ok((!posted).then_some(session.team))
    }

    /// What a person sees first, and the end at which they get the rest: nothing falls between the two.
    pub fn watch(&mut self, user: UserId, after: Option<Seq>) -> Result<Watch, WatchError> {
        self.role_of(user)?;
        let missed = after.and_then(|seen| self.ring.after(seen));
        let start = match missed {
            Some(missed) => Start::Missed(missed),
            None => Start::Snapshot(self.snapshot()),
        };
        let session = self.picture.session.id;
        let (seq, news) = (self.picture.session.seq, self.news.subscribe());
        Ok(Watch {
            session,
            start,
            seq,
            user,
            news,
        })
    }

    pub fn glimpse(&self, user: UserId) -> Result<Glimpse, WatchError> {
        self.role_of(user)?;
        Ok(Glimpse {
            picture: self.picture.clone(),
            terminals: self.screens.views(),
        })
    }

    fn snapshot(&mut self) -> Arc<Snapshot> {
        if let Some(snapshot) = &self.snapshot {
            return snapshot.clone();
        }
        let session = &self.picture.session;
        let screens = self.screens.encoded(session.id, session.seq);
        let snapshot = Arc::new(Snapshot::of(&self.picture, screens));
        self.snapshot = Some(snapshot.clone());
        snapshot
    }
}
