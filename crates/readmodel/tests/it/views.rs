//! A session's first screen and the pages before it.

use crate::stage::{Stage, last, refolded};
use crate::story::{ADA, SHELL, Story, TEAM, session, working_day};
use duplex_domain::{Item, Picture, Seq};
use duplex_readmodel::StoredScreen;
use duplex_wire::ItemPage;

/// A session of turns with seven items each (three of them messages of one event).
fn long_story(turns: u64) -> Story {
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "long");
    story.claim(id);
    for turn in 0..turns {
        let number = u128::from(turn) * 10;
        let messages = (1..=3)
            .map(|n| story.post(id, number + n, "do it"))
            .collect();
        story.start_turn(id, 5000 + number, messages);
        story.say(id, turn * 2, &["done"]);
        story.close(id, turn * 2);
        story.tool(id, turn * 2 + 1);
        story.end_turn(id);
    }
    story
}

#[tokio::test]
async fn a_session_nobody_opened_has_no_view() {
    let stage = Stage::start().await;
    assert_eq!(stage.database.view(session(9)).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_screen_folds_on_to_the_whole() {
    let stage = Stage::start().await;
    let story = long_story(40);
    let id = session(1);
    let (stored, coming) = story.frames.split_at(story.frames.len() - 9);
    stage.project(stored).await;

    let mut picture = stage.database.view(id).await.unwrap().unwrap().picture;
    assert_eq!(picture.session.seq, last(stored));
    assert!(picture.transcript.older);
    assert!((50..60).contains(&picture.transcript.items.len()));
    for frame in coming {
        picture.apply(frame);
    }

    let whole = refolded(id, &story.frames);
    let seen = picture.transcript.items;
    assert_eq!(picture.session, whole.session);
    assert_eq!(seen[..], whole.items[whole.items.len() - seen.len()..]);
}

#[tokio::test]
async fn a_short_session_is_seen_whole() {
    let stage = Stage::start().await;
    let day = working_day();
    stage.project(&day).await;

    let stored = stage.database.view(session(2)).await.unwrap().unwrap();

    let mut whole = Picture::new(session(2));
    for frame in day.iter().filter(|frame| frame.session == session(2)) {
        whole.apply(frame);
    }
    assert_eq!(stored.picture, whole);
}

#[tokio::test]
async fn an_item_that_may_still_change_is_on_the_first_screen_however_old() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "patient");
    story.claim(id);
    let message = story.post(id, 1, "go");
    story.start_turn(id, 2, vec![message]);
    story.say(id, 0, &["still open"]);
    for block in 1..=80 {
        story.tool(id, block);
    }
    stage.project(&story.frames).await;

    let stored = stage.database.view(id).await.unwrap().unwrap();

    let open = stored.picture.transcript.items.first().map(Item::is_open);
    assert_eq!(open, Some(true));
    assert_eq!(stored.picture.transcript.items.len(), 81);
    assert!(stored.picture.transcript.older);
}

#[tokio::test]
async fn pages_backwards_give_every_item_once() {
    let stage = Stage::start().await;
    let story = long_story(15);
    let id = session(1);
    stage.project(&story.frames).await;

    // Nine events' worth: pages end in the middle of turns, and at an event that began three items.
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = stage.database.items(TEAM, id, before, 9).await.unwrap();
        before = page.before;
        pages.push(page.items);
        if before.is_none() {
            break;
        }
    }

    let seen: Vec<Item> = pages.into_iter().rev().flatten().collect();
    assert_eq!(seen, refolded(id, &story.frames).items);
}

#[tokio::test]
async fn there_is_nothing_before_the_first_item() {
    let stage = Stage::start().await;
    let story = long_story(1);
    stage.project(&story.frames).await;
    let rows = stage.rows(session(1)).await;

    let before = rows.items.first().map(|item| item.place);
    let page = stage
        .database
        .items(TEAM, session(1), before, 50)
        .await
        .unwrap();

    let nothing = ItemPage {
        items: Vec::new(),
        before: None,
    };
    assert_eq!(page, nothing);
}

#[tokio::test]
async fn a_terminal_has_its_newest_screen_and_where_its_output_goes_on() {
    let stage = Stage::start().await;
    let mut story = Story::default();
    let id = session(1);
    story.open(id, ADA, "shell");
    story.claim(id);
    story.open_terminal(id);
    let opened = last(&story.frames);
    stage.project(&story.frames).await;
    let fresh = stage.database.view(id).await.unwrap().unwrap().screens;

    story.print(id, 0, b"one\0\xff");
    story.save_screen(id, 5, b"\x1b[2Jone\0\xff");
    let saved = last(&story.frames);
    story.print(id, 5, b"two");
    stage.project(&story.frames).await;
    let later = stage.database.view(id).await.unwrap().unwrap().screens;

    let nothing = StoredScreen {
        terminal: SHELL,
        bytes: Vec::new(),
        offset: 0,
        seq: opened,
        printed_offset: 0,
        printed_seq: opened,
    };
    assert_eq!(fresh, [nothing]);
    let screen = StoredScreen {
        terminal: SHELL,
        bytes: b"\x1b[2Jone\0\xff".to_vec(),
        offset: 5,
        seq: Seq(saved.0 - 1),
        printed_offset: 8,
        printed_seq: last(&story.frames),
    };
    assert_eq!(later, [screen]);
}
