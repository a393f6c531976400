//! Shells on a real log, in real sandboxes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{Command, Event, Size, TerminalEnd, TerminalState};
use place::{Person, Place, within};

#[tokio::test]
async fn a_shell_runs_in_the_worktree_and_takes_its_size() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(terminal, "cat README.md; echo size $(stty size)\n")
        .await;
    ada.sees_printed("# app").await;
    ada.sees_printed("size 24 80").await;

    let (cols, rows) = (100, 30);
    let size = Size { cols, rows };
    ada.commands(Command::Resize { terminal, size }).await;
    ada.sees("the new size", |person| {
        person.picture.session.terminals[&terminal].size == size
    })
    .await;
    // The key was allowed behind the size, so the runner waits for the size before it types the key.
    ada.types(terminal, "echo now $(stty size)\n").await;
    ada.sees_printed("now 30 100").await;
}

#[tokio::test]
async fn ctrl_c_stops_a_command_and_exit_tells_its_code() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;
    // It is the command itself that says it has begun: an interrupt before the shell has started it stops nothing.
    let command = "bash -c \"echo beg''un; exec sleep 1000\"\n";
    ada.types(terminal, command).await;
    ada.sees_printed("begun").await;

    ada.types(terminal, "\x03").await;
    // What is typed before the shell has the terminal back is thrown away with the command.
    ada.sees("the next prompt", |person| {
        let printed = String::from_utf8_lossy(&person.printed);
        let interrupted = printed.rsplit_once("^C");
        interrupted.is_some_and(|(_, rest)| rest.contains('$'))
    })
    .await;
    ada.types(terminal, "exit 7\n").await;

    let exited = TerminalState::Exited(TerminalEnd::Code(7));
    ada.sees("the exit code", |person| {
        person.picture.session.terminals[&terminal].state == exited
    })
    .await;
}

#[tokio::test]
async fn keys_that_are_not_echoed_never_reach_the_log() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;
    ada.types(
        terminal,
        "read -s -p 'Pass''word: ' p; echo; echo length ${#p}\n",
    )
    .await;
    ada.sees_printed("Password: ").await;

    ada.types(terminal, "hunter2hunter2\n").await;

    ada.sees_printed("length 14").await;
    // The command before the prompt was typed too shortly before it to be kept either.
    let counted = |typed: &[(u32, usize)]| typed.iter().map(|(count, _)| count).sum::<u32>() >= 16;
    ada.sees("the count alone", |person| counted(&person.typed))
        .await;
    assert!(
        ada.typed.iter().all(|(_, sealed)| *sealed == 0),
        "{:?}",
        ada.typed
    );
    assert!(!ada.prints("hunter2"));
}

#[tokio::test]
async fn a_burst_of_output_arrives_whole_and_ordered() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(terminal, "stty -opost; seq 1 200000; echo do''ne\n")
        .await;

    ada.sees_printed("done").await;
    let printed = String::from_utf8_lossy(&ada.printed).into_owned();
    let numbers: Vec<_> = (1..=200_000).map(|n| n.to_string()).collect();
    assert!(printed.contains(&numbers.join("\n")));
    // A saved screen makes late joiners independent of all that.
    ada.sees("the screen to be saved", |person| {
        let terminal = &person.picture.session.terminals[&terminal];
        terminal.saved > 1_000_000
    })
    .await;
}

