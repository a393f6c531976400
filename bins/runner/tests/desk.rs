//! The agent at the people's terminals, on a real log with real shells.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{EndReason, Preview, TerminalId, ToolState, Verdict};
use place::{Person, Place};

/// A session in the freest mode, with a terminal at its prompt.
async fn with_terminal() -> (Place, Person, TerminalId) {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;
    // The mark after the prompt tells that the shell reads.
    ada.sees_printed("\u{1b}]133;B").await;
    (place, ada, terminal)
}

#[tokio::test]
async fn a_command_is_run_before_everybody_s_eyes_once_somebody_allows_it() {
    let (place, mut ada, terminal) = with_terminal().await;
    ada.types(terminal, "word=hidden''word\n").await;
    ada.sees_printed("]133;D;0").await;

    ada.says(
        r#"[[tool terminal_run {"command":"echo $word; (exit 3)"}]] [[then]] [[say 1 tokens at 100/s]]"#,
    )
    .await;
    let asked = ada.sees_asked(1).await;
    let (call, pending) = &asked[0];
    assert!(
        matches!(&pending.preview, Preview::Other { summary } if summary == "types into terminal 1: echo $word; (exit 3)"),
        "{pending:?}"
    );
    assert!(!ada.prints("echo $word"));

    ada.decides(call, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let expected = "hiddenword\n[exit code 3]".to_owned();
    assert_eq!(ada.tools(), [(ToolState::Done, expected)]);
    // Everybody saw it.
    assert!(ada.prints("echo $word; (exit 3)") && ada.prints("hiddenword"));
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_screen_is_read_with_a_person_s_word() {
    let (_place, mut ada, terminal) = with_terminal().await;
    ada.types(terminal, "printf 'on the %s\\n' screen; false\n")
        .await;
    ada.sees_printed("]133;D;1").await;

    ada.says(r"[[tool terminal_read {}]] [[then]] [[say 1 tokens at 100/s]]")
        .await;
    let asked = ada.sees_asked(1).await;
    ada.decides(&asked[0].0, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let (state, read) = ada.tools().remove(0);
    assert_eq!(state, ToolState::Done);
    assert!(read.contains("\non the screen\n"), "{read}");
    assert!(read.ends_with("ended with exit code 1]"), "{read}");
}

#[tokio::test]
async fn nothing_is_typed_into_a_program_or_behind_what_somebody_types() {
    let (_place, mut ada, terminal) = with_terminal().await;
    let script =
        r#"[[tool terminal_run {"command":"echo agent"}]] [[then]] [[say 1 tokens at 100/s]]"#;

    ada.types(terminal, "half a comm").await;
    ada.sees_printed("half a comm").await;
    ada.says(script).await;
    let asked = ada.sees_asked(1).await;
    ada.decides(&asked[0].0, Verdict::Allow).await;
    ada.sees_end(1).await;
    let (state, why) = ada.tools().remove(0);
    assert_eq!(state, ToolState::Failed);
    assert!(why.contains("somebody is typing"), "{why}");

    ada.types(terminal, "\u{3}").await;
    ada.sees("a new prompt", |person| {
        let printed = String::from_utf8_lossy(&person.printed);
        let interrupted = printed.split_once("^C");
        interrupted.is_some_and(|(_, rest)| rest.contains("]133;B"))
    })
    .await;
    ada.types(terminal, "cat\n").await;
    ada.sees_printed("]133;C").await;
    ada.says(script).await;
    let asked = ada.sees_asked(1).await;
    ada.decides(&asked[0].0, Verdict::Allow).await;
    ada.sees_end(2).await;
    let (state, why) = ada.tools().remove(1);
    assert_eq!(state, ToolState::Failed);
    assert!(why.contains("a program is running"), "{why}");
    assert!(!ada.prints("agent"));
}

#[tokio::test]
async fn who_waits_in_vain_is_told_what_came_so_far() {
    let (_place, mut ada, _terminal) = with_terminal().await;
    ada.says(concat!(
        r#"[[tool terminal_run {"command":"echo begun; sleep 600","timeout":1500}]] [[then]] "#,
        r#"[[say 1 tokens at 100/s]]"#
    ))
    .await;
    let asked = ada.sees_asked(1).await;
    ada.decides(&asked[0].0, Verdict::Allow).await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let (state, said) = ada.tools().remove(0);
    assert_eq!(state, ToolState::Done);
    assert!(
        said.starts_with("begun\n") && said.contains("still running"),
        "{said}"
    );
}

#[tokio::test]
async fn without_a_terminal_the_agent_is_told_so() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    ada.says(r"[[tool terminal_read {}]] [[then]] [[say 1 tokens at 100/s]]")
        .await;
    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let (state, why) = ada.tools().remove(0);
    assert_eq!(state, ToolState::Failed);
    assert!(why.contains("no terminal is open"), "{why}");
}
