//! One page's socket, from welcome to goodbye.

use super::allowance::{Allowance, Verdict};
use super::flow::Flow;
use super::lanes::Lanes;
use super::message::{self, Misread, shortened};
use super::outbox::{Gone, Outbox};
use super::presence::PageId;
use super::show::Show;
use super::{GOODBYE, LARGEST_MESSAGE};
use crate::accounts::me;
use crate::app::App;
use crate::audit::Caller;
use crate::signed_in::SignedIn;
use crate::{catch_up, guard, rights};
use axum::extract::ws::{Message, WebSocket};
use duplex_domain::{Seq, SessionId};
use duplex_wire::{Close, Down, Scope, Up};
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::task::AbortOnDropHandle;

/// How often the edge says that it is there.
const BEAT: Duration = Duration::from_secs(15);
/// How long a page may give no sign of life.
const SILENT: Duration = Duration::from_secs(45);
/// For how long a look still tells who sends a command.
const FRESH: Duration = Duration::from_millis(500);
/// How many sessions one page may watch.
const MOST_WATCHES: usize = 64;

/// A page's socket.
pub(super) struct Tab {
    app: App,
    person: SignedIn,
    out: Outbox,
    watches: HashMap<SessionId, Watching>,
    lanes: Lanes,
    allowance: Allowance,
    /// When it was last seen that the person is signed in.
    seen: Instant,
}

struct Watching {
    sent: Arc<AtomicU64>,
    flow: Arc<Flow>,
    page: PageId,
    read: watch::Sender<Seq>,
    show: AbortOnDropHandle<()>,
}

impl Watching {
    /// Nobody has seen what was not sent.
    fn has_read(&self, seq: Seq) {
        let seen = Seq(seq.0.min(self.sent.load(Ordering::Relaxed)));
        self.read.send_if_modified(|read| {
            let further = seen > *read;
            *read = seen.max(*read);
            further
        });
    }
}

/// Why the socket ends.
enum End {
    /// The edge closes it.
    Close(Close),
    /// The page went.
    Left,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Left
    }
}

impl Tab {
    /// Serves a socket until it ends.
    pub async fn open(app: App, person: SignedIn, caller: Caller, socket: WebSocket) {
        let (sink, mut stream) = socket.split();
        let (out, writing) = Outbox::new(sink);
        let writing = AbortOnDropHandle::new(tokio::spawn(writing));
        let lanes = Lanes::new(app.clone(), caller, out.clone());
        let allowance = Allowance::new(Instant::now());
        let mut tab = Self {
            app,
            person,
            out: out.clone(),
            watches: HashMap::new(),
            lanes,
            allowance,
            seen: Instant::now(),
        };
        let end = tab.run(&mut stream).await;
        drop(tab);
        if let End::Close(close) = end {
            let goodbye = async {
                out.close(close).await?;
                while let Some(Ok(_)) = stream.next().await {}
                Ok::<_, Gone>(())
            };
            // Who does not take the goodbye is gone all the same.
            let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        }
        drop(writing);
    }

