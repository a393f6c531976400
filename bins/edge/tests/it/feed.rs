//! The page's socket.

use crate::stack::{BOB, Person, Stack, said};
use duplex_domain::{
    Blob, Envelope, Epoch, Event, Lane, Level, Picture, Role, RunnerId, Seq, SessionId, Size,
    TerminalId, Time, UserId, Writer,
};
use duplex_eventlog::Address;
use duplex_wire::{Close, Down, Present, Screenful, ScreenfulKind};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

/// What a socket says.
#[derive(Debug)]
enum Said {
    Down(Box<Down>),
    Bytes(Vec<u8>),
    Closed(u16),
}

impl Socket {
    pub async fn dial(base: &str, origin: &str, cookie: Option<&str>) -> Self {
        Self::dial_as(base, Some(origin), cookie).await
    }

    pub async fn dial_as(base: &str, origin: Option<&str>, cookie: Option<&str>) -> Self {
        let mut request = format!("{}/api/feed", base.replace("http", "ws"))
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            let origin = origin.parse().unwrap();
            request.headers_mut().insert("origin", origin);
        }
        if let Some(cookie) = cookie {
            request
                .headers_mut()
                .insert("cookie", cookie.parse().unwrap());
        }
        Self(connect_async(request).await.unwrap().0)
    }

    pub async fn open(person: &Person) -> Self {
        let mut socket = Self::dial(&person.base, &person.base, Some(&person.cookie)).await;
        let welcome = socket.down().await;
        assert!(
            matches!(&welcome, Down::Welcome { user, .. } if user.id == person.id),
            "{welcome:?}"
        );
        socket
    }

    /// The socket of anybody who has one, visitors too.
    pub async fn any(person: &Person) -> Self {
        let mut socket = Self::dial(&person.base, &person.base, Some(&person.cookie)).await;
        let welcome = socket.down().await;
        assert!(matches!(welcome, Down::Welcome { .. }), "{welcome:?}");
        socket
    }

    /// The first word, or why there is none.
    pub async fn first(&mut self) -> Result<Down, Option<Close>> {
        match self.next().await {
            Said::Down(down) => Ok(*down),
            Said::Closed(code) => Err(Close::from_code(code)),
            Said::Bytes(_) => panic!("bytes before any word"),
        }
    }

    /// Everybody who was said to be at the session until now.
    pub async fn everybody_present(&mut self) -> BTreeSet<UserId> {
        self.send(r#"{"type":"ping"}"#).await;
        let mut seen = BTreeSet::new();
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let Ok(Some(Ok(Message::Text(text)))) = message else {
                continue;
            };
            match serde_json::from_str(&text).unwrap() {
                Down::Presence { people, .. } => seen.extend(people.iter().map(|one| one.user)),
                Down::Pong {} => return seen,
                _ => {}
            }
        }
    }

    /// A program's socket.
    pub async fn by_token(base: &str, token: &str) -> Self {
        let address = format!("{}/api/feed", base.replace("http", "ws"));
        let mut request = address.into_client_request().unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let mut socket = Self(connect_async(request).await.unwrap().0);
        let welcome = socket.down().await;
        assert!(matches!(welcome, Down::Welcome { .. }), "{welcome:?}");
        socket
    }

    pub async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    pub async fn watch(&mut self, session: SessionId, after: Option<Seq>) {
        self.send(json!({"type": "watch", "session": session, "after": after}).to_string())
            .await;
    }

    pub async fn command(&mut self, session: SessionId, command: Value) -> String {
        let id = Uuid::now_v7().as_simple().to_string();
        let up = json!({"type": "command", "id": id, "session": session, "command": command});
        self.send(up.to_string()).await;
        id
    }

    /// A socket that shows a session, live.
    pub async fn watching(person: &Person, session: SessionId) -> Self {
        let mut socket = Self::open(person).await;
        socket.watch(session, None).await;
        socket.snapshot().await;
        socket
    }

    /// Waits until exactly these people are at the session.
    pub async fn present_until(&mut self, wanted: &[Present]) {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("they do not come");
            if let Some(Ok(Message::Text(text))) = message
                && let Down::Presence { people, .. } = serde_json::from_str(&text).unwrap()
                && people == wanted
            {
                return;
            }
        }
    }

    /// The next thing said; beats, and who watches, left out.
    async fn next(&mut self) -> Said {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next())
                .await
                .expect("nothing is said");
            match message {
                Some(Ok(Message::Text(text))) => match serde_json::from_str(&text).unwrap() {
                    Down::Beat { .. } | Down::Presence { .. } => {}
                    down => return Said::Down(Box::new(down)),
                },
                Some(Ok(Message::Binary(bytes))) => return Said::Bytes(bytes.to_vec()),
                Some(Ok(Message::Close(Some(frame)))) => return Said::Closed(frame.code.into()),
                Some(Ok(_)) => {}
                other => panic!("the socket broke: {other:?}"),
            }
        }
    }

    pub async fn down(&mut self) -> Down {
        match self.next().await {
            Said::Down(down) => *down,
            other => panic!("not a message: {other:?}"),
        }
    }

    pub async fn closed(&mut self) -> Option<Close> {
        match self.next().await {
            Said::Closed(code) => Close::from_code(code),
            other => panic!("not a close: {other:?}"),
        }
    }

    /// Whether the socket still answers.
    pub async fn answers(&mut self) {
        self.send(r#"{"type":"ping"}"#).await;
        assert_eq!(self.down().await, Down::Pong {});
    }

    /// The code with which something was refused.
    pub async fn refused(&mut self) -> (String, String) {
        match self.down().await {
            Down::Refused { id, code, .. } => (id, code),
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The command that was accepted.
    pub async fn accepted(&mut self) -> String {
        match self.down().await {
            Down::Accepted { id, .. } => id,
            other => panic!("not accepted: {other:?}"),
        }
    }

    /// Takes a snapshot and the word that it is live.
    pub async fn snapshot(&mut self) -> Picture {
        let Down::Snapshot { picture, seq, .. } = self.down().await else {
            panic!("no snapshot")
        };
        assert_eq!(picture.session.seq, seq);
        loop {
            match self.next().await {
                Said::Bytes(_) => {}
                Said::Down(down) if matches!(*down, Down::Synced { seq: synced, .. } if synced == seq) =>
                {
                    return *picture;
                }
                other => panic!("not synced: {other:?}"),
            }
        }
    }

    /// Folds events until the picture is what it should be; other messages are left out.
    pub async fn folds_until(&mut self, picture: &mut Picture, there: impl Fn(&Picture) -> bool) {
        while !there(picture) {
            if let Said::Down(down) = self.next().await
                && let Down::Events { session, events } = *down
            {
                for frame in events {
                    picture.apply(&frame.recorded(session));
                }
            }
        }
    }
}

async fn one_session(stack: &Stack) -> (Person, SessionId) {
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    (ada, session)
}

#[tokio::test]
async fn who_may_not_have_a_socket_is_told_why() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let base = stack.base.clone();
    let dial = |origin: &'static str, cookie: Option<&'static str>| {
        let base = base.clone();
        async move {
            let origin = if origin.is_empty() {
                base.clone()
            } else {
                origin.to_owned()
            };
            Socket::dial(&base, &origin, cookie).await.closed().await
        }
    };
    assert_eq!(dial("", None).await, Some(Close::SignedOut));
    assert_eq!(
        dial("", Some("duplex_session=guess")).await,
        Some(Close::SignedOut)
    );
    assert_eq!(
        dial("https://evil.example", None).await,
        Some(Close::WrongOrigin)
    );
    let mut foreign = Socket::dial(&stack.base, "null", Some(&ada.cookie)).await;
    assert_eq!(foreign.closed().await, Some(Close::WrongOrigin));
    let plain = ada.get("/api/feed").await;
    assert_eq!(plain.error(), (426, "not_a_socket", None));
}

#[tokio::test]
async fn whatever_a_page_sends_the_socket_stays() {
    let stack = Stack::start().await;
    let (ada, session) = one_session(&stack).await;
    let mut socket = Socket::open(&ada).await;
    let long = "x".repeat(257 * 1024);
    let command = |command: Value| json!({"type": "command", "id": "a1", "session": session, "command": command});
    let cases = [
        ("{".to_owned(), "", "bad_json"),
        ("[]".to_owned(), "", "not_an_object"),
        ("{}".to_owned(), "", "missing_type"),
        (r#"{"type":"dance"}"#.to_owned(), "", "unknown_type"),
        (r#"{"type":"watch"}"#.to_owned(), "", "bad_message"),
        (
            command(json!({"type": "dance"})).to_string(),
            "a1",
            "bad_command",
        ),
        (command(json!({"type": "end"})).to_string(), "a1", "bad_id"),
    ];
    for (text, id, code) in cases {
        socket.send(text).await;
        assert_eq!(socket.refused().await, (id.to_owned(), code.to_owned()));
    }
    for (text, code) in [(" ", "empty"), (long.as_str(), "too_long")] {
        let id = socket
            .command(session, json!({"type": "post_message", "text": text}))
            .await;
        assert_eq!(socket.refused().await, (id, code.to_owned()));
    }
    socket.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(socket.refused().await.1, "not_text");
    let unknown = SessionId(Uuid::now_v7());
    let id = socket.command(unknown, json!({"type": "end"})).await;
    assert_eq!(socket.refused().await, (id, "not_found".to_owned()));
    socket.watch(unknown, None).await;
    assert_eq!(socket.refused().await.1, "not_found");

    socket.send(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.down().await, Down::Pong {});
}

#[tokio::test]
async fn a_message_over_the_limit_closes_with_its_code() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let mut socket = Socket::open(&ada).await;
    // The edge may close before it has read all.
    let _ = socket.0.send(Message::text("x".repeat(600 * 1024))).await;
    assert_eq!(socket.closed().await, Some(Close::TooLarge));
}

#[tokio::test]
async fn too_many_messages_are_refused_and_the_socket_stays() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let mut socket = Socket::open(&ada).await;
    for _ in 0..400 {
        socket
            .0
            .feed(Message::text(r#"{"type":"ping"}"#))
            .await
            .unwrap();
    }
    socket.0.flush().await.unwrap();
    let (mut pongs, mut refused) = (0, 0);
    while pongs + refused < 400 {
        match socket.down().await {
            Down::Pong {} => pongs += 1,
            Down::Refused { code, .. } if code == "rate_limited" => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(
        pongs >= 256 && refused > 0,
        "{pongs} answered, {refused} refused"
    );
}

#[tokio::test]
async fn two_sockets_see_the_same_in_the_same_order() {
    let stack = Stack::start().await;
    let (ada, session) = one_session(&stack).await;
    let (mut one, mut two) = (Socket::open(&ada).await, Socket::open(&ada).await);
    one.watch(session, None).await;
    two.watch(session, None).await;
    let (mut seen, mut also) = (one.snapshot().await, two.snapshot().await);

    for number in 0..8 {
        let text = json!({"type": "post_message", "text": format!("message {number}")});
        let by = if number % 2 == 0 { &mut one } else { &mut two };
        by.command(session, text).await;
    }
    let all = |picture: &Picture| picture.session.queue.len() == 8;
    one.folds_until(&mut seen, all).await;
    two.folds_until(&mut also, all).await;
    assert_eq!(seen, also);

    let mut late = Socket::open(&ada).await;
    late.watch(session, None).await;
    assert_eq!(late.snapshot().await, seen);
}

#[tokio::test]
async fn who_comes_back_with_a_cursor_gets_what_was_missed() {
    let stack = Stack::start().await;
    let (ada, session) = one_session(&stack).await;
    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    let mut picture = socket.snapshot().await;
    socket
        .command(session, json!({"type": "rename", "title": "one"}))
        .await;
    socket
        .folds_until(&mut picture, |picture| picture.session.title == "one")
        .await;
    drop(socket);

    ada.command(session, json!({"type": "rename", "title": "two"}))
        .await;
    ada.command(session, json!({"type": "rename", "title": "three"}))
        .await;
    let mut back = Socket::open(&ada).await;
    back.watch(session, Some(picture.session.seq)).await;
    let Down::Events { events, .. } = back.down().await else {
        panic!("no events")
    };
    let titles = events
        .iter()
        .flat_map(|frame| &frame.events)
        .map(|envelope| match &envelope.event {
            Event::Renamed { title } => title.as_str(),
            other => panic!("{other:?}"),
        });
    assert_eq!(titles.collect::<Vec<_>>(), ["two", "three"]);
    assert_eq!(
        back.down().await,
        Down::Synced {
            session,
            seq: events[1].seq
        }
    );

    back.watch(session, Some(Seq(1_000_000))).await;
    assert_eq!(back.snapshot().await.session.title, "three");
}

#[tokio::test]
async fn accepted_names_the_commands_place() {
    let stack = Stack::start().await;
    let (ada, session) = one_session(&stack).await;
    let mut socket = Socket::open(&ada).await;
    let id = socket
        .command(session, json!({"type": "rename", "title": "named"}))
        .await;
    let Down::Accepted { id: of, seq } = socket.down().await else {
        panic!("not accepted")
    };
    assert_eq!(of, id);
    assert_eq!(
        ada.get(&format!("/api/sessions/{session}")).await.body["seq"],
        json!(seq)
    );
}

/// What a runner puts out.
pub fn put_out(event: Event) -> Envelope {
    let by = Writer::Runner(RunnerId::default());
    Envelope {
        v: 1,
        at: Time(9),
        by,
        epoch: Some(Epoch(1)),
        turn: None,
        event,
    }
}

/// Claims a session for a runner and opens a terminal in it.
async fn with_terminal(stack: &Stack, address: &Address, seq: Seq) -> TerminalId {
    let terminal = TerminalId(Uuid::now_v7());
    let runner = RunnerId::default();
    let size = Size { cols: 80, rows: 24 };
    let claimed = put_out(Event::Claimed {
        runner,
        sandbox: "bubblewrap".into(),
    });
    let events = [claimed, said(Event::TerminalOpened { terminal, size })];
    stack
        .log
        .append(address, Lane::Fact, seq, "terminal", &events)
        .await
        .unwrap();
    terminal
}

#[tokio::test]
async fn terminal_output_comes_as_bytes_and_a_late_joiner_gets_the_screen() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, address, seq) = stack.foreign_session(&[(ada.id, Role::Viewer)]).await;
    let terminal = with_terminal(&stack, &address, seq).await;
    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    socket.snapshot().await;

    let bytes = b"\x1b[31mred\xff".to_vec();
    let printed = [put_out(Event::Printed {
        terminal,
        offset: 0,
        bytes: Blob(bytes.clone()),
    })];
    let at = stack
        .log
        .append(&address, Lane::Output, Seq(0), "printed", &printed)
        .await
        .unwrap();
    let Said::Bytes(frame) = socket.next().await else {
        panic!("no bytes")
    };
    let kind = ScreenfulKind::Output;
    let expected = Screenful {
        kind,
        session,
        terminal,
        seq: at,
        offset: 0,
        bytes: &bytes,
    };
    assert_eq!(Screenful::decode(&frame).unwrap(), expected);

    let mut late = Socket::open(&ada).await;
    late.watch(session, None).await;
    assert!(matches!(late.down().await, Down::Snapshot { .. }));
    let Said::Bytes(frame) = late.next().await else {
        panic!("no screen")
    };
    let screen = Screenful::decode(&frame).unwrap();
    assert_eq!(
        (screen.kind, screen.offset, screen.seq),
        (ScreenfulKind::Screen, 8 + 1, at)
    );
    assert!(String::from_utf8_lossy(screen.bytes).contains("red"));
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    assert!(
        view["terminals"][0]["text"][0]
            .as_str()
            .unwrap()
            .starts_with("red"),
        "{view}"
    );
}

#[tokio::test]
async fn a_page_that_does_not_keep_up_is_spared_output_and_then_shown_the_screen() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, address, seq) = stack.foreign_session(&[(ada.id, Role::Owner)]).await;
    let terminal = with_terminal(&stack, &address, seq).await;
    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    socket.snapshot().await;
    let drawn =
        |bytes: u64| json!({"type": "drawn", "session": session, "bytes": bytes}).to_string();
    socket.send(drawn(0)).await;

    let (mut guard, mut offset) = (Seq(0), 0);
    for n in 0..20_u8 {
        let bytes = Blob(vec![b'a' + n; 65_536]);
        let printed = [put_out(Event::Printed {
            terminal,
            offset,
            bytes,
        })];
        let name = format!("printed {n}");
        let appended = stack
            .log
            .append(&address, Lane::Output, guard, &name, &printed);
        (guard, offset) = (appended.await.unwrap(), offset + 65_536);
    }
    // The chat goes on.
    let renamed = json!({"type": "rename", "title": "still heard"});
    ada.command(session, renamed).await;
    let mut got = 0;
    loop {
        match socket.next().await {
            Said::Bytes(frame) => got += Screenful::decode(&frame).unwrap().bytes.len() as u64,
            Said::Down(down) => {
                let Down::Events { events, .. } = *down else {
                    continue;
                };
                let mut events = events.iter().flat_map(|frame| &frame.events);
                if events.any(|envelope| matches!(envelope.event, Event::Renamed { .. })) {
                    break;
                }
            }
            Said::Closed(_) => panic!("closed"),
        }
    }
    // Nothing is cut in the middle, so one piece may go beyond the half mebibyte.
    assert!((512 * 1024..=576 * 1024).contains(&got), "{got}");

    socket.send(drawn(got)).await;
    let Down::Snapshot { picture, .. } = socket.down().await else {
        panic!("no snapshot")
    };
    assert_eq!(picture.session.title, "still heard");
    let Said::Bytes(frame) = socket.next().await else {
        panic!("no screen")
    };
    let screen = Screenful::decode(&frame).unwrap();
    assert_eq!(
        (screen.kind, screen.offset),
        (ScreenfulKind::Screen, offset)
    );
}

#[tokio::test]
async fn who_is_removed_sees_nothing_more() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, address, seq) = stack.foreign_session(&[(ada.id, Role::Driver)]).await;
    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    assert_eq!(
        socket.snapshot().await.session.role_of(BOB),
        Some(Role::Owner)
    );

    let events = [
        said(Event::MemberRemoved { user: ada.id }),
        said(Event::Renamed {
            title: "secret".into(),
        }),
    ];
    stack
        .log
        .append(&address, Lane::Fact, seq, "removed", &events)
        .await
        .unwrap();
    assert_eq!(socket.refused().await.1, "not_found");
    socket.send(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.down().await, Down::Pong {});
}