#[tokio::test]
async fn what_is_committed_in_a_terminal_appears_in_the_repository() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(terminal, "git commit -q --allow-empty -m 'by hand'\n")
        .await;

    let appears = async {
        loop {
            let mut git = std::process::Command::new("git");
            let log = git.args(["log", "--branches=duplex/*", "--format=%s"]);
            let log = log.current_dir(place.workspace()).output().unwrap();
            if String::from_utf8_lossy(&log.stdout).contains("by hand") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    within("the commit", appears).await;
}

/// What the log has of a terminal's output, and what it says it does not have: pieces without a hole between them.
fn kept_and_elided(events: &[Event]) -> (u64, u64) {
    let (mut at, mut kept, mut elided) = (0, 0, 0);
    for event in events {
        match event {
            Event::Printed { offset, bytes, .. } => {
                assert_eq!(*offset, at, "a hole that nobody told of");
                at += bytes.0.len() as u64;
                kept += bytes.0.len() as u64;
            }
            Event::OutputElided {
                from, to, digest, ..
            } => {
                assert_eq!((*from, digest.len()), (at, 64));
                at = *to;
                elided += to - from;
            }
            Event::ScreenSaved { offset, .. } => assert_eq!(*offset, at),
            _ => {}
        }
    }
    (kept, elided)
}

#[tokio::test]
async fn of_a_flood_the_log_keeps_what_its_budget_allows_and_screens_stand_for_the_rest() {
    let place = Place::with(&["--terminal-burst-mib", "2"]).await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(
        terminal,
        "clear; yes 'a line of the flood' | head -c 12000000; echo do''ne\n",
    )
    .await;

    let shows = |person: &Person, text: &str| {
        let rows = person.screen.text();
        rows.iter().any(|row| row.starts_with(text))
    };
    ada.sees("the end of the flood", |person| shows(person, "done"))
        .await;
    // Once there is room again, output is kept as before.
    ada.sees("calm", |person| {
        let known = &person.picture.session.terminals[&terminal];
        known.saved == known.offset
    })
    .await;
    let events = place.events(&ada).await;
    let (kept, elided) = kept_and_elided(&events);
    assert!(kept < 8_000_000, "{kept} bytes were kept");
    assert!(elided > 4_000_000, "{elided} bytes were left out");
    let told = ada.picture.session.terminals[&terminal].elided;
    assert_eq!(told, elided);
    ada.types(terminal, "echo after''wards\n").await;
    ada.sees_printed("afterwards").await;
    ada.sees("the screen to go on", |person| shows(person, "afterwards"))
        .await;
}

#[tokio::test]
async fn in_private_nothing_that_is_typed_is_kept() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;
    let private = |on| Command::SetPrivateInput { terminal, on };

    ada.commands(private(true)).await;
    ada.sees("the switch", |person| {
        person.picture.session.terminals[&terminal].private
    })
    .await;
    ada.types(terminal, "echo not''hing\n").await;
    ada.sees_printed("nothing").await;
    ada.sees("the count alone", |person| person.typed == [(16, 0)])
        .await;

    ada.commands(private(false)).await;
    ada.sees("the switch back", |person| {
        !person.picture.session.terminals[&terminal].private
    })
    .await;
    ada.types(terminal, "echo some''thing\n").await;
    ada.sees("sealed keys", |person| {
        let last = person.typed.last();
        last.is_some_and(|(count, sealed)| *count == 17 && *sealed > 17)
    })
    .await;
}

#[tokio::test]
async fn people_see_that_a_program_hides_what_is_typed() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;
    let hidden = |person: &Person| person.picture.session.terminals[&terminal].hidden;

    ada.types(terminal, "read -s secret; echo; echo got it\n")
        .await;
    ada.sees("the lock", hidden).await;
    ada.types(terminal, "hunter2\n").await;
    ada.sees("the lock to go", |person| !hidden(person)).await;
}

#[tokio::test]
async fn once_keys_are_forgotten_none_are_kept() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.commands(Command::ForgetKeys).await;
    ada.sees("the word", |person| person.picture.session.keys_forgotten)
        .await;
    ada.types(terminal, "echo not''hing\n").await;
    ada.sees("the count alone", |person| person.typed == [(15, 0)])
        .await;
}

#[tokio::test]
async fn a_workspace_can_say_that_no_keys_are_kept() {
    let rules = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(rules.path(), "[default]\nkeep_keys = false\n").unwrap();
    let file = rules.path().to_str().unwrap();
    let place = Place::with(&["--workspaces-file", file]).await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(terminal, "echo not''hing\n").await;
    ada.sees("the count alone", |person| person.typed == [(15, 0)])
        .await;
}

#[tokio::test]
async fn a_provider_s_key_is_never_shown() {
    // The key that the runner of these tests has.
    let (front, back) = ("scri", "pted");
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    let command = format!("printf 'it is %s%s.\\n' {front} {back}\n");
    ada.types(terminal, &command).await;

    ada.sees_printed("it is [redacted].").await;
    assert!(!ada.prints("scripted"));
}

#[tokio::test]
async fn a_terminal_in_which_nothing_happens_is_closed_in_the_end() {
    let place = Place::with(&["--terminal-idle-hours", "0.001"]).await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.sees("its end", |person| {
        let state = person.picture.session.terminals[&terminal].state;
        matches!(state, TerminalState::Exited(_))
    })
    .await;
    let notices = place.events(&ada).await;
    let told =
        |event: &Event| matches!(event, Event::Notice { code, .. } if code == "terminal_idle");
    assert!(notices.iter().any(told));
}

#[tokio::test]
async fn what_would_hang_a_viewer_is_taken_out_before_the_log() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    let terminal = ada.opens_terminal().await;

    ada.types(terminal, "for c in L M S T b I Z; do printf \"\\033[2147483647$c\"; done; printf '\\033]52;c;?\\007'; echo do''ne\n")
        .await;

    ada.sees_printed("done").await;
    let printed = String::from_utf8_lossy(&ada.printed);
    assert!(!printed.contains("\u{1b}[2147483647"));
    assert!(!printed.contains("\u{1b}]52"));
}
