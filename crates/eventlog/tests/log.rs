//! The log on a real nats-server, also while that server is killed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{
    Blob, Envelope, Epoch, Event, Lane, Recorded, Refusal, RunnerId, Seq, SessionId, Shard, TeamId,
    TerminalId, Time, UserId, Writer, codec,
};
use duplex_eventlog::{
    Address, AppendError, BodyError, Follow, Followed, KeyPress, KeysError, Log, Options,
    RegistryError, WorkspaceEntry, WorkspaceState,
};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use futures_util::TryStreamExt;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

struct Place {
    nats: NatsServer,
    log: Log,
    _folder: TempDir,
}

async fn place() -> Place {
    let folder = scratch_dir().unwrap();
    let nats = NatsServer::start(NatsOptions::new(folder.path().join("nats")))
        .await
        .unwrap();
    let log = connect(&nats).await;
    Place {
        nats,
        log,
        _folder: folder,
    }
}

async fn connect(nats: &NatsServer) -> Log {
    let options = Options {
        url: nats.url(),
        monitor: Some(nats.monitor_url()),
        name: "test",
    };
    Log::connect(&options).await.unwrap()
}

fn address() -> Address {
    Address {
        team: TeamId(Uuid::now_v7()),
        session: SessionId(Uuid::now_v7()),
    }
}

fn said(text: &str) -> Vec<Envelope> {
    vec![Envelope {
        v: codec::CURRENT,
        at: Time(5),
        by: Writer::Runner(RunnerId::default()),
        epoch: Some(Epoch(1)),
        turn: None,
        event: Event::TextDelta {
            block: 0,
            text: text.to_owned(),
        },
    }]
}

async fn texts(log: &Log, session: SessionId, after: Seq) -> Vec<String> {
    let frames: Vec<Recorded> = log.read(session, after).try_collect().await.unwrap();
    frames.iter().flat_map(words).collect()
}

