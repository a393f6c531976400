//! SIGKILL for each process in mid-turn: nothing acknowledged is lost, nothing doubled, one end, and work goes on.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{EndReason, ItemKind, SessionId};
use duplex_provider_double as double;
use duplex_testkit::{Feed, Person, Process, Stack, wait_for};

struct Scene {
    stack: Stack,
    ada: Person,
    session: SessionId,
    feed: Feed,
}

/// A session in the middle of a long answer, with another message waiting.
async fn in_mid_turn() -> Scene {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    ada.says(session, "[[say 300 tokens at 100/s]]")
        .await
        .unwrap();
    feed.sees("a beginning", |feed| feed.text().contains("tok20"))
        .await
        .unwrap();
    ada.says(session, "[[text \"next\"]]").await.unwrap();
    Scene {
        stack,
        ada,
        session,
        feed,
    }
}

fn over(feed: &Feed) -> bool {
    let session = &feed.picture.session;
    session.turns == 2 && session.turn.is_none()
}

impl Scene {
    /// Opens a new tab whenever the old one breaks, as a page does by itself, until both turns are over.
    async fn comes_to_rest(&mut self) {
        wait_for("both turns to be over", async || {
            let Ok(feed) = self.ada.watches(self.session).await else {
                return Ok(None);
            };
            self.feed = feed;
            let rest = self.feed.sees("both turns to be over", over).await;
            Ok(rest.ok())
        })
        .await
        .unwrap();
    }

    fn ends(&self) -> Vec<EndReason> {
        let items = self.feed.picture.transcript.items.iter();
        let ends = items.filter_map(|item| match item.kind {
            ItemKind::TurnEnd { reason, .. } => Some(reason),
            _ => None,
        });
        ends.collect()
    }

    /// The views in Postgres come to show the same as the log's fold.
    async fn views_agree(&self) {
        let path = format!("/api/sessions/{}/items?limit=50", self.session);
        wait_for("the views to agree", async || {
            let Ok(page) = self.ada.get::<duplex_wire::ItemPage>(&path).await else {
                return Ok(None);
            };
            Ok((page.items == self.feed.picture.transcript.items).then_some(()))
        })
        .await
        .unwrap();
        let verified = self.stack.verify().await.unwrap();
        assert_eq!(verified, "1 sessions: the views are what the log says\n");
    }

    fn shows_both_answers_whole(&self) {
        assert_eq!(self.ends(), [EndReason::Complete, EndReason::Complete]);
        assert_eq!(self.feed.text(), double::expected_text(300) + "next");
    }
}

#[tokio::test]
async fn killing_the_edge_costs_a_reconnect_and_nothing_else() {
    let mut scene = in_mid_turn().await;

    scene.stack.kill(Process::Edge).await.unwrap();

    scene.comes_to_rest().await;
    scene.shows_both_answers_whole();
    scene.views_agree().await;
}

#[tokio::test]
async fn killing_the_projector_delays_the_views_and_nothing_else() {
    let mut scene = in_mid_turn().await;

    let dead = scene.stack.kill(Process::Projector).await.unwrap();

    scene.comes_to_rest().await;
    scene.shows_both_answers_whole();
    scene
        .stack
        .wait_for_successor(Process::Projector, dead)
        .await
        .unwrap();
    scene.views_agree().await;
}

#[tokio::test]
async fn killing_the_runner_ends_its_turn_once_and_the_next_goes_on() {
    let mut scene = in_mid_turn().await;

    scene.stack.kill(Process::Runner).await.unwrap();

    scene.comes_to_rest().await;
    assert_eq!(scene.ends(), [EndReason::RunnerLost, EndReason::Complete]);
    let text = scene.feed.text();
    let kept = text.strip_suffix("next").unwrap();
    assert!(kept.contains("tok20") && double::expected_text(300).starts_with(kept));
    assert_eq!(scene.stack.provider.violations(), Vec::<String>::new());
    scene.views_agree().await;
}

#[tokio::test]
async fn killing_the_log_loses_nothing_that_was_acknowledged() {
    let mut scene = in_mid_turn().await;

    scene.stack.kill(Process::Nats).await.unwrap();

    scene.comes_to_rest().await;
    scene.shows_both_answers_whole();
    scene.views_agree().await;
}

#[tokio::test]
async fn killing_postgres_stops_no_turn() {
    let mut scene = in_mid_turn().await;

    scene.stack.kill(Process::Postgres).await.unwrap();

    let seen = scene.feed.sees("both turns to be over", over).await;
    seen.unwrap();
    scene.shows_both_answers_whole();
    scene.views_agree().await;
}
