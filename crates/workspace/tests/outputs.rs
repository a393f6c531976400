//! Long outputs: cut for the model, kept whole for it to read on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::symlink;

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use serde_json::json;

#[tokio::test]
async fn what_was_cut_can_be_paged() {
    let desk = Desk::sandboxed().await;

    let short = desk.bash("seq 1 100").await.content;
    let long = desk.bash("seq 1 30000").await.content;
    let lines = desk.bash("seq 1 3000").await.content;
    let page = desk
        .tool(
            "read",
            json!({"path": "~/outputs/0001.txt", "offset": 15_000, "limit": 2}),
        )
        .await;
    let home = desk.context.worktree.home.display();
    let whole = desk
        .tool(
            "read",
            json!({"path": format!("{home}/outputs/0002.txt"), "offset": 3000}),
        )
        .await;

    assert!(!short.contains("outputs"));
    assert!(
        long.contains(
            "bytes cut here: all of it is in ~/outputs/0001.txt, page it with read ...]\n"
        )
    );
    assert!(lines.contains("all of it is in ~/outputs/0002.txt"));
    assert_eq!(
        page,
        ok(" 15000\t15000\n 15001\t15001\n[the file goes on: read again with offset 15002]\n")
    );
    assert_eq!(whole, ok("  3000\t3000\n"));
    // Commands find it there too.
    assert_eq!(
        desk.bash("wc -l < ~/outputs/0001.txt").await,
        ok("30000\n[exit code 0]")
    );
}

#[tokio::test]
async fn no_other_file_of_the_home_and_nothing_outside_is_read_that_way() {
    let desk = Desk::new(SandboxMode::Off).await;
    let home = &desk.context.worktree.home;
    desk.bash("seq 1 30000").await;
    desk.place.file("secret/key", "hush");
    std::fs::create_dir(home.join("outputs/inner")).unwrap();
    std::fs::write(home.join("outputs/inner/x"), "hush").unwrap();
    symlink(desk.place.path("secret/key"), home.join("outputs/0002.txt")).unwrap();
    symlink("../.gitconfig", home.join("outputs/0003.txt")).unwrap();

    for path in [
        "~/.gitconfig",
        "~/outputs/../.gitconfig",
        "~/outputs/0002.txt",
        "~/outputs/0003.txt",
        "~/outputs/inner/x",
        "~/outputs/..",
        "~/outputs",
        "~",
        "~root/x",
        &format!("{}/.gitconfig", home.display()),
        &format!("{}/outputs/../.gitconfig", home.display()),
    ] {
        let outcome = desk.tool("read", json!({ "path": path })).await;
        assert!(outcome.is_error, "{path}: {outcome:?}");
    }
    for (tool, input) in [
        (
            "write",
            json!({"path": "~/outputs/0001.txt", "content": "x"}),
        ),
        (
            "edit",
            json!({"path": "~/outputs/0001.txt", "old_string": "777\n", "new_string": "x"}),
        ),
    ] {
        desk.tool(tool, input).await;
        let kept = std::fs::read_to_string(home.join("outputs/0001.txt")).unwrap();
        assert_eq!(kept.lines().count(), 30_000, "{tool}");
    }
}

#[tokio::test]
async fn a_folder_of_outputs_that_was_turned_away_is_not_written_through() {
    let desk = Desk::sandboxed().await;
    let target = desk.place.path("elsewhere");
    std::fs::create_dir(&target).unwrap();
    desk.bash(&format!("ln -s {} ~/outputs", target.display()))
        .await;

    let outcome = desk.bash("seq 1 30000").await;

    assert!(
        outcome.content.contains("narrow the command down"),
        "no file to name"
    );
    assert_eq!(std::fs::read_dir(target).unwrap().count(), 0);
}

#[tokio::test]
async fn the_oldest_outputs_make_room_for_new_ones() {
    let mut desk = Desk::sandboxed().await;
    desk.context.limits.kept = 100_000;
    desk.context.limits.kept_in_all = 350_000;

    for _ in 0..5 {
        desk.bash("seq 1 30000").await;
    }

    let folder = desk.context.worktree.home.join("outputs");
    let mut kept: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["0003.txt", "0004.txt", "0005.txt"]);
    let last = std::fs::read_to_string(folder.join("0005.txt")).unwrap();
    assert!(last.ends_with("\n[only the first 100000 bytes are kept]\n"));
    assert_eq!(
        last.len(),
        100_000 + "\n[only the first 100000 bytes are kept]\n".len()
    );
}

#[tokio::test]
async fn a_command_that_prints_without_end_is_stopped() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let mut desk = Desk::new(mode).await;
        desk.context.limits.printed = 1_000_000;
        desk.context.limits.streamed = 10_000;

        let (outcome, stream) = desk.streaming("bash", json!({"command": "yes"})).await;

        let ending =
            "[killed: it put out more than 1000000 bytes; have it print less, or into a file]";
        assert!(
            outcome.is_error && outcome.content.ends_with(ending),
            "{mode}"
        );
        assert!(outcome.content.contains("~/outputs/0001.txt"), "{mode}");
        assert!(stream.len() < 11_000, "{mode}");
    }
}

#[tokio::test]
async fn bad_paths_are_refused_the_same_with_and_without_kept_outputs() {
    let desk = Desk::new(SandboxMode::Off).await;

    let missing = desk
        .tool("read", json!({"path": "~/outputs/0009.txt"}))
        .await;

    assert_eq!(
        missing,
        failed("there is no file outputs/0009.txt: use glob to find the right name")
    );
}
