//! The page's one socket: keeps it open, folds what it brings, and shows the result once a frame.

mod connection;
mod incoming;
mod outgoing;
mod screens;
mod show;

use super::seen::Seen;
use crate::interop::dom::{self, Report, Socket};
use crate::interop::terminal::{Drawn, Told};
use crate::model::{drawing::Drawing, grip::Grip, keys::Keys, outbox::Outbox};
use crate::state::Shared;
use duplex_domain::{Delivery, Item, Seq, SessionId, Size, TerminalId, Time, UserId};
use duplex_wire::Here;
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use futures_util::StreamExt;
use std::collections::HashMap;
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
/// How long the page waits before it says how far its person has read, in milliseconds.
const READING: u32 = 1_500;

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
    Post(SessionId, String, Delivery),
    /// Send a refused message again.
    Again(String),
    /// Throw a message away that was not sent.
    Discard(String),
    /// Interrupt the running turn.
    Interrupt(SessionId),
    /// A drawn terminal tells something.
    Told(SessionId, TerminalId, Told),
    /// Have a drawn terminal do what its menu offers.
    Do(TerminalId, &'static str),
    /// Sizes may be given again.
    Refit,
    /// Draw a terminal here.
    Attach(TerminalId, Box<Drawn>),
    /// Draw it no more.
    Detach(TerminalId),
    /// Give a terminal the focus.
    Focus(TerminalId),
    /// Where the person at this page is.
    Here(SessionId, Here),
    /// The person has seen everything up to a frame.
    Read(SessionId, Seq),
    /// Say how far they have read.
    TellRead,
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
    keys: Keys,
    grip: Grip,
    drawing: Drawing,
    /// The size that fits each drawn terminal here.
    fits: HashMap<TerminalId, Size>,
    resized: Time,
    /// Who had the keyboard in the last frame.
    driver: Option<UserId>,
    /// A frame has been asked for.
    asked: bool,
    known: Known,
}

/// What the server knows of the person at this page.
#[derive(Default)]
struct Known {
    /// Where they are.
    here: Option<Here>,
    /// How far they have read.
    read: Seq,
    /// That is about to be said.
    reading: bool,
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
            keys: Keys::default(),
            grip: Grip::default(),
            drawing: Drawing::default(),
            fits: HashMap::new(),
            resized: Time(0),
            driver: None,
            asked: false,
            known: Known::default(),
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
            Msg::Post(session, text, delivery) => self.post(session, text, delivery),
            Msg::Again(id) => {
                self.outbox.again(&id);
                self.flush();
            }
            Msg::Discard(id) => {
                self.outbox.take(&id);
                self.keep_outbox();
            }
            Msg::Interrupt(session) => self.interrupt(session),
            Msg::Told(session, terminal, told) => self.told(session, terminal, told),
            Msg::Do(terminal, what) => self.with_drawn(terminal, |drawn| drawn.does(what)),
            Msg::Refit => self.refit(),
            Msg::Attach(terminal, drawn) => self.attach(terminal, *drawn),
            Msg::Detach(terminal) => self.detach(terminal),
            Msg::Focus(terminal) => self.with_drawn(terminal, Drawn::focus),
            Msg::Here(session, here) => self.tell(session, here),
            Msg::Read(session, seq) => self.has_read(session, seq),
            Msg::TellRead => self.tell_read(),
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
}
