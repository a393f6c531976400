//! The page's one socket: keeps it open, folds what it brings, and shows the result once a frame.

use super::link::Link;
use super::seen::Seen;
use crate::interop::dom::{self, Report, Socket};
use crate::interop::terminal::Drawn;
use crate::model::{outbox::Outbox, retry};
use crate::state::{Missing, Shared};
use dioxus::prelude::*;
use duplex_domain::{Blob, Command, Item, Seq, SessionId, Size, TerminalId, Time};
use duplex_wire::{Close, Down, Screenful, Up};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use futures_util::StreamExt;
use wasm_bindgen::JsValue;

/// Where messages that are not sent yet are kept over a reload.
const OUTBOX: &str = "duplex.outbox";
/// How often the connection is looked at, in milliseconds.
const TICK: u32 = 5_000;
/// How often the page says that it is there, in milliseconds.
const PING: u64 = 30_000;
/// How long a living connection can be silent, in milliseconds.
const SILENCE: u64 = 40_000;
/// How often a new snapshot is asked for at most, in milliseconds.
const AFRESH: u64 = 2_000;

/// What the feed is told.
pub enum Msg {
    /// Somebody is signed in: connect.
    Start,
    /// Nobody is signed in any more: disconnect.
    Stop,
    /// Connect at once.
    RetryNow,
    /// The page is online, offline, visible, or has the focus.
    Page(String),
    /// Show this session.
    Watch(SessionId),
    /// Show it no more.
    Unwatch(SessionId),
    /// Send a message to the session's agent.
    Post(SessionId, String),
    /// Send a refused message again.
    Again(String),
    /// Throw a message away that was not sent.
    Discard(String),
    /// Interrupt the running turn.
    Interrupt(SessionId),
    /// Keys for a terminal.
    Type(SessionId, TerminalId, Vec<u8>),
    /// The size that would fill a terminal's pane.
    Fit(TerminalId, Size),
    /// Draw a terminal here.
    Attach(TerminalId, Box<Drawn>),
    /// Draw it no more.
    Detach(TerminalId),
    /// Give a terminal the focus.
    Focus(TerminalId),
    /// Older items came.
    Older(SessionId, Vec<Item>, bool),
    /// The socket says something.
    Socket(u32, String, JsValue),
    /// A planned attempt is due.
    Retry(u32),
    /// Look at the clock.
    Tick,
    /// A frame is about to be painted.
    Frame,
}

/// Keeps the connection as long as the page lives.
#[expect(
    clippy::large_types_passed_by_value,
    reason = "handles to signals, to be kept"
)]
pub async fn run(shared: Shared, tx: UnboundedSender<Msg>, mut inbox: UnboundedReceiver<Msg>) {
    let mut feed = Feed::new(shared, tx);
    feed.listen_to_page();
    feed.tick();
    while let Some(msg) = inbox.next().await {
        feed.take(msg);
    }
}

struct Feed {
    shared: Shared,
    tx: UnboundedSender<Msg>,
    report: Report,
    socket: Option<Socket>,
    /// Counts sockets, so that nothing is heard of an old one.
    generation: u32,
    started: bool,
    welcome: bool,
    attempt: u32,
    heard: Time,
    pinged: Time,
    afresh: Time,
    build: Option<String>,
    seen: Option<Seen>,
    outbox: Outbox,
    /// A frame has been asked for.
    asked: bool,
}

