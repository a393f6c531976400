//! Steering, approving and undoing what the agent does, through the whole stack, with the log folded as a page folds it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{
    Approval, CallId, ChangeSize, Changes, Command, Delivery, ItemKind, MessageId, Mode,
    RestoreStage, SessionId, ToolState, Verdict,
};
use duplex_testkit::{Feed, Person, Process, Stack};
use std::process::Command as Program;

struct Scene {
    stack: Stack,
    ada: Person,
    session: SessionId,
    feed: Feed,
}

impl Scene {
    async fn new() -> Self {
        let stack = Stack::start().await.unwrap();
        let ada = stack.ada().await.unwrap();
        let session = ada.opens(&stack.workspace).await.unwrap();
        let feed = ada.watches(session).await.unwrap();
        Self {
            stack,
            ada,
            session,
            feed,
        }
    }

    async fn posts(&mut self, text: &str, delivery: Delivery) -> MessageId {
        let text = text.to_owned();
        let command = Command::PostMessage { text, delivery };
        MessageId(self.feed.commands(command).await.unwrap())
    }

    async fn sees(&mut self, what: &str, shows: impl Fn(&Feed) -> bool) {
        self.feed.sees(what, shows).await.unwrap();
    }

    async fn turn(&mut self, text: &str) {
        let turns = self.feed.picture.session.turns + 1;
        self.posts(text, Delivery::Queue).await;
        self.sees("the end of the turn and its checkpoint", |feed| {
            let session = &feed.picture.session;
            session.turns == turns
                && session.turn.is_none()
                && session.checkpoints.len() as u64 == turns + 1
        })
        .await;
    }

    /// What git says in the workspace itself.
    fn git(&self, args: &[&str]) -> String {
        let mut git = Program::new("git");
        let said = git.args(args).current_dir(&self.stack.workspace).output();
        String::from_utf8(said.unwrap().stdout).unwrap()
    }

    /// Has a restore shown, then done, and gives what was shown.
    async fn restores(&mut self, checkpoint: u32) -> ChangeSize {
        let restore = |tree| Command::Restore { checkpoint, tree };
        self.feed.commands(restore(None)).await.unwrap();
        let prepared = |feed: &Feed| match &feed.picture.session.restore.as_ref()?.stage {
            RestoreStage::Prepared { tree, change, .. } => Some((tree.clone(), change.clone())),
            _ => None,
        };
        self.sees("what it would change", |feed| prepared(feed).is_some())
            .await;
        let (tree, change) = prepared(&self.feed).unwrap();
        self.feed.commands(restore(Some(tree))).await.unwrap();
        self.sees("the restore", |feed| {
            kinds(feed).any(|kind| matches!(kind, ItemKind::Restored { .. }))
        })
        .await;
        change
    }
}

fn kinds(feed: &Feed) -> impl Iterator<Item = &ItemKind> {
    feed.picture.transcript.items.iter().map(|item| &item.kind)
}

/// What people said, in the order in which the agent read it.
fn said(feed: &Feed) -> Vec<&str> {
    let messages = kinds(feed).filter_map(|kind| match kind {
        ItemKind::Message { text, .. } => Some(text.as_str()),
        _ => None,
    });
    messages.collect()
}

fn tools(feed: &Feed) -> Vec<(ToolState, String, Option<Approval>)> {
    let tools = kinds(feed).filter_map(|kind| match kind {
        ItemKind::Tool {
            state,
            result,
            approval,
            ..
        } => Some((*state, result.clone(), approval.as_deref().cloned())),
        _ => None,
    });
    tools.collect()
}

