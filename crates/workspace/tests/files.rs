//! The tools that read and change files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::{PermissionsExt, symlink};

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::Outcome;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

async fn desk() -> Desk {
    Desk::new(SandboxMode::Off).await
}

fn text(desk: &Desk, path: &str) -> String {
    std::fs::read_to_string(desk.tree().join(path)).unwrap()
}

#[tokio::test]
async fn reading_numbers_the_lines() {
    let desk = desk().await;
    let absolute = desk.tree().join("hello.txt");

    assert_eq!(
        desk.tool("read", json!({"path": "hello.txt"})).await,
        ok("     1\thello\n     2\tworld\n")
    );
    assert_eq!(
        desk.tool("read", json!({"path": absolute, "offset": 2}))
            .await,
        ok("     2\tworld\n")
    );
    assert_eq!(
        desk.tool("read", json!({"path": "./x/../hello.txt", "limit": 1}))
            .await,
        ok("     1\thello\n[the file goes on: read again with offset 2]\n"),
    );
}

#[tokio::test]
async fn reading_a_long_file_stops_within_bounds_and_says_how_to_go_on() {
    let desk = desk().await;
    std::fs::write(desk.tree().join("lines"), "x\n".repeat(5000)).unwrap();
    std::fs::write(
        desk.tree().join("wide"),
        format!("{}\nend\n", "é".repeat(1_000_000)),
    )
    .unwrap();

    let lines = desk.tool("read", json!({"path": "lines"})).await.content;
    let wide = desk.tool("read", json!({"path": "wide"})).await.content;

    assert_eq!(lines.lines().count(), 2000);
    assert!(lines.ends_with("  1999\tx\n[the file goes on: read again with offset 2000]\n"));
    assert_eq!(
        wide,
        format!(
            "     1\t{} [line cut, 2000000 bytes long]\n     2\tend\n",
            "é".repeat(1000)
        )
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_explained() {
    let desk = desk().await;
    std::fs::write(desk.tree().join("binary"), b"\x7fELF\0\0").unwrap();
    std::fs::write(desk.tree().join("empty"), "").unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(desk.tree().join("pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());

    let read = async |path: &str| desk.tool("read", json!({ "path": path })).await;
    assert_eq!(read("empty").await, ok("(the file is empty)"));
    for (path, reason) in [
        ("nothing.txt", "there is no file nothing.txt"),
        ("binary", "binary file"),
        ("pipe", "not a regular file"),
        ("", "the path is empty"),
    ] {
        let outcome = read(path).await;
        assert!(
            outcome.is_error && outcome.content.contains(reason),
            "{path}: {}",
            outcome.content
        );
    }
    assert_eq!(
        desk.tool("read", json!({"path": "hello.txt", "offset": 9}))
            .await,
        failed("the file has 2 lines, so there is nothing at line 9"),
    );
}

#[tokio::test]
async fn writing_makes_folders_and_shows_the_diff() {
    let desk = desk().await;

    let outcome = desk
        .tool("write", json!({"path": "a/b/c.txt", "content": "one\n"}))
        .await;

    let diff = "--- a/a/b/c.txt\n+++ b/a/b/c.txt\n@@ -0,0 +1 @@\n+one\n";
    assert_eq!(
        outcome,
        Outcome {
            diff: Some(diff.to_owned()),
            ..ok("created a/b/c.txt, 1 lines, 4 bytes")
        }
    );
    assert_eq!(text(&desk, "a/b/c.txt"), "one\n");
}

#[tokio::test]
async fn replacing_a_file_keeps_its_mode_and_leaves_nothing_beside_it() {
    let desk = desk().await;
    let script = desk.tree().join("hello.txt");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o750)).unwrap();

    let outcome = desk
        .tool("write", json!({"path": "hello.txt", "content": "bye\n"}))
        .await;

    assert_eq!(outcome.content, "replaced hello.txt, 1 lines, 4 bytes");
    assert_eq!(
        std::fs::metadata(&script).unwrap().permissions().mode() & 0o777,
        0o750
    );
    let mut names: Vec<_> = std::fs::read_dir(desk.tree())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, [".git", "hello.txt"]);
}

#[tokio::test]
async fn an_edit_replaces_exactly_one_place() {
    let desk = desk().await;

    let outcome = desk
        .tool(
            "edit",
            json!({"path": "hello.txt", "old_string": "world", "new_string": "猫"}),
        )
        .await;

    let diff = "--- a/hello.txt\n+++ b/hello.txt\n@@ -1,2 +1,2 @@\n hello\n-world\n+猫\n";
    assert_eq!(
        outcome,
        Outcome {
            diff: Some(diff.to_owned()),
            ..ok("replaced once in hello.txt")
        }
    );
    assert_eq!(text(&desk, "hello.txt"), "hello\n猫\n");
}

#[tokio::test]
async fn an_edit_that_is_absent_or_not_unique_changes_nothing() {
    let desk = desk().await;
    let edit = async |old: &str, new: &str, all: Option<bool>| {
        let input =
            json!({"path": "hello.txt", "old_string": old, "new_string": new, "replace_all": all});
        desk.tool("edit", input).await
    };

    for (old, new, reason) in [
        ("moon", "sun", "old_string is not in hello.txt"),
        ("o", "0", "old_string is 2 times in hello.txt"),
        ("", "x", "old_string is empty"),
        ("hello", "hello", "are the same"),
    ] {
        let outcome = edit(old, new, None).await;
        assert!(
            outcome.is_error && outcome.content.contains(reason),
            "{}",
            outcome.content
        );
        assert_eq!(text(&desk, "hello.txt"), "hello\nworld\n");
    }
    assert_eq!(
        edit("o", "0", Some(true)).await.content,
        "replaced 2 times in hello.txt"
    );
    assert_eq!(text(&desk, "hello.txt"), "hell0\nw0rld\n");
}

#[tokio::test]
async fn no_path_and_no_link_leads_out_of_the_worktree() {
    let desk = desk().await;
    desk.place.file("secret/key", "hush");
    symlink(desk.place.path("secret"), desk.tree().join("folder")).unwrap();
    symlink(desk.place.path("secret/key"), desk.tree().join("file")).unwrap();
    symlink("../../../secret/new", desk.tree().join("dangling")).unwrap();
    symlink("/proc/self/root", desk.tree().join("magic")).unwrap();
    let absolute = desk.place.path("secret/key").display().to_string();

    for path in [
        "../../../secret/key",
        "a/../../x",
        "folder/key",
        "file",
        "dangling",
        "magic/etc/passwd",
        &absolute,
    ] {
        for (tool, input) in [
            ("read", json!({"path": path})),
            ("write", json!({"path": path, "content": "gotcha"})),
            (
                "edit",
                json!({"path": path, "old_string": "hush", "new_string": "gotcha"}),
            ),
        ] {
            let outcome = desk.tool(tool, input).await;
            assert!(
                outcome.is_error && outcome.content.contains("leads outside"),
                "{tool} {path}: {outcome:?}"
            );
        }
    }
    assert_eq!(
        std::fs::read_to_string(desk.place.path("secret/key")).unwrap(),
        "hush"
    );
    assert!(!desk.place.path("secret/new").exists());
}

#[tokio::test]
async fn a_link_that_stays_inside_is_written_through() {
    let desk = desk().await;
    symlink("hello.txt", desk.tree().join("link")).unwrap();

    desk.tool("write", json!({"path": "link", "content": "through\n"}))
        .await;

    assert_eq!(text(&desk, "hello.txt"), "through\n");
    assert!(desk.tree().join("link").is_symlink());
}

#[tokio::test]
async fn another_name_of_a_file_outside_is_not_written_through() {
    let desk = desk().await;
    desk.place.file("secret/key", "hush");
    let key = desk.place.path("secret/key");
    std::fs::hard_link(&key, desk.tree().join("hard")).unwrap();

    desk.tool("write", json!({"path": "hard", "content": "loud"}))
        .await;

    assert_eq!(text(&desk, "hard"), "loud");
    assert_eq!(std::fs::read_to_string(key).unwrap(), "hush");
}

#[tokio::test]
async fn a_folder_that_turns_into_a_link_meanwhile_leads_nowhere() {
    let desk = desk().await;
    desk.place.file("secret/key", "hush");
    let (folder, link) = (desk.tree().join("folder"), desk.tree().join("link"));
    std::fs::create_dir(&folder).unwrap();
    symlink(desk.place.path("secret"), &link).unwrap();
    // Each becomes the other, over and over, until they are gone.
    let exchange = move || renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE);
    std::thread::spawn(move || while exchange().is_ok() {});

    let (mut written, mut refused) = (0, 0);
    while written + refused < 300 || written == 0 || refused == 0 {
        let key = desk.tool("read", json!({"path": "folder/key"})).await;
        assert!(!key.content.contains("hush"), "{key:?}");
        let found = desk.tool("grep", json!({"pattern": "hush"})).await;
        assert_eq!(found, ok("no line fits\n"));
        let new = json!({"path": "folder/new", "content": "x"});
        if desk.tool("write", new).await.is_error {
            refused += 1;
        } else {
            written += 1;
        }
    }

    let names = std::fs::read_dir(desk.place.path("secret")).unwrap();
    let names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
    assert_eq!(names, ["key"], "something came out");
}

