//! Frames become rows, whatever the batches.

use crate::stage::{CREATED, SHARD, Stage, last, refolded};
use crate::story::{ADA, Story, session, working_day};
use duplex_domain::{EndReason, Event, ItemKind, Lane, Seq};
use duplex_readmodel::{ProjectError, Projection, can_wait};

#[tokio::test]
async fn one_batch_gives_what_the_log_says() {
    let stage = Stage::start().await;
    let day = working_day();

    stage.project(&day).await;

    // Two turns of five rows; in the second session, a third turn's message and half an answer.
    for (id, items) in [(session(1), 10), (session(2), 12)] {
        let rows = stage.rows(id).await;
        assert_eq!(rows.items.len(), items);
        assert_eq!(rows, refolded(id, &day));
        assert_eq!(rows.hash().unwrap(), refolded(id, &day).hash().unwrap());
    }
}

#[tokio::test]
async fn frame_by_frame_gives_the_same_rows_as_one_batch() {
    let stage = Stage::start().await;
    let day = working_day();

    let mut projection = stage.projection().await;
    for frame in &day {
        let frames = std::slice::from_ref(frame);
        projection.project(frames, None).await.unwrap();
    }

    for id in [session(1), session(2)] {
        assert_eq!(stage.rows(id).await, refolded(id, &day));
    }
}

#[tokio::test]
async fn a_projector_that_dies_after_each_frame_leaves_the_same_rows() {
    let stage = Stage::start().await;
    let day = working_day();

    for frame in &day {
        stage.project(std::slice::from_ref(frame)).await;
    }

    for id in [session(1), session(2)] {
        assert_eq!(stage.rows(id).await, refolded(id, &day));
    }
}

#[tokio::test]
async fn a_long_session_is_the_same_although_only_its_newest_items_are_in_memory() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "long");
    story.claim(id);
    for turn in 0..60_u64 {
        let message = story.post(id, u128::from(turn) + 1, "again");
        story.start_turn(id, 1000 + u128::from(turn), vec![message]);
        story.say(id, turn * 2, &["so", " be it"]);
        story.close(id, turn * 2);
        story.tool(id, turn * 2 + 1);
        story.end_turn(id);
    }

    let mut projection = stage.projection().await;
    for batch in story.frames.chunks(7) {
        projection.project(batch, None).await.unwrap();
    }

    assert_eq!(stage.rows(id).await, refolded(id, &story.frames));
}

#[tokio::test]
async fn more_sessions_than_fit_in_memory_are_the_same() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let ids: Vec<_> = (1..=150).map(session).collect();
    for (n, id) in (0_u128..).zip(&ids) {
        story.open(*id, ADA, "one of many");
        story.claim(*id);
        let message = story.post(*id, n + 1, "hello");
        story.start_turn(*id, n + 1000, vec![message]);
        story.say(*id, 0, &["good"]);
    }
    for id in &ids {
        let text = " day".into();
        let more = Event::TextDelta { block: 0, text };
        story.runner(*id, Lane::Output, vec![more]);
    }
    let mut projection = stage.projection().await;
    for batch in story.frames.chunks(11) {
        projection.project(batch, None).await.unwrap();
    }

    for id in &ids {
        assert_eq!(stage.rows(*id).await, refolded(*id, &story.frames));
    }
    assert_eq!(stage.views.session_ids(SHARD).await.unwrap(), ids);
}

#[tokio::test]
async fn projecting_twice_changes_nothing() {
    let stage = Stage::start().await;
    let day = working_day();
    stage.project(&day).await;
    let before = stage.rows(session(2)).await;

    stage.project(&day).await;
    stage.project(&day[day.len() / 2..]).await;

    assert_eq!(stage.rows(session(2)).await, before);
    assert_eq!(stage.projection().await.checkpoint().seq, last(&day));
}

#[tokio::test]
async fn wiped_views_are_built_anew_with_the_same_rows() {
    let stage = Stage::start().await;
    let day = working_day();
    stage.project(&day).await;
    let before = [stage.rows(session(1)).await, stage.rows(session(2)).await];

    stage.views.wipe_views().await.unwrap();
    assert_eq!(stage.views.rows(session(1)).await.unwrap(), None);
    assert_eq!(stage.projection().await.checkpoint().seq, Seq(0));
    stage.project(&day).await;

    let after = [stage.rows(session(1)).await, stage.rows(session(2)).await];
    assert_eq!(after, before);
}

