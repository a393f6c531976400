//! Which folders may be opened, and the worktrees made from them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::symlink;
use std::path::Path;

use common::{Place, SESSION, git};
use duplex_workspace::{Repository, Sandbox};

async fn refused(place: &Place, path: &Path) -> &'static str {
    let error = Repository::check(path, &place.roots()).await.unwrap_err();
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    error.code()
}

#[tokio::test]
async fn a_repository_beneath_an_allowed_root_is_accepted() {
    let place = Place::with_project();

    assert_eq!(
        place.repository("project").await.root,
        place.path("roots/project")
    );
}

#[tokio::test]
async fn what_is_no_repository_is_refused_with_its_own_reason() {
    let place = Place::with_project();
    place.file("roots/plain/file", "");

    assert_eq!(
        refused(&place, &place.path("roots/nothing")).await,
        "workspace_missing"
    );
    assert_eq!(
        refused(&place, &place.path("roots/plain/file")).await,
        "workspace_not_a_directory"
    );
    assert_eq!(
        refused(&place, &place.path("roots/plain/file/x")).await,
        "workspace_not_a_directory"
    );
    assert_eq!(
        refused(&place, &place.path("roots/plain")).await,
        "workspace_not_a_repository"
    );
    assert_eq!(
        refused(&place, Path::new("roots/project")).await,
        "workspace_relative"
    );
}

#[tokio::test]
async fn a_folder_inside_a_repository_is_not_the_repository() {
    let place = Place::with_project();
    place.file("roots/project/src/main.rs", "");

    assert_eq!(
        refused(&place, &place.path("roots/project/src")).await,
        "workspace_not_a_repository"
    );
}

#[tokio::test]
async fn whatever_leads_outside_the_roots_is_refused() {
    let place = Place::with_project();
    place.unborn("../outside");
    symlink(place.path("outside"), place.path("roots/link")).unwrap();
    place.file(
        "roots/gitfile/.git",
        &format!("gitdir: {}\n", place.path("outside/.git").display()),
    );

    git(
        &place.path("roots"),
        &["clone", "-q", "--shared", "../outside", "borrower"],
    );

    for path in [
        "roots/borrower",
        "outside",
        "nowhere",
        "roots/link",
        "roots/../outside",
        "roots/gitfile",
    ] {
        assert_eq!(
            refused(&place, &place.path(path)).await,
            "workspace_outside_roots",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_link_that_stays_inside_the_roots_is_followed() {
    let place = Place::with_project();
    symlink(place.path("roots/project"), place.path("roots/link")).unwrap();

    assert_eq!(
        place.repository("link").await.root,
        place.path("roots/project")
    );
}

#[tokio::test]
async fn a_worktree_is_made_once_and_then_reopened() {
    let place = Place::with_project();
    let worktree = place.worktree(SESSION).await;
    place.file(&format!("data/{SESSION}/tree/new.txt"), "kept");

    assert_eq!(place.worktree(SESSION).await, worktree);
    assert_eq!(worktree.tree, place.path("data").join(SESSION).join("tree"));
    assert_eq!(worktree.branch, "duplex/019ab3c4d5e67f12a4b1");
    assert_eq!(
        git(&worktree.tree, &["branch", "--show-current"]),
        worktree.branch
    );
    assert_eq!(
        std::fs::read_to_string(worktree.tree.join("hello.txt")).unwrap(),
        "hello\nworld\n"
    );
    assert_eq!(
        std::fs::read_to_string(worktree.tree.join("new.txt")).unwrap(),
        "kept"
    );
}

#[tokio::test]
async fn two_sessions_of_one_repository_do_not_see_each_other() {
    let place = Place::with_project();
    let one = place.worktree(SESSION).await;
    let two = place.worktree("019ab3c4d5e67f99ffff0123456789ab").await;
    std::fs::write(one.tree.join("hello.txt"), "changed").unwrap();

    assert_ne!(
        (&one.tree, &one.home, &one.branch, &one.entry),
        (&two.tree, &two.home, &two.branch, &two.entry)
    );
    assert_eq!(git(&two.tree, &["status", "--porcelain"]), "");
    assert_eq!(
        git(&place.path("roots/project"), &["status", "--porcelain"]),
        ""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_sessions_may_begin_at_once() {
    let place = Place::with_project();
    let ids = (0..30).map(|n| format!("019ab3c4d5e67f{n:02}ffff0123456789ab"));
    let ids: Vec<_> = ids.collect();

    let worktrees = ids.iter().map(|id| place.worktree(id));
    let worktrees = futures_util::future::join_all(worktrees).await;

    for worktree in worktrees {
        assert_eq!(git(&worktree.tree, &["status", "--porcelain"]), "");
    }
}

#[tokio::test]
async fn a_deleted_worktree_comes_back_with_its_commits() {
    let place = Place::with_project();
    let worktree = place.worktree(SESSION).await;
    git(
        &worktree.tree,
        &[
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@x",
            "commit",
            "-qm",
            "work",
            "--allow-empty",
        ],
    );
    std::fs::remove_dir_all(&worktree.tree).unwrap();

    let again = place.worktree(SESSION).await;

    assert_eq!(git(&again.tree, &["log", "-1", "--format=%s"]), "work");
}

#[tokio::test]
async fn a_repository_without_a_commit_works_and_stays_without_one() {
    let place = Place::empty();
    let project = place.unborn("new");
    let repository = place.repository("new").await;

    let worktree = repository
        .worktree(&place.path("data"), SESSION, &Sandbox::Off)
        .await
        .unwrap();
    let other = repository
        .worktree(&place.path("data"), "another", &Sandbox::Off)
        .await
        .unwrap();

    assert_eq!(
        git(&worktree.tree, &["rev-parse", "HEAD"]),
        git(&other.tree, &["rev-parse", "HEAD"])
    );
    assert_eq!(
        git(
            &project,
            &["branch", "--format=%(refname:short)", "--list", "main"]
        ),
        ""
    );
}

#[tokio::test]
async fn a_repository_that_vanished_is_gone() {
    let place = Place::with_project();
    let repository = place.repository("project").await;
    std::fs::remove_dir_all(&repository.root).unwrap();

    assert_eq!(
        repository
            .worktree(&place.path("data"), SESSION, &Sandbox::Off)
            .await
            .unwrap_err()
            .code(),
        "workspace_gone"
    );
}

#[tokio::test]
async fn a_session_id_cannot_climb_out_of_the_data_folder() {
    let place = Place::with_project();
    let repository = place.repository("project").await;

    for session in ["", "..", "../x", "a/b", "-f", "a b", &"x".repeat(65)] {
        let error = repository
            .worktree(&place.path("data"), session, &Sandbox::Off)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "session_bad", "{session:?}");
    }
}

#[tokio::test]
async fn hooks_of_the_repository_do_not_run_on_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with_project();
    let hook = place.path("roots/project/.git/hooks/post-checkout");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(
        &hook,
        format!("#!/bin/sh\ntouch {}\n", place.path("ran").display()),
    )
    .unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();

    place.worktree(SESSION).await;

    assert!(!place.path("ran").exists());
}
