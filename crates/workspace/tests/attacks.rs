//! Attacks that other servers of agents have fallen to: names as commands, and a sandbox with rights of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use common::{Desk, Place, SESSION};

use duplex_workspace::{Author, Bubblewrap, SandboxError, SandboxMode, Users};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Names that are commands or options to a shell or program that they are handed to carelessly. `ran` would be made.
const NAMES: [&str; 12] = [
    "$(touch ran)",
    "`touch ran`",
    "; touch ran;",
    "&& touch ran",
    "| touch ran",
    "a\ntouch ran\n",
    "'; touch ran; '",
    "\"; touch ran; \"",
    "--output=ran",
    "-rf",
    "-c core.pager=touch ran",
    ":(glob)ran",
];

/// Whether any of these commands was run, wherever it was.
fn ran(folders: &[&Path]) -> Vec<PathBuf> {
    let marks = folders.iter().map(|folder| folder.join("ran"));
    marks.filter(|mark| mark.exists()).collect()
}

#[tokio::test]
async fn a4_a_file_s_name_is_no_command_to_git() {
    let place = Place::with_project();
    let worktree = place.worktree(SESSION).await;
    let base = worktree.base().await.unwrap();
    for name in NAMES {
        fs::write(worktree.tree.join(name), "1\n").unwrap();
    }

    let first = worktree.checkpoint(NAMES[0]).await.unwrap();
    let changes = worktree.changes(&base, &first.commit).await.unwrap();
    for name in NAMES {
        fs::write(worktree.tree.join(name), "2\n").unwrap();
    }
    let now = worktree.changes_now(&first.commit).await.unwrap();
    worktree.checkpoint("second").await.unwrap();
    let preview = worktree.restore_preview(&first.commit).await.unwrap();
    worktree.restore(&first.commit, &preview.now).await.unwrap();
    let ada = Author {
        name: NAMES[1].into(),
        email: NAMES[8].into(),
    };
    let chosen = NAMES.map(PathBuf::from);
    worktree
        .commit(NAMES[0], &ada, Some(&chosen))
        .await
        .unwrap();

    assert_eq!(
        (changes.files.len(), now.files.len()),
        (NAMES.len(), NAMES.len())
    );
    for name in NAMES {
        assert_eq!(fs::read_to_string(worktree.tree.join(name)).unwrap(), "1\n");
    }
    let here = std::env::current_dir().unwrap();
    assert_eq!(ran(&[&worktree.tree, &here]), Vec::<PathBuf>::new());
    for word in ["--output=ran", "HEAD; touch ran", "$(touch ran)"] {
        assert!(
            worktree.changes(word, &first.commit).await.is_err(),
            "{word}"
        );
        assert!(worktree.restore_preview(word).await.is_err(), "{word}");
    }
    assert_eq!(ran(&[&worktree.tree, &here]), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a4_a_file_s_name_is_no_command_to_the_agents_tools() {
    let desk = Desk::new(SandboxMode::Off).await;
    for name in NAMES {
        fs::write(desk.tree().join(name), "needle\n").unwrap();
    }

    for name in NAMES {
        for (tool, input) in [
            ("read", json!({"path": name})),
            (
                "edit",
                json!({"path": name, "old_string": "needle", "new_string": "needle "}),
            ),
            ("write", json!({"path": name, "content": "needle\n"})),
            ("glob", json!({"pattern": "*", "path": name})),
            ("glob", json!({"pattern": name})),
            ("grep", json!({"pattern": "needle", "path": name})),
            ("grep", json!({"pattern": name})),
            ("grep", json!({"pattern": "needle", "glob": name})),
        ] {
            desk.tool(tool, input).await;
        }
    }
    let found = desk.tool("grep", json!({"pattern": "needle"})).await;

    assert!(found.content.contains("--output=ran"), "{}", found.content);
    let here = std::env::current_dir().unwrap();
    assert_eq!(ran(&[desk.tree(), &here]), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a16_a_bubblewrap_with_rights_of_its_own_is_refused() {
    let place = Place::empty();
    place.file("bwrap", "#!/bin/sh\nexit 0\n");
    let program = place.path("bwrap");
    for mode in [0o4755, 0o2755] {
        fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Bubblewrap::probe(&program, Users::NONE).await.unwrap_err();
        assert!(matches!(refused, SandboxError::GivesRights(_)), "{refused}");
        assert!(refused.to_string().contains("chmod u-s,g-s"), "{refused}");
    }
}