#[tokio::test]
async fn the_link_to_the_git_folder_is_not_for_writing() {
    let desk = desk().await;
    symlink(".git", desk.tree().join("alias")).unwrap();

    for path in [".git", "alias", ".git/config"] {
        let outcome = desk
            .tool(
                "write",
                json!({"path": path, "content": "gitdir: /elsewhere"}),
            )
            .await;
        assert!(outcome.is_error, "{path}: {outcome:?}");
    }
    assert!(text(&desk, ".git").starts_with("gitdir: "));
}

#[tokio::test]
async fn folders_and_files_in_the_way_are_explained() {
    let desk = desk().await;
    std::fs::create_dir(desk.tree().join("folder")).unwrap();

    let over = desk
        .tool("write", json!({"path": "folder", "content": ""}))
        .await;
    let below = desk
        .tool("write", json!({"path": "hello.txt/x", "content": ""}))
        .await;

    assert_eq!(
        over,
        failed("folder is a folder, not a file: list it with glob")
    );
    assert_eq!(
        below,
        failed("hello.txt/x cannot be there: a file or a link is where a folder must be")
    );
}

#[tokio::test]
async fn bad_calls_are_answered_for_the_model() {
    let desk = desk().await;

    for (tool, input, reason) in [
        (
            "fly",
            json!({}),
            "there is no tool \"fly\": use one of those you were given",
        ),
        (
            "read",
            json!({}),
            "bad input for read: missing field `path`",
        ),
        ("read", json!("x"), "bad input for read: invalid type"),
        (
            "read",
            json!({"path": "a", "mode": 1}),
            "bad input for read: unknown field `mode`",
        ),
        ("bash", json!({"command": "  "}), "command is empty"),
        ("bash", Value::Null, "bad input for bash"),
    ] {
        let outcome = desk.tool(tool, input).await;
        assert!(
            outcome.is_error && outcome.content.contains(reason),
            "{tool}: {}",
            outcome.content
        );
    }
}
