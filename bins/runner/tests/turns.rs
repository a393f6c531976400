//! Turns on a real log, with a scripted provider, real git and real sandboxes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{Command, EndReason, ItemKind, TerminalEnd, TerminalState, ToolState};
use duplex_provider_double as double;
use place::{Place, runs, within};
use uuid::Uuid;

#[tokio::test]
async fn an_answer_streams_token_by_token_and_is_paid_for() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    ada.says("[[say 40 tokens at 200/s]]").await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(ada.text(), double::expected_text(40));
    assert!(ada.picture.session.usage.output > 0);
    assert!(ada.picture.session.cost.pico > 0);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn tools_run_in_the_worktree_and_the_model_reads_their_results() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    ada.says(concat!(
        r#"[[tool bash {"command":"echo hi > new.txt; cat new.txt"}]] "#,
        r#"[[tool read {"path":"README.md"}]] [[then]] [[say 3 tokens at 100/s]]"#
    ))
    .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let tools = ada.tools();
    assert_eq!(tools.len(), 2);
    assert!(
        tools.iter().all(|(state, _)| *state == ToolState::Done),
        "{tools:?}"
    );
    assert!(
        tools[0].1.contains("hi") && tools[1].1.contains("# app"),
        "{tools:?}"
    );
    // The project itself is untouched: the session has its own worktree.
    assert!(!place.workspace().join("new.txt").exists());
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_turn_that_never_rests_ends_at_its_step_cap() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    let step = r#"[[tool read {"path":"README.md"}]] [[then]] "#;
    ada.says(&step.repeat(120)).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Steps);
    assert_eq!(ada.tools().len(), 100);
    assert!(ada.problems()[0].contains("100 model calls"));
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupt_stops_a_silent_provider_and_keeps_the_text() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 9 tokens at 100/s]] [[stall after 5]]")
        .await;
    ada.sees_text("tok4").await;

    ada.interrupts().await;

    assert_eq!(ada.sees_end(1).await, EndReason::Interrupted);
    assert_eq!(ada.text(), double::expected_text(5));
    ada.says("[[say 2 tokens at 100/s]]").await;
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupt_ends_a_running_tool() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.says(
        r#"[[tool bash {"command":"echo begun; sleep 1000"}]] [[then]] [[say 1 tokens at 100/s]]"#,
    )
    .await;
    ada.sees("the command to run", |person| {
        let begun = |kind: &ItemKind| {
            matches!(kind, ItemKind::Tool { output, .. } if output.head.contains("begun"))
        };
        person.kinds().any(begun)
    })
    .await;

    ada.interrupts().await;

    assert_eq!(ada.sees_end(1).await, EndReason::Interrupted);
    assert_ne!(ada.tools()[0].0, ToolState::Done);
    ada.says("[[say 2 tokens at 100/s]]").await;
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_message_sent_while_the_agent_works_starts_the_next_turn() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 60 tokens at 100/s]]").await;
    ada.sees_text("tok3").await;

    ada.says("[[say 3 tokens at 100/s]]").await;

    ada.sees("it to wait", |person| {
        person.picture.session.queue.len() == 1
    })
    .await;
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    let expected = double::expected_text(60) + &double::expected_text(3);
    assert_eq!(ada.text(), expected);
}

#[tokio::test]
async fn a_provider_that_fails_is_told_and_the_next_turn_is_clean() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let failing = [
        "[[http 401]]",
        "[[html]]",
        "[[say 9 tokens at 100/s]] [[cut after 4]]",
        "[[say 9 tokens at 100/s]] [[error 529 after 3]]",
    ];
    for (n, directive) in failing.iter().enumerate() {
        ada.says(directive).await;
        assert_eq!(ada.sees_end(n + 1).await, EndReason::Error, "{directive}");
    }
    let problems = ada.problems();
    assert_eq!(problems.len(), 4);
    assert!(
        problems[0].contains("DUPLEX_ANTHROPIC_API_KEY"),
        "{problems:?}"
    );

    ada.says("[[say 2 tokens at 100/s]]").await;
    assert_eq!(ada.sees_end(5).await, EndReason::Complete);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_overloaded_provider_is_asked_again_and_people_see_the_wait() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    ada.says("[[http 529 times 1]] [[say 4 tokens at 100/s]]")
        .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(ada.text(), double::expected_text(4));
    let waits = ada
        .kinds()
        .filter(|kind| matches!(kind, ItemKind::Retry { .. }));
    assert_eq!(waits.count(), 1);
}

