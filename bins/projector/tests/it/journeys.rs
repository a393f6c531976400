//! What the projector survives.

use crate::stage::{Author, Stage};
use duplex_domain::ItemKind;
use duplex_readmodel::Rows;

fn text(rows: &Rows) -> &str {
    match &rows.items[0].kind {
        ItemKind::Text { text, .. } => text,
        other => panic!("{other:?} is no text"),
    }
}

#[tokio::test]
async fn what_is_appended_becomes_rows() {
    let stage = Stage::start().await;
    let mut one = Author::open(&stage).await;
    let projector = stage.projector();
    let mut two = Author::open(&stage).await;

    one.says("half an ").await;
    two.says("hello").await;
    assert_eq!(text(&stage.sees(one.session()).await), "half an ");
    one.says("answer").await;
    one.invites(0xb0b).await;

    assert_eq!(text(&stage.sees(one.session()).await), "half an answer");
    assert_eq!(text(&stage.sees(two.session()).await), "hello");
    projector.stop().await;
}

#[tokio::test]
async fn a_projector_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let stage = Stage::start().await;
    let mut author = Author::open(&stage).await;
    stage.projector().stop().await;
    for round in 0..10 {
        let projector = stage.projector();
        for word in 0..20 {
            author.says(&format!("{round}.{word} ")).await;
        }
        // Killed while it works at these, or just before, or just after.
        projector.kill().await;
    }
    let projector = stage.projector();

    let rows = stage.sees(author.session()).await;

    let words = (0..200).map(|n| format!("{}.{} ", n / 20, n % 20));
    assert_eq!(text(&rows), words.collect::<String>());
    projector.stop().await;
}

#[tokio::test]
async fn postgres_may_go_and_come_back() {
    let mut stage = Stage::start().await;
    let projector = stage.projector();
    let mut author = Author::open(&stage).await;
    stage.sees(author.session()).await;

    stage.postgres.kill9().await.unwrap();
    author.says("written while Postgres was away").await;
    author.invites(0xb0b).await;
    stage.postgres.restart().await.unwrap();

    let rows = stage.sees(author.session()).await;
    assert_eq!(text(&rows), "written while Postgres was away");
    projector.stop().await;
}

#[tokio::test]
async fn the_log_may_go_and_come_back() {
    let mut stage = Stage::start().await;
    let projector = stage.projector();
    let mut author = Author::open(&stage).await;
    author.says("before ").await;
    stage.sees(author.session()).await;

    stage.nats.kill9().await.unwrap();
    stage.nats.restart().await.unwrap();
    author.says("after").await;

    let rows = stage.sees(author.session()).await;
    assert_eq!(text(&rows), "before after");
    projector.stop().await;
}

#[tokio::test]
async fn of_two_projectors_one_is_enough_and_both_do_no_harm() {
    let stage = Stage::start().await;
    let (first, second) = (stage.projector(), stage.projector());
    let mut author = Author::open(&stage).await;
    for word in 0..50 {
        author.says(&format!("{word} ")).await;
    }
    stage.sees(author.session()).await;

    first.kill().await;
    author.says("after the first one's end").await;

    stage.sees(author.session()).await;
    second.stop().await;
}

#[tokio::test]
async fn wiped_views_come_back_by_themselves() {
    let stage = Stage::start().await;
    let projector = stage.projector();
    let mut author = Author::open(&stage).await;
    author.says("once").await;
    let before = stage.sees(author.session()).await;

    let database = stage.database().await;
    database.wipe_views().await.unwrap();

    // Nothing new is written: the projector notices on its own.
    assert_eq!(stage.sees(author.session()).await, before);
    author.says(" more").await;
    assert_eq!(text(&stage.sees(author.session()).await), "once more");
    projector.stop().await;
}
