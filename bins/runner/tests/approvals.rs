//! Approvals, modes and rules, on a real log with real sandboxes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{
    Command, EndReason, ItemKind, Mode, PlanStatus, Preview, ToolKind, ToolState, Verdict,
};
use place::{Person, Place};

const TWO_CALLS: &str = concat!(
    r#"[[tool write {"path":"a.txt","content":"one\n"}]] "#,
    r#"[[tool bash {"command":"echo two > b.txt"}]] [[then]] [[say 3 tokens at 100/s]]"#
);

async fn asking(mode: Mode) -> (Place, Person) {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.chooses(mode).await;
    (place, ada)
}

fn denied(reason: &str) -> Verdict {
    let reason = reason.to_owned();
    Verdict::Deny { reason }
}

#[tokio::test]
async fn nothing_is_changed_or_run_before_somebody_allows_it() {
    let (place, mut ada) = asking(Mode::Ask).await;
    ada.says(TWO_CALLS).await;

    let asked = ada.sees_asked(2).await;

    let tree = place.tree(&ada);
    assert!(!tree.join("a.txt").exists() && !tree.join("b.txt").exists());
    let edit = asked.iter().find(|(_, asked)| asked.tool == ToolKind::Edit);
    let (edit, shown) = edit.unwrap();
    assert!(
        matches!(&shown.preview, Preview::Edit { path, diff } if path == "a.txt" && diff.contains("+one"))
    );
    let run = asked.iter().find(|(_, asked)| asked.tool == ToolKind::Run);
    let (run, shown) = run.unwrap();
    assert!(
        matches!(&shown.preview, Preview::Run { argv, .. } if argv.last().unwrap().contains("echo two > b.txt"))
    );

    ada.decides(edit, Verdict::Allow).await;
    ada.decides(run, denied("leave b alone")).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(
        std::fs::read_to_string(tree.join("a.txt")).unwrap(),
        "one\n"
    );
    assert!(!tree.join("b.txt").exists());
    let tools = ada.tools();
    assert_eq!(
        (tools[0].0, tools[1].0),
        (ToolState::Done, ToolState::Failed)
    );
    assert!(tools[1].1.contains("leave b alone"), "{tools:?}");
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_rule_for_always_allows_its_like_and_what_waits_already() {
    let (place, mut ada) = asking(Mode::Ask).await;
    ada.says(concat!(
        r#"[[tool bash {"command":"git status"}]] [[tool bash {"command":"git status --short"}]] [[then]] "#,
        r#"[[tool bash {"command":"git status -b"}]] [[then]] [[tool bash {"command":"git status; id"}]] "#,
        r#"[[then]] [[say 1 tokens at 100/s]]"#
    ))
    .await;
    let asked = ada.sees_asked(2).await;
    assert!(
        asked
            .iter()
            .all(|(_, asked)| asked.rule == "bash(git status *)"),
        "{asked:?}"
    );

    let verdict = Verdict::AllowAlways {
        rule: "bash(git *)".to_owned(),
    };
    ada.decides(&asked[0].0, verdict).await;

    // The second and the third ran without a word; a second command behind a semicolon is another matter.
    let chained = |preview: &Preview| matches!(preview, Preview::Run { argv, .. } if argv.last().unwrap().contains("; id"));
    ada.sees("the second command", |person| {
        let mut open = person.picture.session.approvals.values();
        open.any(|asked| chained(&asked.preview))
    })
    .await;
    let asked = ada.sees_asked(1).await;
    ada.decides(&asked[0].0, denied("")).await;
    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let done = ada.tools();
    assert!(
        done[..3].iter().all(|(state, _)| *state == ToolState::Done),
        "{done:?}"
    );
    assert_eq!(ada.picture.session.rules, ["bash(git *)"]);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_open_question_outlives_its_runner() {
    let (mut place, mut ada) = asking(Mode::AcceptEdits).await;
    ada.says(TWO_CALLS).await;
    ada.sees("the first call to be done", |person| {
        person
            .tools()
            .first()
            .is_some_and(|(state, _)| *state == ToolState::Done)
    })
    .await;
    let asked = ada.sees_asked(1).await;
    let tree = place.tree(&ada);

    place.kill_runner();
    place.start_runner();
    ada.decides(&asked[0].0, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(
        std::fs::read_to_string(tree.join("b.txt")).unwrap(),
        "two\n"
    );
    // What ran before the runner died did not run again.
    assert_eq!(ada.tools().len(), 2);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupt_ends_the_waiting_and_allows_nothing() {
    let (place, mut ada) = asking(Mode::Ask).await;
    ada.says(TWO_CALLS).await;
    ada.sees_asked(2).await;

    ada.interrupts().await;

    assert_eq!(ada.sees_end(1).await, EndReason::Interrupted);
    assert!(ada.picture.session.approvals.is_empty());
    assert!(!place.tree(&ada).join("a.txt").exists());
    ada.says("[[say 2 tokens at 100/s]]").await;
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn in_plan_mode_nothing_changes_until_the_plan_is_approved() {
    let (place, mut ada) = asking(Mode::Plan).await;
    ada.says(concat!(
        r#"[[tool write {"path":"a.txt","content":"x"}]] [[tool read {"path":"README.md"}]] [[then]] "#,
        r#"[[tool exit_plan {"plan":"1. write a.txt"}]] [[then]] "#,
        r#"[[tool write {"path":"a.txt","content":"y"}]] [[then]] [[say 1 tokens at 100/s]]"#
    ))
    .await;

    let asked = ada.sees_asked(1).await;

    assert!(matches!(&asked[0].1.preview, Preview::Plan { text } if text.contains("write a.txt")));
    let tools = ada.tools();
    assert_eq!(
        (tools[0].0, tools[1].0),
        (ToolState::Failed, ToolState::Done)
    );
    assert!(tools[0].1.contains("plan mode"), "{tools:?}");
    assert!(!place.tree(&ada).join("a.txt").exists());
    ada.decides(&asked[0].0, Verdict::Allow).await;
    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(
        std::fs::read_to_string(place.tree(&ada).join("a.txt")).unwrap(),
        "y"
    );
    assert_eq!(ada.picture.session.mode, Mode::AcceptEdits);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_shown_is_not_overwritten() {
    let (place, mut ada) = asking(Mode::Ask).await;
    ada.says(concat!(
        r##"[[tool edit {"path":"README.md","old_string":"# app","new_string":"# b"}]] "##,
        r#"[[then]] [[say 1 tokens at 100/s]]"#
    ))
    .await;
    let asked = ada.sees_asked(1).await;

    std::fs::write(place.tree(&ada).join("README.md"), "# app\nby hand\n").unwrap();
    ada.decides(&asked[0].0, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(ada.tools()[0].0, ToolState::Failed);
    let text = std::fs::read_to_string(place.tree(&ada).join("README.md")).unwrap();
    assert_eq!(text, "# app\nby hand\n");
}

#[tokio::test]
async fn a_rule_of_the_server_holds_in_every_session() {
    let place = Place::with(&["--rules", "bash(echo *)"]).await;
    let mut ada = place.open().await;
    ada.chooses(Mode::Ask).await;

    ada.says(r#"[[tool bash {"command":"echo hi"}]] [[then]] [[say 1 tokens at 100/s]]"#)
        .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(ada.tools()[0].0, ToolState::Done);
}

#[tokio::test]
async fn the_agent_s_plan_is_seen_by_all() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    ada.says(concat!(
        r#"[[tool todo {"items":[{"text":"look","status":"completed"},{"text":"do","status":"pending"}]}]] "#,
        r#"[[then]] [[say 1 tokens at 100/s]]"#
    ))
    .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let plan: Vec<_> = ada
        .picture
        .session
        .plan
        .iter()
        .map(|item| item.status)
        .collect();
    assert_eq!(plan, [PlanStatus::Completed, PlanStatus::Pending]);
}

#[tokio::test]
async fn a_message_is_taken_in_behind_the_results() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.chooses(Mode::Ask).await;
    ada.says(r#"[[tool bash {"command":"echo hi"}]] [[then]] [[say 1 tokens at 100/s]]"#)
        .await;
    let asked = ada.sees_asked(1).await;

    ada.steers(r#"[[text "steered there"]]"#).await;
    ada.decides(&asked[0].0, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert!(ada.text().contains("steered there"));
    let order: Vec<_> = ada.kinds().map(word).collect();
    assert_eq!(order, ["message", "tool", "message", "text", "end"]);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn what_came_too_late_to_be_slipped_in_starts_the_next_turn() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 60 tokens at 100/s]]").await;
    ada.sees_text("tok2").await;

    ada.steers("[[say 2 tokens at 100/s]]").await;

    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn the_budget_stops_the_turn_and_a_higher_one_lets_it_go_on() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.commands(Command::SetBudget { pico: Some(1) }).await;
    ada.says(concat!(
        r#"[[tool read {"path":"README.md"}]] [[then]] [[tool read {"path":"README.md"}]] "#,
        r#"[[then]] [[say 1 tokens at 100/s]]"#
    ))
    .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Budget);
    assert_eq!(ada.tools().len(), 1);
    assert!(ada.problems()[0].contains("budget"));

    ada.commands(Command::SetBudget { pico: None }).await;
    let again = duplex_domain::Again::Continue;
    let raised = |person: &Person| person.picture.session.budget.is_none();
    ada.sees("the new budget", raised).await;
    ada.commands(Command::Again { again }).await;
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

fn word(kind: &ItemKind) -> &'static str {
    match kind {
        ItemKind::Message { .. } => "message",
        ItemKind::Tool { .. } => "tool",
        ItemKind::Text { .. } => "text",
        ItemKind::TurnEnd { .. } => "end",
        _ => "other",
    }
}