#[tokio::test]
async fn a_turn_whose_runner_died_ends_once_and_work_goes_on() {
    let mut place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 400 tokens at 100/s]]").await;
    ada.sees_text("tok9").await;
    ada.says("[[text \"next\"]]").await;

    place.kill_runner();
    place.start_runner();

    assert_eq!(ada.sees_end(1).await, EndReason::RunnerLost);
    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
    assert_eq!(ada.ends().len(), 2);
    let text = ada.text();
    let kept = text.strip_suffix("next").unwrap();
    assert!(double::expected_text(400).starts_with(kept) && kept.contains("tok9"));
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_runner_that_stops_says_so_and_gives_its_sessions_back() {
    let mut place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 400 tokens at 100/s]]").await;
    ada.sees_text("tok9").await;
    ada.opens_terminal().await;

    place.stop_runner().await;

    assert_eq!(ada.sees_end(1).await, EndReason::RunnerLost);
    ada.sees("the release", |person| {
        person.picture.session.runner.is_none()
    })
    .await;
    let states = ada
        .picture
        .session
        .terminals
        .values()
        .map(|terminal| terminal.state);
    let lost = TerminalState::Exited(TerminalEnd::Lost);
    assert_eq!(states.collect::<Vec<_>>(), [lost]);
}

#[tokio::test]
async fn a_log_that_dies_in_mid_turn_loses_nothing() {
    let mut place = Place::new().await;
    let mut ada = place.open().await;
    ada.says("[[say 200 tokens at 100/s]]").await;
    ada.sees_text("tok9").await;

    place.nats.kill9().await.unwrap();
    place.nats.restart().await.unwrap();

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert_eq!(ada.text(), double::expected_text(200));
}

#[tokio::test]
async fn ending_a_session_ends_its_turn_and_its_shells() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.opens_terminal().await;
    ada.says("[[say 400 tokens at 100/s]]").await;
    ada.sees_text("tok9").await;

    ada.commands(Command::End).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Ended);
    ada.sees("the shell to end", |person| {
        let mut terminals = person.picture.session.terminals.values();
        terminals.all(|terminal| terminal.state != TerminalState::Running)
    })
    .await;
}

#[tokio::test]
async fn without_its_workspace_a_turn_says_what_is_wrong() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    std::fs::rename(place.workspace(), place.folder.path().join("moved")).unwrap();

    ada.says("[[say 4 tokens at 100/s]]").await;

    assert_eq!(ada.sees_end(1).await, EndReason::Error);
    let app = place.workspace().display().to_string();
    let problems = ada.problems();
    assert!(problems[0].contains(&app), "{problems:?}");
}

#[tokio::test]
async fn a_command_in_the_background_outlives_its_turn_and_ends_with_its_session() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let words = format!("sleep 7{}", Uuid::now_v7().as_u128() % 100_000_000);

    let run = format!(
        r#"[[tool bash {{"command":"{words}","background":true}}]] [[then]] [[say 1 tokens at 100/s]]"#
    );
    ada.says(&run).await;
    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert!(runs(&words), "{:?}", ada.tools());

    ada.commands(Command::End).await;
    within("the command to end", async {
        while runs(&words) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_team_without_money_rests_until_it_has_some() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let registry = place.log.registry().await.unwrap();
    let team = ada.picture.session.team;
    registry.put_team_budget(team, Some(1)).await.unwrap();

    let step = r#"[[tool read {"path":"README.md"}]] [[then]] "#;
    ada.says(&step.repeat(99)).await;
    assert_eq!(ada.sees_end(1).await, EndReason::Budget);
    assert!(
        ada.problems()[0].contains("the team has spent"),
        "{:?}",
        ada.problems()
    );

    ada.says("[[say 1 tokens at 100/s]]").await;
    ada.sees("the message that waits", |ada| {
        ada.picture.session.queue.len() == 1
    })
    .await;
    registry.put_team_budget(team, None).await.unwrap();

    assert_eq!(ada.sees_end(2).await, EndReason::Complete);
}