#[tokio::test]
async fn messages_are_queued_moved_withdrawn_and_slipped_in() {
    let mut scene = Scene::new().await;
    let busy =
        r#"[[tool bash {"command":"sleep 2; echo slept"}]] [[then]] [[say 3 tokens at 100/s]]"#;
    scene.posts(busy, Delivery::Queue).await;
    scene
        .sees("the command to run", |feed| {
            tools(feed).iter().any(|tool| tool.0 == ToolState::Running)
        })
        .await;

    let first = scene.posts(r#"[[text "first"]]"#, Delivery::Queue).await;
    let second = scene.posts(r#"[[text "second"]]"#, Delivery::Queue).await;
    let third = scene.posts(r#"[[text "third"]]"#, Delivery::Queue).await;
    scene.posts("mind the tests", Delivery::Steer).await;
    for command in [
        Command::WithdrawMessage { message: second },
        Command::MoveMessage {
            message: third,
            before: Some(first),
        },
        Command::EditMessage {
            message: first,
            text: r#"[[text "edited"]]"#.into(),
        },
    ] {
        scene.feed.commands(command).await.unwrap();
    }

    scene
        .sees("all three turns to be over", |feed| {
            let session = &feed.picture.session;
            session.turns == 3 && session.turn.is_none() && session.queue.is_empty()
        })
        .await;
    assert_eq!(scene.feed.refused, []);
    assert_eq!(
        said(&scene.feed),
        [
            busy,
            "mind the tests",
            r#"[[text "third"]]"#,
            r#"[[text "edited"]]"#
        ]
    );
    // It came in behind the tool's result, before the answer.
    let order: Vec<_> = kinds(&scene.feed).take(4).collect();
    assert!(
        matches!(
            order[..],
            [
                ItemKind::Message { .. },
                ItemKind::Tool { .. },
                ItemKind::Message { .. },
                ItemKind::Text { .. }
            ]
        ),
        "{order:#?}"
    );
    assert_eq!(scene.stack.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupt_is_harmless_twice_and_continue_goes_on() {
    let mut scene = Scene::new().await;
    scene
        .posts("[[say 5000 tokens at 50/s]]", Delivery::Queue)
        .await;
    scene
        .sees("some words", |feed| feed.text().contains("tok3"))
        .await;

    let turn = scene.feed.picture.session.turn.as_ref().map(|turn| turn.id);
    for turn in [turn, turn, None] {
        scene
            .feed
            .commands(Command::Interrupt { turn })
            .await
            .unwrap();
    }
    scene
        .sees("rest", |feed| feed.picture.session.turn.is_none())
        .await;
    let again = duplex_domain::Again::Continue;
    scene.feed.commands(Command::Again { again }).await.unwrap();
    scene
        .sees("the second turn to be over", |feed| {
            feed.picture.session.turns == 2 && feed.picture.session.turn.is_none()
        })
        .await;

    let ends = kinds(&scene.feed).filter(|kind| matches!(kind, ItemKind::TurnEnd { .. }));
    assert_eq!(ends.count(), 2);
    assert_eq!(scene.stack.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_open_question_outlives_the_runner_and_the_first_answer_counts() {
    let mut scene = Scene::new().await;
    let ask = Command::ChooseMode { mode: Mode::Ask };
    scene.feed.commands(ask).await.unwrap();
    let calls =
        r#"[[tool write {"path":"a.txt","content":"one\n"}]] [[then]] [[say 1 tokens at 100/s]]"#;
    scene.posts(calls, Delivery::Queue).await;
    let asked = |feed: &Feed| feed.picture.session.approvals.len() == 1;
    scene.sees("the question", asked).await;

    scene.stack.kill(Process::Runner).await.unwrap();
    let mut reloaded = scene.ada.watches(scene.session).await.unwrap();
    reloaded.sees("the question", asked).await.unwrap();
    let call: CallId = reloaded
        .picture
        .session
        .approvals
        .keys()
        .next()
        .unwrap()
        .clone();
    let deny = Verdict::Deny {
        reason: "not today".into(),
    };
    let decide = |verdict| Command::Decide {
        call: call.clone(),
        verdict,
    };
    reloaded.commands(decide(deny.clone())).await.unwrap();
    reloaded
        .sees("no question", |feed| {
            feed.picture.session.approvals.is_empty()
        })
        .await
        .unwrap();
    scene.feed.commands(decide(Verdict::Allow)).await.unwrap();

    let over = |feed: &Feed| feed.picture.session.turns == 1 && feed.picture.session.turn.is_none();
    scene.sees("the end of the turn", over).await;
    reloaded.sees("the end of the turn", over).await.unwrap();
    let shown = tools(&scene.feed);
    assert_eq!(shown, tools(&reloaded));
    let (state, result, approval) = &shown[0];
    assert_eq!(*state, ToolState::Failed);
    assert!(result.contains("not today"), "{result}");
    let approval = approval.as_ref().unwrap();
    let ada = scene.feed.picture.session.members.keys().next().copied();
    assert_eq!((approval.verdict.clone(), approval.by), (Some(deny), ada));
    assert_eq!(scene.stack.provider.violations(), Vec::<String>::new());
}

async fn body(scene: &Scene, size: &ChangeSize) -> Changes {
    let hash = &size.body.as_ref().unwrap().hash;
    let path = format!("/api/sessions/{}/bodies/{hash}", scene.session);
    scene.ada.get(&path).await.unwrap()
}

#[tokio::test]
async fn what_turns_changed_is_shown_restored_and_committed() {
    let mut scene = Scene::new().await;
    let write = |content: &str| {
        let input = serde_json::json!({ "path": "a.txt", "content": content });
        format!("[[tool write {input}]] [[then]] [[say 1 tokens at 100/s]]")
    };
    scene.turn(&write("one\n")).await;
    scene.turn(&write("two\n")).await;
    let kept = scene.feed.picture.session.checkpoints.clone();
    assert!(
        body(&scene, &kept[2].change)
            .await
            .diff
            .contains("-one\n+two")
    );
    assert!(
        body(&scene, &kept[2].since_start)
            .await
            .diff
            .contains("+two")
    );

    let change = scene.restores(1).await;
    assert!(body(&scene, &change).await.diff.contains("-two\n+one"));

    let message = "Keep the first".to_owned();
    scene
        .feed
        .commands(Command::Commit { message })
        .await
        .unwrap();
    scene
        .sees("the commit", |feed| {
            kinds(feed).any(|kind| matches!(kind, ItemKind::Committed { .. }))
        })
        .await;
    let mut branches = kinds(&scene.feed).filter_map(|kind| match kind {
        ItemKind::Committed { branch, .. } => Some(branch.clone()),
        _ => None,
    });
    let branch = branches.next().unwrap();
    assert_eq!(
        scene.git(&["log", "-1", "--format=%s by %an", &branch]),
        "Keep the first by Ada\n"
    );
    assert_eq!(scene.git(&["show", &format!("{branch}:a.txt")]), "one\n");
    // The person's own checkout is as it was.
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
}