fn words(frame: &Recorded) -> Vec<String> {
    let texts = frame.events.iter().filter_map(|event| match &event.event {
        Event::TextDelta { text, .. } => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

/// Everything a follower gives up to the text `last`.
async fn follow_to(follow: &mut Follow, last: &str) -> Vec<String> {
    let all = async {
        let mut texts = Vec::new();
        while texts.last().map(String::as_str) != Some(last) {
            if let Followed::Frame(frame) = follow.next().await.unwrap() {
                texts.extend(words(&frame));
            }
        }
        texts
    };
    tokio::time::timeout(Duration::from_secs(30), all)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_appended_is_read_in_order_over_all_lanes() {
    let place = place().await;
    let at = address();
    let first = place
        .log
        .append(&at, Lane::Output, Seq(0), "1", &said("one"))
        .await
        .unwrap();
    let fact = Envelope {
        event: Event::Ended {},
        ..said("").remove(0)
    };
    place
        .log
        .append(&at, Lane::Fact, Seq(0), "2", &[fact])
        .await
        .unwrap();
    let printed = Event::Printed {
        terminal: TerminalId::default(),
        offset: 0,
        bytes: Blob(b"\xff\n\0".to_vec()),
    };
    let printed = Envelope {
        event: printed,
        ..said("").remove(0)
    };
    let last = place
        .log
        .append(&at, Lane::Output, first, "3", &[printed])
        .await
        .unwrap();

    let frames: Vec<Recorded> = place
        .log
        .read(at.session, Seq(0))
        .try_collect()
        .await
        .unwrap();

    let lanes: Vec<_> = frames.iter().map(|frame| frame.lane).collect();
    assert_eq!(lanes, [Lane::Output, Lane::Fact, Lane::Output]);
    let Event::Printed { bytes, .. } = &frames[2].events[0].event else {
        unreachable!("the last frame is the printed one");
    };
    assert_eq!(bytes.0, b"\xff\n\0");
    assert_eq!(place.log.newest(at.session).await.unwrap(), last);
    assert_eq!(place.log.newest(address().session).await.unwrap(), Seq(0));
}

#[tokio::test]
async fn of_two_who_expect_the_same_one_wins() {
    let place = place().await;
    let at = address();
    let appends = ["a", "b"].map(|id| {
        let log = place.log.clone();
        async move { log.append(&at, Lane::Fact, Seq(0), id, &said(id)).await }
    });

    let outcomes = futures_util::future::join_all(appends).await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let conflict = |outcome: &&Result<_, _>| matches!(outcome, Err(AppendError::Conflict { .. }));
    assert_eq!(outcomes.iter().filter(conflict).count(), 1);
    assert_eq!(texts(&place.log, at.session, Seq(0)).await.len(), 1);
}

#[tokio::test]
async fn the_same_frame_appended_again_is_the_same_frame() {
    let place = place().await;
    let at = address();
    let first = place
        .log
        .append(&at, Lane::Output, Seq(0), "1", &said("one"))
        .await
        .unwrap();
    place
        .log
        .append(&at, Lane::Output, first, "2", &said("two"))
        .await
        .unwrap();

    let again = place
        .log
        .append(&at, Lane::Output, Seq(0), "1", &said("one"))
        .await
        .unwrap();

    assert_eq!(again, first);
    assert_eq!(texts(&place.log, at.session, Seq(0)).await, ["one", "two"]);
}

#[tokio::test]
async fn long_sessions_are_read_whole() {
    let place = place().await;
    let at = address();
    let mut guard = Seq(0);
    for n in 0..1234 {
        let frame = said(&n.to_string());
        guard = place
            .log
            .append(&at, Lane::Output, guard, &n.to_string(), &frame)
            .await
            .unwrap();
    }

    let all = texts(&place.log, at.session, Seq(0)).await;

    let expected: Vec<_> = (0..1234).map(|n| n.to_string()).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused() {
    let place = place().await;
    let huge = said(&"x".repeat(2 << 20));

    let outcome = place
        .log
        .append(&address(), Lane::Output, Seq(0), "1", &huge)
        .await;

    assert!(matches!(outcome, Err(AppendError::TooLarge)), "{outcome:?}");
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_while_the_server_is_killed() {
    let mut place = place().await;
    let at = address();
    let mut follow = place.log.follow(at.session, Seq(0)).await.unwrap();
    let log = place.log.clone();
    let writer = tokio::spawn(async move {
        let mut guard = Seq(0);
        for n in 0..400_u32 {
            let (id, frame) = (n.to_string(), said(&n.to_string()));
            guard = log
                .append(&at, Lane::Output, guard, &id, &frame)
                .await
                .unwrap();
        }
    });
    for at_least in ["40", "120", "200"] {
        follow_to(&mut follow, at_least).await;
        place.nats.kill9().await.unwrap();
        place.nats.restart().await.unwrap();
    }
    follow_to(&mut follow, "399").await;
    writer.await.unwrap();

    let stored = texts(&place.log, at.session, Seq(0)).await;

    let expected: Vec<_> = (0..400).map(|n| n.to_string()).collect();
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn a_follower_misses_nothing_over_a_kill() {
    let mut place = place().await;
    let at = address();
    let mut follow = place.log.follow(at.session, Seq(0)).await.unwrap();
    let first = place
        .log
        .append(&at, Lane::Output, Seq(0), "1", &said("one"))
        .await
        .unwrap();
    let mut seen = follow_to(&mut follow, "one").await;
    place.nats.kill9().await.unwrap();
    place.nats.restart().await.unwrap();
    let other = connect(&place.nats).await;
    let second = other
        .append(&at, Lane::Output, first, "2", &said("two"))
        .await
        .unwrap();
    other
        .append(&at, Lane::Output, second, "3", &said("three"))
        .await
        .unwrap();

    seen.extend(follow_to(&mut follow, "three").await);

    assert_eq!(seen, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_shard_is_followed_whole_or_by_its_facts() {
    let place = place().await;
    let at = address();
    let shard = Shard::of(at.session);
    place
        .log
        .append(&at, Lane::Output, Seq(0), "1", &said("one"))
        .await
        .unwrap();
    place
        .log
        .append(&at, Lane::Fact, Seq(0), "2", &said("two"))
        .await
        .unwrap();

    let all = place
        .log
        .follow_shard(shard, Seq(0))
        .await
        .unwrap()
        .next()
        .await
        .unwrap();
    let facts = place
        .log
        .follow_facts(shard, Seq(0))
        .await
        .unwrap()
        .next()
        .await
        .unwrap();

    assert_eq!(
        all.iter().flat_map(words).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(facts.iter().flat_map(words).collect::<Vec<_>>(), ["two"]);
    let id = place.log.message_id(shard, all[0].seq).await.unwrap();
    assert_eq!(id, Some(format!("{}:1", at.session)));
    assert!(place.log.shard_identity(shard).await.unwrap().created > 0);
}

#[tokio::test]
async fn keys_reach_the_runner_or_say_why_not() {
    let place = place().await;
    let press = |bytes: &'static [u8]| KeyPress {
        session: SessionId(Uuid::from_u128(1)),
        terminal: TerminalId(Uuid::from_u128(2)),
        user: UserId(Uuid::from_u128(3)),
        after: Seq(7),
        bytes: bytes.into(),
    };
    assert_eq!(
        place.log.send_keys(press(b"x")).await,
        Err(KeysError::NoRunner)
    );

    let mut keys = place.log.keys(press(b"").session).await.unwrap();
    let runner = tokio::spawn(async move {
        let first = keys.next().await.unwrap();
        let got = first.press.clone();
        first.typed().await;
        keys.next()
            .await
            .unwrap()
            .refused(Refusal::NotDriving)
            .await;
        got
    });
    // Interest needs a moment to reach the server.
    let sent = loop {
        match place.log.send_keys(press(b"ls\n\xff")).await {
            Err(KeysError::NoRunner) => tokio::task::yield_now().await,
            sent => break sent,
        }
    };
    assert_eq!(sent, Ok(()));
    let refused = place.log.send_keys(press(b"y")).await;
    assert!(
        matches!(&refused, Err(KeysError::Refused { code, .. }) if code == "not_driving"),
        "{refused:?}"
    );
    assert_eq!(runner.await.unwrap(), press(b"ls\n\xff"));
}

#[tokio::test]
async fn a_workspace_is_asked_for_and_answered() {
    let place = place().await;
    let registry = place.log.registry().await.unwrap();
    let runner = registry.clone();
    let mut asked = Box::pin(runner.workspace_changes().await.unwrap());
    let answering = tokio::spawn(async move {
        use futures_util::StreamExt;
        let entry = asked.next().await.unwrap();
        let state = WorkspaceState::Ready;
        let seen = WorkspaceEntry { state, ..entry };
        runner.put_workspace(&seen).await.unwrap();
        seen
    });

    let answer = registry
        .ask_workspace("/src/app", TeamId::default())
        .await
        .unwrap();

    assert_eq!(answer, answering.await.unwrap());
    assert_eq!(registry.workspaces().await.unwrap(), [answer]);
}

#[tokio::test]
async fn without_a_runner_a_workspace_is_not_to_be_had() {
    let place = place().await;
    let registry = place.log.registry().await.unwrap();

    let answer = registry.ask_workspace("/src/app", TeamId::default()).await;

    assert!(matches!(answer, Err(RegistryError::NoRunner)), "{answer:?}");
}

#[tokio::test]
async fn a_session_keeps_its_first_key() {
    let place = place().await;
    let registry = place.log.registry().await.unwrap();
    let session = SessionId(Uuid::now_v7());

    let first = registry.session_key(session, [1; 32]).await.unwrap();
    let second = registry.session_key(session, [2; 32]).await.unwrap();

    assert_eq!((first, second), ([1; 32], [1; 32]));
}

#[tokio::test]
async fn a_session_s_key_that_was_destroyed_is_gone() {
    let place = place().await;
    let registry = place.log.registry().await.unwrap();
    let session = SessionId(Uuid::now_v7());
    registry.session_key(session, [1; 32]).await.unwrap();

    registry.forget_session_key(session).await.unwrap();

    let another = registry.session_key(session, [2; 32]).await.unwrap();
    assert_eq!(another, [2; 32]);
    // Destroying what is not there is no mistake.
    let nobody = SessionId(Uuid::now_v7());
    registry.forget_session_key(nobody).await.unwrap();
}

#[tokio::test]
async fn a_body_is_kept_under_its_hash_for_its_session_alone() {
    let mut place = place().await;
    let session = SessionId(Uuid::now_v7());
    let bytes: bytes::Bytes = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let put = |bytes: bytes::Bytes| place.log.put_body(session, bytes, "image/png");

    let body = put(bytes.clone()).await.unwrap();
    let again = put(bytes.clone()).await.unwrap();
    place.nats.kill9().await.unwrap();
    place.nats.restart().await.unwrap();

    assert_eq!((body.size, &again), (4_000_000, &body));
    let log = connect(&place.nats).await;
    assert_eq!(log.body(session, &body.hash).await.unwrap(), Some(bytes));
    let other = SessionId(Uuid::now_v7());
    assert_eq!(log.body(other, &body.hash).await.unwrap(), None);
    assert_eq!(log.body(session, "../x").await.unwrap(), None);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let place = place().await;
    let huge = bytes::Bytes::from(vec![0; duplex_eventlog::LARGEST_BODY + 1]);

    let refused = place
        .log
        .put_body(SessionId::default(), huge, "text/plain")
        .await;

    assert!(
        matches!(refused, Err(BodyError::TooLarge(_))),
        "{refused:?}"
    );
}
