//! How far somebody has read, and what happened since.

use crate::feed::Socket;
use crate::money::projector;
use crate::stack::{PATIENCE, Person, Stack, said};
use duplex_domain::{Event, Lane, Level, Seq, SessionId};
use duplex_eventlog::Address;
use serde_json::{Value, json};
use std::time::Instant;

async fn digest(person: &Person, session: SessionId) -> Value {
    let answer = person.get(&format!("/api/sessions/{session}/digest")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// The digest, once it is as wanted.
async fn digest_when(person: &Person, session: SessionId, there: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = digest(person, session).await;
        if there(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "{found}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_happened_since_somebody_last_looked_is_told() {
    let stack = Stack::start().await;
    let _projector = projector(&stack);
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let never = digest(&ada, session).await;
    assert_eq!(
        never,
        json!({"digest": {"finished": 0, "unfinished": 0, "calls": 0, "failed": 0, "edits": 0,
        "commits": 0, "cost": {"pico": 0, "unpriced": 0}}, "whole": true})
    );

    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    let picture = socket.snapshot().await;
    let seen = picture.session.seq;
    // What was not sent cannot have been seen.
    let read = json!({"type": "read", "session": session, "seq": seen.0 + 1_000});
    socket.send(read.to_string()).await;
    let looked = digest_when(&ada, session, |found| !found["read"].is_null()).await;
    assert_eq!(looked["read"], json!(seen));

    let team = picture.session.team;
    let events = [said(Event::Notice {
        level: Level::Info,
        code: "told".into(),
        text: "something happened".into(),
    })];
    let address = Address { team, session };
    let appended = stack
        .log
        .append(&address, Lane::Output, Seq(0), "n", &events);
    let seq = appended.await.unwrap();
    let found = digest_when(&ada, session, |found| !found["digest"]["first"].is_null()).await;
    let first = duplex_domain::Place { seq, index: 0 };
    assert_eq!(found["digest"]["first"], json!(first));
    assert_eq!(found["read"], json!(seen));
}
