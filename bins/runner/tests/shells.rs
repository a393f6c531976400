//! Shells on a real log, in real sandboxes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{Command, Size, TerminalEnd, TerminalState};
use place::{Place, within};

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
    // The runner hears of the size when the page does: ask until the shell has it.
    while !ada.prints("now 30 100") {
        ada.types(terminal, "echo now $(stty size)\n").await;
        let printed = ada.printed.len();
        ada.sees("an answer", |person| person.printed.len() > printed + 30)
            .await;
    }
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