#[tokio::test]
async fn of_two_projectors_the_slower_one_writes_nothing() {
    let stage = Stage::start().await;
    let day = working_day();
    let (first, rest) = day.split_at(day.len() / 2);
    let mut fast = stage.projection().await;
    let mut zombie = stage.projection().await;

    fast.project(&day, None).await.unwrap();
    let before = stage.rows(session(1)).await;
    let refused = zombie.project(first, None).await;

    assert!(
        matches!(refused, Err(ProjectError::Overtaken(SHARD))),
        "{refused:?}"
    );
    assert_eq!(stage.rows(session(1)).await, before);
    let refused = zombie.project(rest, None).await;
    assert!(
        matches!(refused, Err(ProjectError::Overtaken(SHARD))),
        "{refused:?}"
    );
    assert_eq!(stage.rows(session(1)).await, before);
}

#[tokio::test]
async fn a_projector_whose_views_were_wiped_writes_nothing() {
    let stage = Stage::start().await;
    let day = working_day();
    let (first, rest) = day.split_at(day.len() / 2);
    let mut projection = stage.projection().await;
    projection.project(first, None).await.unwrap();

    stage.views.wipe_views().await.unwrap();
    let refused = projection.project(rest, None).await;

    assert!(
        matches!(refused, Err(ProjectError::Overtaken(SHARD))),
        "{refused:?}"
    );
    assert_eq!(stage.views.rows(session(1)).await.unwrap(), None);
}

#[tokio::test]
async fn another_stream_of_the_same_name_is_recognised() {
    let stage = Stage::start().await;
    stage.project(&working_day()).await;

    let opened = Projection::open(stage.views.clone(), SHARD, CREATED + 1).await;
    assert!(matches!(opened, Err(ProjectError::OtherStream { .. })));

    let projection = stage.projection().await;
    let known = projection.checkpoint().message_id.clone();
    assert!(projection.recognise(known.as_deref()).is_ok());
    assert!(projection.recognise(Some("another")).is_err());
    let gone = projection.recognise(None).unwrap_err().to_string();
    assert!(gone.contains("wipe the views"), "{gone}");
}

#[tokio::test]
async fn what_a_stale_runner_wrote_changes_no_row() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "fenced");
    story.claim(id);
    story.open_terminal(id);
    let message = story.post(id, 1, "hello");
    story.start_turn(id, 2, vec![message]);
    story.say(id, 0, &["mine"]);
    story.print(id, 0, b"mine");
    stage.project(&story.frames).await;
    let before = stage.rows(id).await;

    let known = story.frames.len();
    let mut late = Story::after(&story.frames);
    late.save_screen(id, 99, b"not mine");
    late.print(id, 4, b"not mine");
    late.runner(
        id,
        Lane::Output,
        vec![Event::TextDelta {
            block: 0,
            text: "not mine".into(),
        }],
    );
    // This second story never claimed, so what it wrote carries an epoch before the first one's.
    assert!(late.frames.len() > known);
    stage.project(&late.frames).await;

    let after = stage.rows(id).await;
    assert_eq!((after.items, after.screens), (before.items, before.screens));
    assert_eq!(after.session.seq, last(&late.frames));
}

#[tokio::test]
async fn an_event_of_a_newer_program_becomes_a_row() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "from the future");
    story.claim(id);
    let raw = serde_json::json!({"type": "danced", "steps": 3, "to": "a\u{0}b"});
    story.runner(id, Lane::Output, vec![Event::Unknown(raw.clone())]);

    stage.project(&story.frames).await;

    let rows = stage.rows(id).await;
    assert_eq!(rows.items[0].kind, ItemKind::Unknown { raw });
    assert_eq!(rows, refolded(id, &story.frames));
}

#[test]
fn only_growth_waits() {
    let mut story = Story::default();
    let id = session(1);
    story.say(id, 0, &["a"]);
    story.print(id, 0, b"b");
    story.end_turn(id);
    let ended = Event::TurnEnded {
        reason: EndReason::Complete,
        problem: None,
    };
    let mixed = vec![
        Event::TextDelta {
            block: 0,
            text: "c".into(),
        },
        ended,
    ];
    story.runner(id, Lane::Output, mixed);

    let waits: Vec<bool> = story.frames.iter().map(can_wait).collect();

    assert_eq!(waits, [false, true, true, false, false, false]);
}