    async fn run(&mut self, stream: &mut SplitStream<WebSocket>) -> End {
        let guard = guard::ended(self.app.clone(), self.person.clone());
        let mut guard = AbortOnDropHandle::new(tokio::spawn(guard));
        let stop = self.app.stop.clone();
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        if self.welcome().await.is_err() {
            return End::Left;
        }
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                _ = beat.tick() => {
                    self.beat();
                    continue;
                }
                () = tokio::time::sleep_until(heard + SILENT) => return End::Close(Close::Silent),
                close = &mut guard => return End::Close(close.unwrap_or(Close::Failed)),
                () = stop.cancelled() => return End::Close(Close::GoingAway),
            };
            heard = Instant::now();
            // A page that sends but does not read fills the queue; it counts as silent in the end.
            match tokio::time::timeout(SILENT, self.take(message)).await {
                Ok(Ok(())) => {}
                Ok(Err(end)) => return end,
                Err(_) => return End::Close(Close::Silent),
            }
        }
    }

    async fn welcome(&self) -> Result<(), Gone> {
        let (user, scopes) = (self.person.user.clone(), self.person.scopes.clone());
        let user = me(user, scopes);
        self.out
            .say(&Down::Welcome {
                build: env!("CARGO_PKG_VERSION").to_owned(),
                user,
            })
            .await
    }

    /// A ping for the connection, a beat for the page. If the queue is full, the page hears enough already.
    fn beat(&mut self) {
        // A session that was refused is shown no more.
        self.watches
            .retain(|_, watching| !watching.show.is_finished());
        let sent = |(session, watching): (&SessionId, &Watching)| {
            (*session, Seq(watching.sent.load(Ordering::Relaxed)))
        };
        let seqs = self.watches.iter().map(sent).collect();
        self.out.say_if_room(Message::Ping(bytes::Bytes::new()));
        if let Ok(json) = serde_json::to_string(&Down::Beat { seqs }) {
            self.out.say_if_room(Message::Text(json.into()));
        }
    }

    async fn take(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let text = match message {
            Some(Ok(Message::Text(text))) if text.len() <= LARGEST_MESSAGE => text,
            Some(Ok(Message::Text(_))) => return Err(End::Close(Close::TooLarge)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => {
                let refused =
                    self.out
                        .refuse(String::new(), "not_text", "messages are JSON text", None);
                return Ok(refused.await?);
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Left),
        };
        let read = message::read(&text);
        // Who draws much says so often, and asks for nothing.
        let verdict = match read {
            Ok(Up::Drawn { .. }) => Verdict::Fine,
            _ => self.allowance.take(Instant::now()),
        };
        match verdict {
            Verdict::Fine => {}
            Verdict::Over => return Ok(self.slow_down(String::new(), None).await?),
            Verdict::Enough => return Err(End::Close(Close::TooMany)),
        }
        if let Ok(Up::Command { .. } | Up::Watch { .. }) = &read
            && let Some(close) = self.ended().await
        {
            return Err(End::Close(close));
        }
        match read {
            Ok(up) => Ok(self.act(up).await?),
            Err(Misread {
                id,
                code,
                message,
                session,
            }) => Ok(self.out.refuse(id, code, &message, session).await?),
        }
    }

    /// Why the person may not act any more: asked again before what they do counts, but not for each key.
    async fn ended(&mut self) -> Option<Close> {
        if self.seen.elapsed() < FRESH {
            return None;
        }
        let why_not = guard::why_not(&self.app, &self.person).await;
        self.seen = Instant::now();
        why_not
    }

    async fn slow_down(&self, id: String, session: Option<SessionId>) -> Result<(), Gone> {
        let message = "too many messages at once; 64 a second are taken";
        self.out.refuse(id, "rate_limited", message, session).await
    }

    async fn act(&mut self, up: Up) -> Result<(), Gone> {
        match up {
            Up::Ping {} => self.out.say(&Down::Pong {}).await,
            Up::Watch { session, after } => self.watch(session, after).await,
            Up::Unwatch { session } => {
                self.watches.remove(&session);
                Ok(())
            }
            Up::Drawn { session, bytes } => {
                if let Some(watching) = self.watches.get(&session) {
                    watching.flow.drawn(bytes);
                }
                Ok(())
            }
            Up::Presence { session, here } => {
                if let Some(watching) = self.watches.get(&session) {
                    self.app.presence.say(session, watching.page, here);
                }
                Ok(())
            }
            Up::Read { session, seq } => {
                if let Some(watching) = self.watches.get(&session) {
                    watching.has_read(seq);
                }
                Ok(())
            }
            Up::Command {
                id,
                session,
                command,
            } => {
                let id = shortened(&id);
                if let Err(refused) = rights::ask_scope(&self.person, Scope::Write) {
                    let (code, message) = (refused.detail.code, refused.detail.message);
                    return self.out.refuse(id, &code, &message, Some(session)).await;
                }
                if self.lanes.put(id.clone(), session, command) {
                    return Ok(());
                }
                self.slow_down(id, Some(session)).await
            }
        }
    }

    /// Begins to show a session, anew where it is shown already.
    async fn watch(&mut self, session: SessionId, after: Option<Seq>) -> Result<(), Gone> {
        self.watches.remove(&session);
        if self.watches.len() >= MOST_WATCHES {
            let message = "64 sessions are watched here already; close one first";
            return self
                .out
                .refuse(String::new(), "too_many_watches", message, Some(session))
                .await;
        }
        let (sent, flow) = (Arc::new(AtomicU64::new(0)), Arc::new(Flow::default()));
        let (app, user, out) = (self.app.clone(), self.person.user.id, self.out.clone());
        let page = self.app.presence.page();
        let (read, reads) = watch::channel(Seq(0));
        // A visitor has no account to keep it in.
        if self.person.visit.is_none() {
            let keep = catch_up::keep(self.app.clone(), self.person.clone(), session, reads);
            tokio::spawn(keep);
        }
        let show = Show {
            app,
            session,
            user,
            page,
            out,
            sent: sent.clone(),
            flow: flow.clone(),
        };
        let show = AbortOnDropHandle::new(tokio::spawn(show.run(after)));
        self.watches.insert(
            session,
            Watching {
                sent,
                flow,
                page,
                read,
                show,
            },
        );
        Ok(())
    }
}
