//! What a person may do is taken away while they type, scroll and follow: it holds at once, everywhere.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Blob, Command, Role, Seq, SessionId, Size, TerminalId};
use duplex_testkit::{Feed, Person, Stack, StackOptions};
use duplex_wire::{Frame, ItemPage, TeamRole};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::{Method, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How fast somebody presses keys and turns pages: as fast as they may.
const PACE: Duration = Duration::from_millis(25);
const SIZE: Size = Size { cols: 80, rows: 24 };

struct Scene {
    _stack: Stack,
    ada: Person,
    bob: Person,
    session: SessionId,
    terminal: TerminalId,
}

impl Scene {
    /// A session with something in it; Bob drives, and has the keyboard.
    async fn new() -> Self {
        let stack = Stack::start_with(StackOptions::default()).await.unwrap();
        let ada = stack.ada().await.unwrap();
        let bob = ada.brings("Bob", TeamRole::Member).await.unwrap();
        let session = ada.opens(&stack.workspace).await.unwrap();
        let mut feed = ada.watches(session).await.unwrap();
        for n in 0..3 {
            ada.says(session, &format!("[[say 3]] {n}")).await.unwrap();
        }
        let open = Command::OpenTerminal { size: SIZE };
        let terminal = TerminalId(feed.commands(open).await.unwrap());
        let prompt = |feed: &Feed| feed.printed(terminal).contains('$');
        feed.sees("a prompt", prompt).await.unwrap();
        let scene = Self {
            _stack: stack,
            ada,
            bob,
            session,
            terminal,
        };
        scene.makes_bob(Role::Driver).await;
        let to = Some(scene.bob_id().await);
        let give = Command::GiveControl { to };
        scene.ada.commands(session, give).await.unwrap();
        scene
    }

    async fn bob_id(&self) -> duplex_domain::UserId {
        self.bob.me().await.unwrap().id
    }

    async fn makes_bob(&self, role: Role) -> Seq {
        let (user, name) = (self.bob_id().await, "Bob".to_owned());
        let set = Command::SetMember { user, name, role };
        self.ada.commands(self.session, set).await.unwrap()
    }

    async fn removes_bob(&self) -> Seq {
        let user = self.bob_id().await;
        let remove = Command::RemoveMember { user };
        self.ada.commands(self.session, remove).await.unwrap()
    }
}

/// Types one key after the other until one is refused, and says with which code. No key that is sent once the right is
/// `gone` may be taken.
async fn types_until_refused(feed: &mut Feed, terminal: TerminalId, gone: &AtomicBool) -> String {
    let mut pace = tokio::time::interval(PACE);
    loop {
        pace.tick().await;
        let late = gone.load(Ordering::SeqCst);
        let data = Blob(b"x".to_vec());
        let id = feed
            .commands(Command::Type { terminal, data })
            .await
            .unwrap();
        let id = id.simple().to_string();
        loop {
            if let Some((_, code, _)) = feed.refused.iter().find(|(known, ..)| *known == id) {
                return code.clone();
            }
            if feed.accepted.iter().any(|(known, _)| *known == id) {
                assert!(!late, "a key was taken after the right to type was gone");
                break;
            }
            feed.next().await.unwrap();
        }
    }
}

/// Reads pages of items until there is none for them any more.
async fn scrolls_until_refused(bob: &Person, session: SessionId, gone: &AtomicBool) -> StatusCode {
    let mut tick = tokio::time::interval(PACE);
    loop {
        tick.tick().await;
        let late = gone.load(Ordering::SeqCst);
        let path = format!("/api/sessions/{session}/items?limit=2");
        let answer = bob.request(Method::GET, &path).send().await.unwrap();
        if !answer.status().is_success() {
            return answer.status();
        }
        assert!(!late, "a page was read after the person was removed");
        let page: ItemPage = answer.json().await.unwrap();
        assert!(page.items.len() <= 2);
    }
}

/// Follows the session's frames to the end of the stream; the last one's place.
async fn follows_to_the_end(bob: &Person, session: SessionId) -> Seq {
    let path = format!("/api/sessions/{session}/events?follow=true");
    let answer = bob.request(Method::GET, &path).send().await.unwrap();
    let bytes = answer.bytes_stream().map_err(std::io::Error::other);
    let lines = tokio_util::codec::FramedRead::new(
        tokio_util::io::StreamReader::new(bytes),
        tokio_util::codec::LinesCodec::new(),
    );
    let mut lines = Box::pin(lines);
    let mut last = Seq(0);
    while let Some(Ok(line)) = lines.next().await {
        let frame: Frame = serde_json::from_str(&line).unwrap();
        last = frame.seq;
    }
    last
}

#[tokio::test]
async fn who_is_removed_while_typing_scrolling_and_following_sees_and_does_nothing_more() {
    let scene = Scene::new().await;
    let session = scene.session;
    let mut feed = scene.bob.watches(session).await.unwrap();
    let gone = Arc::new(AtomicBool::new(false));
    let removing = async {
        // First they do all this for a while.
        let mut ada = scene.ada.watches(session).await.unwrap();
        let typed = |feed: &Feed| feed.printed(scene.terminal).matches('x').count() > 20;
        ada.sees("what Bob types", typed).await.unwrap();
        let removed = scene.removes_bob().await;
        gone.store(true, Ordering::SeqCst);
        removed
    };
    let (removed, typing, scrolling, followed) = tokio::join!(
        removing,
        types_until_refused(&mut feed, scene.terminal, &gone),
        scrolls_until_refused(&scene.bob, session, &gone),
        follows_to_the_end(&scene.bob, session),
    );
    assert_eq!(typing, "not_found");
    assert_eq!(scrolling, StatusCode::NOT_FOUND);
    assert!(
        followed < removed,
        "{followed:?} was followed, {removed:?} removed"
    );
    let seen = feed.picture.session.seq;
    assert!(seen < removed, "{seen:?} was seen, {removed:?} removed");
}

#[tokio::test]
async fn who_may_only_read_from_now_on_types_no_further_key() {
    let scene = Scene::new().await;
    let mut feed = scene.bob.watches(scene.session).await.unwrap();
    let gone = Arc::new(AtomicBool::new(false));
    let lowering = async {
        let mut ada = scene.ada.watches(scene.session).await.unwrap();
        let typed = |feed: &Feed| feed.printed(scene.terminal).matches('x').count() > 20;
        ada.sees("what Bob types", typed).await.unwrap();
        let lowered = scene.makes_bob(Role::Viewer).await;
        gone.store(true, Ordering::SeqCst);
        lowered
    };
    let typing = types_until_refused(&mut feed, scene.terminal, &gone);
    let (lowered, code) = tokio::join!(lowering, typing);
    assert_eq!(code, "role_too_small");
    // They still see what happens.
    let told = |feed: &Feed| feed.picture.session.seq >= lowered;
    feed.sees("the change itself", told).await.unwrap();
    assert_eq!(feed.picture.session.driver, None);
}