#[tokio::test]
async fn signing_out_closes_the_browsers_sockets_and_no_others() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let elsewhere = stack.login().await;
    let (mut here, mut there) = (Socket::open(&ada).await, Socket::open(&elsewhere).await);
    let out = ada
        .request(Method::POST, "/api/logout")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(here.closed().await, Some(Close::SignedOut));
    there.send(r#"{"type":"ping"}"#).await;
    assert_eq!(there.down().await, Down::Pong {});
}

#[tokio::test]
async fn an_edge_that_stops_says_so() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let mut socket = Socket::open(&ada).await;
    stack.edge.stop();
    assert_eq!(socket.closed().await, Some(Close::GoingAway));
}

#[tokio::test]
async fn a_slow_page_starts_over_from_a_snapshot() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, address, _) = stack.foreign_session(&[(ada.id, Role::Viewer)]).await;
    let mut slow = Socket::open(&ada).await;
    slow.watch(session, None).await;
    let mut picture = slow.snapshot().await;

    // More than all buffers on the way hold, while the page reads nothing.
    let mut guard = Seq(0);
    for number in 0..1_200 {
        let text = format!("{number} {}", "x".repeat(16 * 1024));
        let notice = [said(Event::Notice {
            level: Level::Info,
            code: "flood".into(),
            text,
        })];
        let name = format!("n{number}");
        let appended = stack
            .log
            .append(&address, Lane::Output, guard, &name, &notice);
        guard = appended.await.unwrap();
    }

    let mut snapshots = 0;
    while picture.session.seq < guard {
        match slow.next().await {
            Said::Down(down) => match *down {
                Down::Events { session, events } => {
                    for frame in events {
                        picture.apply(&frame.recorded(session));
                    }
                }
                Down::Snapshot { picture: fresh, .. } => {
                    snapshots += 1;
                    picture = *fresh;
                }
                _ => {}
            },
            other => panic!("{other:?}"),
        }
    }
    assert!(snapshots > 0, "nothing was skipped, so nothing was shown");
    let mut quick = Socket::open(&ada).await;
    quick.watch(session, None).await;
    picture.transcript.keep_newest(200);
    assert_eq!(quick.snapshot().await, picture);
}
