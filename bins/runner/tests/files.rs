//! Checkpoints, restores and commits, on a real log and real repositories.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{ChangeSize, Changes, Command, EndReason, FileStatus, ItemKind, RestoreStage};
use place::{Person, Place};
use std::process::Command as Program;

async fn writes(ada: &mut Person, n: usize, path: &str, content: &str) {
    let input = serde_json::json!({ "path": path, "content": content });
    ada.says(&format!(
        "[[tool write {input}]] [[then]] [[say 1 tokens at 100/s]]"
    ))
    .await;
    assert_eq!(ada.sees_end(n).await, EndReason::Complete);
    let kept = move |person: &Person| person.picture.session.checkpoints.len() == n + 1;
    ada.sees("the checkpoint", kept).await;
}

async fn told(place: &Place, ada: &Person, size: &ChangeSize) -> Changes {
    let hash = &size.body.as_ref().unwrap().hash;
    let body = place.log.body(ada.picture.session.id, hash).await.unwrap();
    serde_json::from_slice(&body.unwrap()).unwrap()
}

#[tokio::test]
async fn every_turn_leaves_a_checkpoint_that_tells_what_changed() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    writes(&mut ada, 1, "a.txt", "one\n").await;
    writes(&mut ada, 2, "b.txt", "two\n").await;

    let kept = ada.picture.session.checkpoints.clone();
    assert_eq!(kept[0].turn, None);
    assert_eq!((kept[1].change.files, kept[1].change.added), (1, 1));
    assert_eq!((kept[2].change.files, kept[2].since_start.files), (1, 2));
    let changes = told(&place, &ada, &kept[2].since_start).await;
    let files: Vec<_> = changes
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.status))
        .collect();
    assert_eq!(
        files,
        [("a.txt", FileStatus::Added), ("b.txt", FileStatus::Added)]
    );
    assert!(changes.diff.contains("+two"));
}

#[tokio::test]
async fn a_restore_is_shown_then_done_and_can_be_undone() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    writes(&mut ada, 1, "a.txt", "one\n").await;
    writes(&mut ada, 2, "a.txt", "two\n").await;
    let tree = place.tree(&ada);

    let tree_id = prepared(&mut ada, 1).await.0;
    assert_eq!(
        std::fs::read_to_string(tree.join("a.txt")).unwrap(),
        "two\n"
    );
    ada.commands(Command::Restore {
        checkpoint: 1,
        tree: Some(tree_id),
    })
    .await;
    ada.sees("the restore", |person| person.kinds().any(is_restored))
        .await;
    assert_eq!(
        std::fs::read_to_string(tree.join("a.txt")).unwrap(),
        "one\n"
    );

    let tree_id = prepared(&mut ada, 2).await.0;
    ada.commands(Command::Restore {
        checkpoint: 2,
        tree: Some(tree_id),
    })
    .await;
    ada.sees("the second restore", |person| {
        person.kinds().filter(|kind| is_restored(kind)).count() == 2
    })
    .await;
    assert_eq!(
        std::fs::read_to_string(tree.join("a.txt")).unwrap(),
        "two\n"
    );
    assert!(ada.picture.session.restore.is_none());
}

#[tokio::test]
async fn what_a_person_changed_meanwhile_is_not_overwritten() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    writes(&mut ada, 1, "a.txt", "one\n").await;
    writes(&mut ada, 2, "a.txt", "two\n").await;
    let file = place.tree(&ada).join("a.txt");

    std::fs::write(&file, "by hand\n").unwrap();
    let (_, conflicts) = prepared(&mut ada, 1).await;
    assert_eq!(conflicts, ["a.txt"]);

    ada.commands(Command::CancelRestore).await;
    ada.sees("no restore", |person| {
        person.picture.session.restore.is_none()
    })
    .await;
    // Without a conflict, but changed after it was shown.
    std::fs::write(&file, "two\n").unwrap();
    let (tree, conflicts) = prepared(&mut ada, 1).await;
    assert_eq!(conflicts, Vec::<String>::new());
    std::fs::write(&file, "by hand again\n").unwrap();
    ada.commands(Command::Restore {
        checkpoint: 1,
        tree: Some(tree),
    })
    .await;
    let refused = |person: &Person| {
        person
            .kinds()
            .any(|kind| matches!(kind, ItemKind::Notice { code, .. } if code == "restore_refused"))
    };
    ada.sees("the refusal", refused).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "by hand again\n");
}

#[tokio::test]
async fn files_are_committed_to_the_session_s_branch() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    writes(&mut ada, 1, "a.txt", "one\n").await;

    ada.commands(Command::Commit {
        message: "Add a".into(),
    })
    .await;
    ada.sees("the commit", |person| {
        person
            .kinds()
            .any(|kind| matches!(kind, ItemKind::Committed { .. }))
    })
    .await;
    let mut log = Program::new("git");
    let log = log
        // The tree may belong to the session's own user.
        .args(["-c", "safe.directory=*", "log", "-1", "--format=%s by %an"])
        .current_dir(place.tree(&ada));
    let said = String::from_utf8(log.output().unwrap().stdout).unwrap();
    assert_eq!(said.trim(), "Add a by Ada");

    ada.commands(Command::Commit {
        message: "Again".into(),
    })
    .await;
    let refused = |person: &Person| {
        person
            .kinds()
            .any(|kind| matches!(kind, ItemKind::Notice { code, .. } if code == "commit_refused"))
    };
    ada.sees("that there is nothing to commit", refused).await;
}

#[tokio::test]
async fn what_is_too_large_to_be_kept_is_told_once() {
    let place = Place::new().await;
    let mut ada = place.open().await;
    writes(&mut ada, 1, "a.txt", "one\n").await;
    let large = std::fs::File::create(place.tree(&ada).join("large.bin")).unwrap();
    large.set_len(11 * 1024 * 1024).unwrap();

    writes(&mut ada, 2, "b.txt", "two\n").await;
    writes(&mut ada, 3, "c.txt", "three\n").await;
    ada.commands(Command::Commit {
        message: "All of it".into(),
    })
    .await;
    let committed = |kind: &ItemKind| matches!(kind, ItemKind::Committed { .. });
    ada.sees("the commit", |person| person.kinds().any(committed))
        .await;

    let told = ada.kinds().filter_map(|kind| match kind {
        ItemKind::Notice { code, text, .. } if code == "left_out" => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        ["not kept for undo, and in no commit made here: large.bin is larger than 10 MiB"]
    );
}

/// Asks for a restore, and gives the tree it was shown for and the files in its way.
async fn prepared(ada: &mut Person, checkpoint: u32) -> (String, Vec<String>) {
    ada.commands(Command::Restore {
        checkpoint,
        tree: None,
    })
    .await;
    ada.sees("that it is looked at", |person| {
        matches!(&person.picture.session.restore, Some(restore) if restore.stage == RestoreStage::Preparing)
            || stage(person).is_some()
    })
    .await;
    ada.sees("what it would change", |person| stage(person).is_some())
        .await;
    stage(ada).unwrap()
}

fn stage(person: &Person) -> Option<(String, Vec<String>)> {
    match &person.picture.session.restore.as_ref()?.stage {
        RestoreStage::Prepared {
            tree, conflicts, ..
        } => Some((tree.clone(), conflicts.clone())),
        _ => None,
    }
}

fn is_restored(kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Restored { .. })
}
