//! What an agent is shown and told: pictures, plans, and a project's instructions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::symlink;

use bytes::Bytes;
use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::{Image, Outcome, PlanItem, PlanStatus};
use duplex_workspace::{Instructions, instructions, instructions_for};
use serde_json::json;

async fn desk() -> Desk {
    Desk::new(SandboxMode::Off).await
}

#[tokio::test]
async fn pictures_are_shown_by_what_is_in_them() {
    let desk = desk().await;
    for (name, media_type, start) in [
        (
            "a.png",
            "image/png",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(),
        ),
        ("b.txt", "image/jpeg", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"),
        ("c", "image/gif", b"GIF89a\x01\0\x01\0"),
        ("d.webp", "image/webp", b"RIFF\x24\0\0\0WEBPVP8 "),
    ] {
        std::fs::write(desk.tree().join(name), start).unwrap();
        let bytes = Bytes::copy_from_slice(start);
        let shown = Outcome {
            images: vec![Image { media_type, bytes }],
            ..ok(&format!("{name}: {media_type}, {} bytes", start.len()))
        };
        assert_eq!(desk.tool("read", json!({ "path": name })).await, shown);
    }
}

#[tokio::test]
async fn pictures_have_a_largest_size_and_other_binary_files_none() {
    let desk = desk().await;
    let mut picture = b"GIF87a".to_vec();
    picture.resize(5_000_000, 0);
    std::fs::write(desk.tree().join("large.gif"), &picture).unwrap();
    picture.push(0);
    std::fs::write(desk.tree().join("larger.gif"), &picture).unwrap();
    std::fs::write(desk.tree().join("song.ogg"), b"OggS\0\x02").unwrap();
    let read = async |path: &str| desk.tool("read", json!({ "path": path })).await;

    assert_eq!(read("large.gif").await.images[0].bytes.len(), 5_000_000);
    assert_eq!(
        read("larger.gif").await,
        failed(
            "larger.gif is a picture of more than 5000000 bytes: make it smaller with bash first"
        )
    );
    assert_eq!(
        read("song.ogg").await,
        failed("song.ogg is a binary file: look at it with bash, for example with file or xxd")
    );
}

#[tokio::test]
async fn the_list_of_what_is_to_be_done_is_given_whole() {
    let desk = desk().await;
    let item = |text: &str, status| PlanItem {
        text: text.to_owned(),
        status,
    };

    let outcome = desk
        .tool(
            "todo",
            json!({"items": [
                {"text": "look", "status": "completed"},
                {"text": "mend", "status": "in_progress"},
                {"text": "test", "status": "pending"},
            ]}),
        )
        .await;
    let empty = desk.tool("todo", json!({"items": []})).await;

    let plan = vec![
        item("look", PlanStatus::Completed),
        item("mend", PlanStatus::InProgress),
        item("test", PlanStatus::Pending),
    ];
    assert_eq!(
        outcome,
        Outcome {
            plan: Some(plan),
            ..ok("the list has 3 items: 1 completed, 1 in progress, 1 pending")
        }
    );
    assert_eq!(empty.plan, Some(Vec::new()));
}

#[tokio::test]
async fn a_list_that_makes_no_sense_is_refused() {
    let desk = desk().await;
    let one = |text: &str, status: &str| json!({"items": [{"text": text, "status": status}]});
    let many: Vec<_> = (0..101)
        .map(|_| json!({"text": "x", "status": "pending"}))
        .collect();

    for (input, reason) in [
        (one(" ", "pending"), "item 1 has no text"),
        (one("two\nlines", "pending"), "item 1 is not one line"),
        (one(&"x".repeat(501), "pending"), "item 1 is not one line"),
        (one("x", "later"), "unknown variant `later`"),
        (json!({ "items": many }), "longer than 100 items"),
        (
            json!({"items": [{"text": "x", "status": "pending", "id": 1}]}),
            "unknown field `id`",
        ),
    ] {
        let outcome = desk.tool("todo", input).await;
        assert!(
            outcome.is_error && outcome.content.contains(reason),
            "{outcome:?}"
        );
        assert_eq!(outcome.plan, None);
    }
}

#[tokio::test]
async fn a_plan_that_was_approved_is_answered() {
    let desk = desk().await;

    assert_eq!(
        desk.tool("exit_plan", json!({"plan": "1. look\n2. mend"}))
            .await,
        ok("the plan is approved: go on")
    );
    assert!(
        desk.tool("exit_plan", json!({"plan": " \n"}))
            .await
            .is_error
    );
}

#[tokio::test]
async fn a_projects_instructions_are_found_on_the_way() {
    let desk = desk().await;
    let worktree = &desk.context.worktree;
    let put = |path: &str, text: &str| {
        let path = desk.tree().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let told = |path: &str, text: &str| Instructions {
        path: path.to_owned(),
        text: text.to_owned(),
    };

    assert_eq!(instructions(worktree), None);
    put("CLAUDE.md", "old name");
    assert_eq!(instructions(worktree), Some(told("CLAUDE.md", "old name")));
    put("AGENTS.md", "top");
    put("a/CLAUDE.md", "in a");
    put("a/b/c/AGENTS.md", "in c");
    put("a/b/c/x.rs", "");
    assert_eq!(instructions(worktree), Some(told("AGENTS.md", "top")));
    let on_the_way = [told("a/CLAUDE.md", "in a"), told("a/b/c/AGENTS.md", "in c")];
    assert_eq!(instructions_for(worktree, "a/b/c/x.rs"), on_the_way);
    assert_eq!(instructions_for(worktree, "a/b/c"), on_the_way);
    assert_eq!(instructions_for(worktree, "a/new.rs"), on_the_way[..1]);
    assert_eq!(instructions_for(worktree, "x.rs"), []);
    assert_eq!(instructions_for(worktree, "."), []);
    assert_eq!(instructions_for(worktree, "../x"), []);
}

#[tokio::test]
async fn instructions_are_bounded_and_come_from_inside() {
    let desk = desk().await;
    desk.place.file("secret/key", "hush");
    symlink(desk.place.path("secret/key"), desk.tree().join("AGENTS.md")).unwrap();
    std::fs::write(
        desk.tree().join("CLAUDE.md"),
        format!("x{}", "é".repeat(100_000)),
    )
    .unwrap();

    let found = instructions(&desk.context.worktree).unwrap();

    assert_eq!(found.path, "CLAUDE.md");
    let closing = "\n[the file goes on: only its first 32 KiB are given here]\n";
    assert_eq!(
        found.text,
        format!("x{}{closing}", "é".repeat(16 * 1024 - 1))
    );
}
