//! Coming back: a cut reader, a late joiner, two people, a page that was closed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Command, Delivery, Envelope, Event, Seq, SessionId};
use duplex_provider_double as double;
use duplex_testkit::{Person, Stack};
use duplex_wire::Frame;
use futures_util::StreamExt;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use reqwest::Method;

/// Reads a session's events from behind `after`, a line each, as they come, until `stop` says so of a frame.
async fn read(
    person: &Person,
    session: SessionId,
    after: Seq,
    mut stop: impl FnMut(&Frame) -> bool,
) -> Vec<Frame> {
    let path = format!("/api/sessions/{session}/events?after={after}&follow=true");
    let answer = person.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut bytes = answer.bytes_stream();
    let (mut line, mut frames) = (Vec::new(), Vec::new());
    loop {
        for byte in bytes.next().await.unwrap().unwrap() {
            if byte != b'\n' {
                line.push(byte);
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let frame: Frame = serde_json::from_slice(&std::mem::take(&mut line)).unwrap();
            let done = stop(&frame);
            frames.push(frame);
            if done {
                return frames;
            }
        }
    }
}

fn ended(frame: &Frame) -> bool {
    let is_end = |envelope: &Envelope| matches!(envelope.event, Event::TurnEnded { .. });
    frame.events.iter().any(is_end)
}

fn text(frames: &[Frame]) -> String {
    let events = frames.iter().flat_map(|frame| &frame.events);
    let deltas = events.filter_map(|envelope| match &envelope.event {
        Event::TextDelta { text, .. } => Some(text.as_str()),
        _ => None,
    });
    deltas.collect()
}

#[tokio::test]
async fn a_reader_cut_at_200_points_reads_the_same_as_an_uncut_one() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let uncut = tokio::spawn({
        let ada = ada.clone();
        async move { read(&ada, session, Seq(0), ended).await }
    });
    ada.says(session, "[[say-utf8 1200 tokens at 150/s]] [[bytes 7]]")
        .await
        .unwrap();

    let mut random = SmallRng::seed_from_u64(7);
    let (mut cuts, mut cursor, mut pieces) = (0, Seq(0), Vec::new());
    while !pieces.last().is_some_and(ended) {
        let mut left = random.random_range(1..6);
        let piece = read(&ada, session, cursor, |frame| {
            left -= 1;
            left == 0 || ended(frame)
        });
        pieces.extend(piece.await);
        cursor = pieces.last().unwrap().seq;
        cuts += 1;
    }
    let uncut = uncut.await.unwrap();

    assert!(cuts > 200, "{cuts} cuts");
    assert_eq!(text(&pieces), double::expected_utf8(1200));
    assert_eq!(pieces, uncut);
}

#[tokio::test]
async fn a_socket_cut_again_and_again_ends_with_the_same_picture() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut uncut = ada.watches(session).await.unwrap();
    ada.says(session, "[[say 300 tokens at 150/s]]")
        .await
        .unwrap();

    let mut cut = ada.watches(session).await.unwrap();
    for tokens in [10, 60, 110, 160, 210] {
        let last = format!("tok{tokens}");
        cut.sees("some more", |feed| feed.text().contains(&last))
            .await
            .unwrap();
        let picture = cut.picture.clone();
        cut = ada
            .watches_after(session, picture.session.seq)
            .await
            .unwrap();
        cut.picture = picture;
    }
    cut.sees_rest().await.unwrap();
    uncut.sees_rest().await.unwrap();

    assert_eq!(cut.picture.transcript.items, uncut.picture.transcript.items);
    assert_eq!(cut.text(), double::expected_text(300));
}

#[tokio::test]
async fn who_joins_in_mid_turn_sees_the_partial_text_and_then_the_rest() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut first = ada.watches(session).await.unwrap();
    ada.says(session, "[[say 100 tokens at 100/s]]")
        .await
        .unwrap();
    first
        .sees("half of it", |feed| feed.text().contains("tok49"))
        .await
        .unwrap();

    let mut second = ada.watches(session).await.unwrap();
    second
        .sees("the snapshot", |feed| feed.synced)
        .await
        .unwrap();

    assert!(second.text().contains("tok49"));
    first.sees_rest().await.unwrap();
    second.sees_rest().await.unwrap();
    assert_eq!(second.text(), double::expected_text(100));
    assert_eq!(second.picture.transcript, first.picture.transcript);
}

#[tokio::test]
async fn a_turn_goes_on_while_nobody_looks_and_all_is_kept_over_a_restart() {
    let mut stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    ada.says(session, "[[say 80 tokens at 100/s]]")
        .await
        .unwrap();
    feed.sees("a beginning", |feed| feed.text().contains("tok5"))
        .await
        .unwrap();
    drop(feed);

    let mut later = ada.watches(session).await.unwrap();
    later.sees_rest().await.unwrap();
    assert_eq!(later.text(), double::expected_text(80));

    stack.restart().await.unwrap();
    let ada = Person::signs_in(&stack.url, "ada@example.org")
        .await
        .unwrap();
    let view = ada.view(session).await.unwrap();
    assert_eq!(view.items, later.picture.transcript.items);
    let row = ada.sessions().await.unwrap().sessions.remove(0);
    assert_eq!(row.usage, later.picture.session.usage);
}

#[tokio::test]
async fn two_who_write_at_once_are_both_heard_in_one_order() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut one = ada.watches(session).await.unwrap();
    let mut two = ada.watches(session).await.unwrap();

    let says = |text: &'static str| {
        let ada = ada.clone();
        async move { ada.says(session, text).await.unwrap() }
    };
    tokio::join!(says("[[text \"one\"]]"), says("[[text \"two\"]]"));
    for feed in [&mut one, &mut two] {
        feed.sees("both turns", |feed| {
            feed.picture.session.turns == 2 && feed.picture.session.turn.is_none()
        })
        .await
        .unwrap();
    }

    assert_eq!(one.picture.transcript, two.picture.transcript);
    assert_eq!(one.text().len(), "onetwo".len());
}

#[tokio::test]
async fn the_same_command_twice_is_one_command() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    let id = uuid::Uuid::now_v7();
    let say = Command::PostMessage {
        text: "[[text \"once\"]]".into(),
        delivery: Delivery::Queue,
    };

    ada.commands_as(session, id, say.clone()).await.unwrap();
    ada.commands_as(session, id, say).await.unwrap();
    feed.sees_rest().await.unwrap();

    assert_eq!(feed.picture.session.turns, 1);
    assert_eq!(feed.text(), "once");
}
