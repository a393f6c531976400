//! What people type and what they are shown stays with those it is for: hidden keys, forgotten keys, saved terminals.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{
    Blob, Command, Envelope, Event, Lane, Recorded, Seq, SessionId, Size, TerminalId, Time, Writer,
};
use duplex_eventlog::{Address, Log, Options};
use duplex_terminal::SealKey;
use duplex_testkit::{Feed, Person, Stack, wait_for};
use duplex_wire::Me;
use futures_util::TryStreamExt;
use reqwest::Method;
use std::path::Path;

const SIZE: Size = Size { cols: 80, rows: 24 };
const SECRET: &str = "hunter2-of-Kreuzberg-5513";

struct Scene {
    stack: Stack,
    ada: Person,
    session: SessionId,
    feed: Feed,
    terminal: TerminalId,
    log: Log,
}

/// What is in the log of what was typed: how many keys, and what was sealed.
type Typed = (u32, Vec<u8>);

impl Scene {
    async fn new() -> Self {
        let stack = Stack::start().await.unwrap();
        let ada = stack.ada().await.unwrap();
        let session = ada.opens(&stack.workspace).await.unwrap();
        let mut feed = ada.watches(session).await.unwrap();
        let open = Command::OpenTerminal { size: SIZE };
        let terminal = TerminalId(feed.commands(open).await.unwrap());
        let prompt = |feed: &Feed| feed.printed(terminal).contains('$');
        feed.sees("a prompt", prompt).await.unwrap();
        let options = Options {
            url: stack.nats_url_of("runner").unwrap(),
            monitor: None,
            name: "test",
        };
        let log = Log::connect(&options).await.unwrap();
        Self {
            stack,
            ada,
            session,
            feed,
            terminal,
            log,
        }
    }

    async fn types(&mut self, keys: &str) {
        let (terminal, data) = (self.terminal, Blob(keys.as_bytes().to_vec()));
        let command = Command::Type { terminal, data };
        self.feed.commands(command).await.unwrap();
    }

    async fn prints(&mut self, text: &str) {
        let terminal = self.terminal;
        let printed = |feed: &Feed| feed.printed(terminal).contains(text);
        self.feed.sees(text, printed).await.unwrap();
    }

    async fn frames(&self) -> Vec<Recorded> {
        let frames = self.log.read(self.session, Seq(0));
        frames.try_collect().await.unwrap()
    }

    async fn typed(&self) -> Vec<Typed> {
        let frames = self.frames().await;
        let events = frames.iter().flat_map(|frame| &frame.events);
        let typed = events.filter_map(|envelope| match &envelope.event {
            Event::Typed { count, bytes, .. } => Some((*count, bytes.0.clone())),
            _ => None,
        });
        typed.collect()
    }

    /// All bytes in the log that terminals put out or showed, in one piece.
    async fn shown(&self) -> Vec<u8> {
        let frames = self.frames().await;
        let events = frames.iter().flat_map(|frame| &frame.events);
        let bytes = events.filter_map(|envelope| match &envelope.event {
            Event::Printed { bytes, .. } | Event::ScreenSaved { bytes, .. } => Some(&bytes.0[..]),
            _ => None,
        });
        bytes.collect::<Vec<_>>().concat()
    }

    /// Waits until the newest keys in the log are such.
    async fn last_typed(&self, what: &str, such: impl Fn(&Typed) -> bool) -> Vec<Typed> {
        let typed = wait_for(what, async || {
            let typed = self.typed().await;
            Ok(typed.last().is_some_and(&such).then_some(typed))
        });
        typed.await.unwrap()
    }

    /// The key that this session's keystrokes are sealed with; a new one if there is none.
    async fn key(&self) -> SealKey {
        let registry = self.log.registry().await.unwrap();
        let fresh = *SealKey::generate().as_bytes();
        let key = registry.session_key(self.session, fresh).await.unwrap();
        SealKey::from_bytes(key)
    }

    /// The status of each way to save the terminal.
    async fn saves(&self) -> [u16; 2] {
        let path = format!("/api/sessions/{}/terminals/{}", self.session, self.terminal);
        let status = async |kind: &str| {
            let request = self.ada.request(Method::GET, &format!("{path}/{kind}"));
            request.send().await.unwrap().status().as_u16()
        };
        [status("cast").await, status("text").await]
    }
}