impl Feed {
    #[expect(
        clippy::large_types_passed_by_value,
        reason = "handles to signals, to be kept"
    )]
    fn new(shared: Shared, tx: UnboundedSender<Msg>) -> Self {
        let report_to = tx.clone();
        let report = Report::new(move |generation, kind, data| {
            // The feed lives as long as the page.
            let _ = report_to.unbounded_send(Msg::Socket(generation, kind, data));
        });
        let outbox = dom::stored(OUTBOX).and_then(|text| serde_json::from_str(&text).ok());
        let mut outbox: Outbox = outbox.unwrap_or_default();
        outbox.disconnected();
        Self {
            shared,
            tx,
            report,
            socket: None,
            generation: 0,
            started: false,
            welcome: false,
            attempt: 0,
            heard: dom::now(),
            pinged: dom::now(),
            afresh: Time(0),
            build: None,
            seen: None,
            outbox,
            asked: false,
        }
    }

    fn listen_to_page(&self) {
        let tx = self.tx.clone();
        dom::watch_page(move |what| {
            let _ = tx.unbounded_send(Msg::Page(what));
        });
    }

    fn later(&self, milliseconds: u32, msg: Msg) {
        let tx = self.tx.clone();
        dom::after(milliseconds, move || {
            let _ = tx.unbounded_send(msg);
        });
    }

    fn take(&mut self, msg: Msg) {
        match msg {
            Msg::Start => self.start(),
            Msg::Stop => self.stop(),
            Msg::RetryNow => self.connect(),
            Msg::Page(what) => self.page(&what),
            Msg::Watch(session) => self.watch(session),
            Msg::Unwatch(session) => self.unwatch(session),
            Msg::Post(session, text) => self.post(session, text),
            Msg::Again(id) => {
                self.outbox.again(&id);
                self.flush();
            }
            Msg::Discard(id) => {
                self.outbox.take(&id);
                self.keep_outbox();
            }
            Msg::Interrupt(session) => self.interrupt(session),
            Msg::Type(session, terminal, keys) => self.type_keys(session, terminal, keys),
            Msg::Fit(terminal, size) => self.fit(terminal, size),
            Msg::Attach(terminal, drawn) => self.attach(terminal, *drawn),
            Msg::Detach(terminal) => {
                if let Some(seen) = &mut self.seen {
                    seen.detach(terminal);
                }
            }
            Msg::Focus(terminal) => {
                let drawn = self.seen.as_ref().and_then(|seen| seen.drawn(terminal));
                if let Some(drawn) = drawn {
                    drawn.focus();
                }
            }
            Msg::Older(session, items, more) => self.older(session, items, more),
            Msg::Socket(generation, kind, data) if generation == self.generation => {
                self.socket_says(&kind, &data);
            }
            Msg::Retry(generation) if generation == self.generation => self.connect(),
            Msg::Socket(..) | Msg::Retry(_) => {}
            Msg::Tick => self.tick(),
            Msg::Frame => self.show(),
        }
    }

    // ---- the connection ----

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.connect();
            self.dirty();
        }
    }

    fn stop(&mut self) {
        self.started = false;
        self.hang_up();
        self.seen = None;
    }

    fn connect(&mut self) {
        if !self.started {
            return;
        }
        self.hang_up();
        if self.attempt == 0 {
            self.link(Link::Connecting);
        }
        self.heard = dom::now();
        self.socket = Some(dom::open_socket(self.generation, "/api/feed", &self.report));
    }

    /// Lets go of the socket; what it still says is not heard.
    fn hang_up(&mut self) {
        self.generation += 1;
        self.welcome = false;
        if let Some(socket) = self.socket.take() {
            socket.close();
        }
        self.outbox.disconnected();
    }

    fn lost(&mut self, code: u16) {
        let knew = self.welcome;
        self.hang_up();
        match Close::from_code(code) {
            Some(Close::SignedOut) => return self.shared.sign_out(),
            Some(close) if !close.retryable() => {
                return self.link(Link::Refused(close.reason().to_owned()));
            }
            Some(_) | None => {}
        }
        self.link(Link::Offline);
        self.keep_outbox();
        if !knew && self.attempt == 0 {
            self.probe();
        }
        self.later(
            retry::wait(self.attempt, js_sys::Math::random()),
            Msg::Retry(self.generation),
        );
        self.attempt += 1;
    }

    /// A socket refused before it spoke may mean that nobody is signed in; only the server's word decides.
    fn probe(&self) {
        let shared = self.shared;
        spawn(async move {
            if crate::net::api::me()
                .await
                .is_err_and(|failure| failure.signed_out())
            {
                shared.sign_out();
            }
        });
    }

    fn page(&mut self, what: &str) {
        self.shared.nudge();
        let down = self.socket.is_none() || !self.welcome;
        match what {
            "offline" if self.started => self.lost(1006),
            "online" | "visible" if down && self.attempt > 0 => self.connect(),
            _ => {}
        }
    }

    fn tick(&mut self) {
        self.later(TICK, Msg::Tick);
        let now = dom::now();
        if self.socket.is_none() {
            return;
        }
        if now.since(self.heard) > SILENCE {
            return self.lost(1006);
        }
        if self.welcome && now.since(self.pinged) > PING {
            self.pinged = now;
            self.send(&Up::Ping {});
        }
    }

    fn send(&self, up: &Up) -> bool {
        let (Some(socket), Ok(text)) = (&self.socket, serde_json::to_string(up)) else {
            return false;
        };
        self.welcome && socket.send(&text)
    }

    fn link(&self, link: Link) {
        let mut shown = self.shared.link;
        if *shown.peek() != link {
            shown.set(link);
        }
    }

    // ---- what comes down ----

    fn socket_says(&mut self, kind: &str, data: &JsValue) {
        self.heard = dom::now();
        match kind {
            "text" => self.text(&data.as_string().unwrap_or_default()),
            "bytes" => self.bytes(&js_sys::Uint8Array::new(data).to_vec()),
            "close" => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "close codes have four digits"
                )]
                let code = data.as_f64().unwrap_or(1006.0) as u16;
                self.lost(code);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match serde_json::from_str(text) {
            Ok(down) => self.down(down),
            Err(error) => {
                // A message of a newer server: the page has to be loaded anew.
                web_sys::console::warn_1(&format!("a message is not understood: {error}").into());
            }
        }
    }

    fn down(&mut self, down: Down) {
        match down {
            Down::Welcome { build, user } => {
                self.welcome = true;
                self.attempt = 0;
                self.shared.signed_in(user);
                self.built(build);
                self.resume();
                self.flush();
            }
            Down::Snapshot {
                session, picture, ..
            } => self.with(session, |seen| seen.replace(*picture)),
            Down::Events { session, events } => self.with(session, |seen| seen.apply(events)),
            Down::Synced { session, .. } => {
                if self.watches(session) {
                    self.link(Link::Live);
                }
            }
            Down::Accepted { .. } | Down::Pong {} => {}
            Down::Refused {
                id,
                code,
                message,
                session,
            } => self.refused(&id, code, &message, session),
            Down::Beat { seqs } => self.beat(&seqs),
        }
    }

    fn built(&mut self, build: String) {
        match &self.build {
            Some(known) if *known != build => {
                self.shared
                    .toast("the server was updated; reload the page to use the new version");
            }
            _ => self.build = Some(build),
        }
    }

    fn with(&mut self, session: SessionId, change: impl FnOnce(&mut Seen)) {
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.id() == session) else {
            return;
        };
        change(seen);
        if self.outbox.settle(&seen.picture) {
            self.keep_outbox();
        }
        self.dirty();
    }

    fn watches(&self, session: SessionId) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.id() == session)
    }

    fn refused(&mut self, id: &str, code: String, message: &str, session: Option<SessionId>) {
        if self.outbox.failed(id, message) {
            return self.keep_outbox();
        }
        match session.filter(|session| id.is_empty() && self.watches(*session)) {
            Some(session) => {
                let (code, message) = (code, message.to_owned());
                let mut missing = self.shared.missing;
                missing.set(Some(Missing {
                    session,
                    code,
                    message,
                }));
            }
            None => self.shared.toast(message),
        }
    }

    /// The last frame of a burst leaves no gap to see; the beat tells.
    fn beat(&mut self, seqs: &[(SessionId, Seq)]) {
        let Some(seen) = &self.seen else { return };
        let (id, cursor) = (seen.id(), seen.cursor());
        let behind = seqs
            .iter()
            .any(|(session, seq)| *session == id && Some(*seq) > cursor);
        if behind && cursor.is_some() {
            self.send(&Up::Watch {
                session: id,
                after: cursor,
            });
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let Ok(frame) = Screenful::decode(bytes) else {
            return;
        };
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.id() == frame.session) else {
            return;
        };
        if !seen.screen(&frame) {
            self.watch_afresh();
        }
    }

    /// Asks for a snapshot, since something is missing.
    fn watch_afresh(&mut self) {
        let now = dom::now();
        if now.since(self.afresh) < AFRESH {
            return;
        }
        self.afresh = now;
        if let Some(session) = self.seen.as_ref().map(Seen::id) {
            self.send(&Up::Watch {
                session,
                after: None,
            });
        }
    }

    // ---- what the page wants ----

    fn watch(&mut self, session: SessionId) {
        if !self.watches(session) {
            self.seen = Some(Seen::new(session));
            let mut missing = self.shared.missing;
            missing.set(None);
            self.resume();
        }
        self.dirty();
    }

    fn unwatch(&mut self, session: SessionId) {
        if self.watches(session) {
            self.seen = None;
            self.send(&Up::Unwatch { session });
            self.dirty();
        }
    }

    /// Watches from where the picture ends.
    fn resume(&self) {
        if !self.welcome {
            return;
        }
        match &self.seen {
            Some(seen) => {
                self.link(Link::CatchingUp);
                self.send(&Up::Watch {
                    session: seen.id(),
                    after: seen.cursor(),
                });
            }
            None => self.link(Link::Live),
        }
    }

    fn command(&self, session: SessionId, command: Command) -> bool {
        let id = dom::new_id();
        self.send(&Up::Command {
            id,
            session,
            command,
        })
    }

    fn post(&mut self, session: SessionId, text: String) {
        self.outbox.push(dom::new_id(), session, text);
        self.flush();
    }

    /// Sends what waits, if it can be sent.
    fn flush(&mut self) {
        use crate::model::outbox::Progress;
        for message in self.outbox.messages.clone() {
            if message.state != Progress::Waiting {
                continue;
            }
            let (session, text) = (message.session, message.text);
            let delivery = duplex_domain::Delivery::Queue;
            let command = Command::PostMessage { text, delivery };
            let id = message.id.clone();
            if self.send(&Up::Command {
                id,
                session,
                command,
            }) {
                self.outbox.sent(&message.id);
            }
        }
        self.keep_outbox();
    }

    fn keep_outbox(&mut self) {
        let empty = self.outbox.messages.is_empty();
        let text = serde_json::to_string(&self.outbox).ok();
        dom::store(OUTBOX, text.filter(|_| !empty));
        self.dirty();
    }

    fn interrupt(&self, session: SessionId) {
        let shared = self.shared;
        if !self.command(session, Command::Interrupt { turn: None }) {
            spawn(async move {
                shared.ask(session, Command::Interrupt { turn: None }).await;
            });
        }
    }

    fn type_keys(&self, session: SessionId, terminal: TerminalId, keys: Vec<u8>) {
        let data = Blob(keys);
        // Keys that cannot be sent now must not arrive later: they are dropped, and the pane says that it is cut off.
        self.command(session, Command::Type { terminal, data });
    }

    /// Only who has the keyboard decides a terminal's size.
    fn fit(&self, terminal: TerminalId, size: Size) {
        let Some(seen) = &self.seen else { return };
        let session = &seen.picture.session;
        let me = self.shared.me.peek().as_ref().map(|me| me.id);
        let mine =
            me.is_some_and(|me| duplex_domain::work::may_type(session, me, terminal).is_ok());
        let now = session
            .terminals
            .get(&terminal)
            .map(|terminal| terminal.size);
        let size = size.clamped();
        if mine && now != Some(size) {
            self.command(seen.id(), Command::Resize { terminal, size });
        }
    }

    fn attach(&mut self, terminal: TerminalId, drawn: Drawn) {
        let whole = self
            .seen
            .as_mut()
            .is_none_or(|seen| seen.attach(terminal, drawn));
        if !whole {
            self.watch_afresh();
        }
        self.allow_keys();
    }

    fn older(&mut self, session: SessionId, items: Vec<Item>, more: bool) {
        self.with(session, |seen| seen.prepend(items, more));
    }

    // ---- showing ----

    /// Something changed: show it with the next frame.
    fn dirty(&mut self) {
        if self.asked {
            return;
        }
        self.asked = true;
        let tx = self.tx.clone();
        dom::next_frame(move || {
            let _ = tx.unbounded_send(Msg::Frame);
        });
    }

    fn show(&mut self) {
        self.asked = false;
        let shared = self.shared;
        shared.show_outbox(&self.outbox);
        match &mut self.seen {
            Some(seen) if seen.known => {
                seen.refresh();
                shared.show(seen);
            }
            Some(_) | None => shared.show_nothing(),
        }
        self.allow_keys();
    }

    fn allow_keys(&self) {
        let Some(seen) = &self.seen else { return };
        let session = &seen.picture.session;
        let me = self.shared.me.peek().as_ref().map(|me| me.id);
        for terminal in session.terminals.keys() {
            let allowed =
                me.is_some_and(|me| duplex_domain::work::may_type(session, me, *terminal).is_ok());
            if let Some(drawn) = seen.drawn(*terminal) {
                drawn.allow(allowed);
            }
        }
    }
}