/// What the key makes readable of what was sealed, one after the other.
fn opened(key: &SealKey, typed: &[Typed]) -> String {
    let opened = typed.iter().filter_map(|(_, sealed)| key.open(sealed).ok());
    String::from_utf8(opened.flatten().collect()).unwrap()
}

fn holds(bytes: &[u8], sought: &[u8]) -> bool {
    bytes.windows(sought.len()).any(|part| part == sought)
}

/// The files under a folder that hold these bytes.
fn files_with(sought: &[u8], folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(files_with(sought, &path));
        } else if kind.is_file() && holds(&std::fs::read(&path).unwrap_or_default(), sought) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn keys_typed_at_a_password_prompt_are_nowhere() {
    let mut scene = Scene::new().await;
    let terminal = scene.terminal;
    scene
        .types("read -s x; echo go''t \"${#x}\" sig''n-of-life\n")
        .await;
    let hidden = |feed: &Feed| feed.picture.session.terminals[&terminal].hidden;
    scene.feed.sees("the lock", hidden).await.unwrap();
    scene.types(&format!("{SECRET}\n")).await;
    scene
        .prints(&format!("got {} sign-of-life", SECRET.len()))
        .await;

    let typed = scene
        .last_typed("the count", |(_, sealed)| sealed.is_empty())
        .await;
    // The secret and its newline, rounded up to eight.
    assert_eq!(typed.last(), Some(&(32, Vec::new())));
    // The key does open what was typed before: so the secret's absence says something.
    let readable = opened(&scene.key().await, &typed);
    assert!(readable.contains("read -s x"), "{readable}");
    assert!(!readable.contains(SECRET), "{readable}");
    assert!(!holds(&scene.shown().await, SECRET.as_bytes()));
    let data = scene.stack.data();
    assert_ne!(files_with(b"sign-of-life", &data), Vec::<String>::new());
    assert_eq!(files_with(SECRET.as_bytes(), &data), Vec::<String>::new());
}

#[tokio::test]
async fn forgetting_destroys_the_key_on_the_disk_too() {
    let mut scene = Scene::new().await;
    scene.types("echo be''fore\n").await;
    scene.prints("before").await;
    let sealed = scene
        .last_typed("sealed keys", |(_, sealed)| !sealed.is_empty())
        .await;
    let key = scene.key().await;
    assert_eq!(opened(&key, &sealed), "echo be''fore\n");

    assert_eq!(files_with(key.as_bytes(), &scene.stack.data()).len(), 1);

    let (ada, session) = (scene.ada.clone(), scene.session);
    ada.commands(session, Command::ForgetKeys).await.unwrap();
    assert_eq!(
        files_with(key.as_bytes(), &scene.stack.data()),
        Vec::<String>::new()
    );

    scene.types("echo af''ter\n").await;
    scene.prints("after").await;
    let typed = scene
        .last_typed("the count alone", |(_, sealed)| sealed.is_empty())
        .await;
    assert_eq!(typed, [sealed, vec![(13, Vec::new())]].concat());
    let other = scene.key().await;
    assert_ne!(other, key);
    assert_eq!(opened(&other, &typed), "");
}

#[tokio::test]
async fn who_is_no_member_saves_no_terminal() {
    let scene = Scene::new().await;
    assert_eq!(scene.saves().await, [200, 200]);

    let me: Me = scene.ada.get("/api/me").await.unwrap();
    let frames = scene.frames().await;
    let mut facts = frames.iter().filter(|frame| frame.lane == Lane::Fact);
    let newest = facts.next_back().unwrap().seq;
    let address = Address {
        team: scene.feed.picture.session.team,
        session: scene.session,
    };
    let removed = Envelope {
        v: 1,
        at: Time(7),
        by: Writer::User(me.id),
        epoch: None,
        turn: None,
        event: Event::MemberRemoved { user: me.id },
    };
    let (log, events) = (&scene.log, [removed]);
    log.append(&address, Lane::Fact, newest, "removed", &events)
        .await
        .unwrap();

    wait_for("the edge to know", async || {
        Ok((scene.saves().await == [404, 404]).then_some(()))
    })
    .await
    .unwrap();
}
