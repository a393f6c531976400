//! A session's own user: whose its processes and files are, and what that user can reach.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Desk, Place, SESSION, git};
use duplex_workspace::{Sandbox, SandboxMode, Users, WorkspaceError, Worktree};
use serde_json::json;

const OTHER: &str = "019ab3c4d5e67f12a4b1ffffffffffff";

/// Whether this server can give sessions users; if not, the report must say why.
fn has_own_users(sandbox: &Sandbox) -> bool {
    let report = sandbox.report();
    let missing = report.missing();
    let missing = missing.iter().find(|(layer, _)| *layer == "own-user");
    let shown = report.to_string().contains("+own-user+");
    assert_eq!(shown, missing.is_none(), "{report}");
    assert!(missing.is_none_or(|(_, why)| !why.is_empty()));
    shown
}

async fn works(desk: &Desk, command: &str) -> String {
    let outcome = desk.bash(command).await;
    assert!(!outcome.is_error, "{command}: {}", outcome.content);
    outcome.content
}

fn start(sandbox: &Sandbox, worktree: &Worktree, seconds: &str) -> Child {
    let argv = ["/usr/bin/sleep", seconds].map(str::to_owned);
    let launch = sandbox.launch(worktree, &argv, &[], &worktree.tree, false);
    Command::new(&launch.program)
        .args(&launch.args)
        .env_clear()
        .current_dir(&launch.cwd)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The user, as seen from outside, of the process that was started with this word and no other.
fn user_of(word: &str) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(20);
    let wanted = format!("/usr/bin/sleep\0{word}\0");
    loop {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let mut found = processes.filter(|process| {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            line == wanted.as_bytes()
        });
        if let Some(process) = found.next() {
            return fs::metadata(process.path()).unwrap().uid();
        }
        assert!(Instant::now() < deadline, "sleep {word} did not start");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn each_session_has_a_user_of_its_own() {
    let desk = Desk::sandboxed().await;
    let sandbox = &desk.context.sandbox;
    let other = desk.place.worktree_in(OTHER, sandbox).await;
    let marks = [1, 2].map(|n| format!("{n}77{}", std::process::id()));
    let mut first = start(sandbox, &desk.context.worktree, &marks[0]);
    let mut second = start(sandbox, &other, &marks[1]);

    let users = [user_of(&marks[0]), user_of(&marks[1])];

    let own = rustix::process::geteuid().as_raw();
    if has_own_users(sandbox) {
        assert_ne!(users[0], users[1]);
        assert!(!users.contains(&own));
        let assigned = [desk.context.worktree.user, other.user];
        assert_eq!(users.map(Some), assigned);
    } else {
        assert_eq!(users, [own, own]);
    }
    for child in [&mut first, &mut second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn files_of_the_tools_and_files_of_commands_can_be_changed_by_both() {
    let desk = Desk::sandboxed().await;
    let write = |path: &str, text: &str| json!({ "path": path, "content": text });

    let written = desk.tool("write", write("new/deep/file", "1\n")).await;
    assert!(!written.is_error, "{}", written.content);
    works(
        &desk,
        "echo 2 >>new/deep/file; echo x >new/deep/other; rm hello.txt",
    )
    .await;
    works(&desk, "mkdir made; echo a >made/file; chmod 600 made/file").await;
    let edit = json!({ "path": "made/file", "old_string": "a", "new_string": "b" });
    desk.tool("read", json!({ "path": "made/file" })).await;
    let edited = desk.tool("edit", edit).await;
    assert!(!edited.is_error, "{}", edited.content);
    let seen = works(&desk, "echo c >>made/file; cat made/file new/deep/file").await;

    assert!(seen.starts_with("b\nc\n1\n2\n"), "{seen}");
    let owner = fs::metadata(desk.tree()).unwrap().uid();
    for path in [
        "new",
        "new/deep",
        "new/deep/file",
        "new/deep/other",
        "made/file",
    ] {
        let meta = fs::metadata(desk.tree().join(path)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), (owner, owner), "{path}");
    }
}

#[tokio::test]
async fn what_is_restored_belongs_to_the_session() {
    let desk = Desk::sandboxed().await;
    let worktree = &desk.context.worktree;
    works(&desk, "mkdir d; echo 1 >d/f; ln -s f d/l").await;
    let kept = worktree.checkpoint("kept").await.unwrap();
    works(&desk, "rm -r d").await;
    worktree.checkpoint("gone").await.unwrap();

    let preview = worktree.restore_preview(&kept.commit).await.unwrap();
    worktree.restore(&kept.commit, &preview.now).await.unwrap();

    works(&desk, "echo 2 >>d/l; rm d/l; mv d e").await;
    let owner = fs::metadata(desk.tree()).unwrap().uid();
    assert_eq!(fs::metadata(desk.tree().join("e/f")).unwrap().uid(), owner);
}

/// As if every wall of the sandbox had fallen: the session's user at large on the machine.
fn escaped(user: u32, script: &str) -> bool {
    let user = user.to_string();
    let command = Command::new("setpriv")
        .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
        .args(["/bin/sh", "-c", script])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .status();
    command.unwrap().success()
}

#[tokio::test]
async fn the_user_owns_nothing_else_and_reaches_nothing_else() {
    let desk = Desk::sandboxed().await;
    let other = desk.place.worktree_in(OTHER, &desk.context.sandbox).await;
    let Some(user) = desk.context.worktree.user else {
        assert!(!has_own_users(&desk.context.sandbox));
        return;
    };
    let project = desk.place.path("roots/project");

    // The whole way to them is opened, which nobody does.
    for folder in [&desk.place.root, &desk.place.path("data")] {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder, open).unwrap();
    }

    for script in [
        format!("ls {}", other.tree.display()),
        format!("ls {}", other.home.display()),
        format!("ls {}", other.common.display()),
        format!("ls {}/git", desk.tree().parent().unwrap().display()),
        format!("touch {}/x", desk.tree().parent().unwrap().display()),
        format!("touch {}/x", desk.context.worktree.etc.display()),
        format!("touch {}/x", project.display()),
        format!("touch {}/x", desk.context.worktree.origin.display()),
        "cat /etc/shadow".to_owned(),
    ] {
        assert!(!escaped(user, &script), "{script}");
    }
    assert!(escaped(user, &format!("ls {}", desk.tree().display())));
}

#[tokio::test]
async fn a_session_begun_without_users_is_given_one_and_links_in_it_lead_nowhere() {
    let place = Place::with_project();
    let worktree = place.worktree(SESSION).await;
    let outside = place.path("outside");
    fs::write(&outside, "x").unwrap();
    symlink(&outside, worktree.tree.join("link")).unwrap();
    symlink("/", worktree.home.join("root")).unwrap();
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();

    let worktree = place.worktree_in(SESSION, &sandbox).await;

    let own = rustix::process::geteuid().as_raw();
    assert_eq!(fs::metadata(&outside).unwrap().uid(), own);
    let link = fs::symlink_metadata(worktree.tree.join("link")).unwrap();
    assert_eq!(link.uid(), worktree.user.unwrap_or(own));
    let context = common::context(worktree, sandbox);
    let desk = Desk { place, context };
    works(&desk, "echo x >>hello.txt; git commit -qam x; touch ~/x").await;
    if desk.context.worktree.user.is_some() {
        let back = desk.place.repository("project").await;
        let data = desk.place.path("data");
        let refused = back.worktree(&data, SESSION, &Sandbox::Off).await;
        assert!(matches!(refused, Err(WorkspaceError::OtherUser(_))));
    }
}

#[tokio::test]
async fn a_repository_nobody_else_may_enter_can_be_read_inside() {
    let place = Place::with_project();
    let roots = place.path("roots");
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&roots, closed).unwrap();
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();
    let worktree = place.worktree_in(SESSION, &sandbox).await;
    let context = common::context(worktree, sandbox);
    let desk = Desk { place, context };

    let log = works(&desk, "git log --format=%s").await;

    assert_eq!(log, "first\n[exit code 0]");
}

#[tokio::test]
async fn objects_that_only_their_owner_can_read_are_told_of() {
    let place = Place::with_project();
    let objects = place.path("roots/project/.git/objects");
    let closed = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&objects, closed).unwrap();
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();
    let (data, repository) = (place.path("data"), place.repository("project").await);

    let made = repository.worktree(&data, SESSION, &sandbox).await;

    if has_own_users(&sandbox) {
        assert!(matches!(made, Err(WorkspaceError::Closed(path)) if path == objects));
    } else {
        assert_eq!(made.unwrap().user, None);
    }
}

#[tokio::test]
async fn an_operator_can_do_without_and_the_report_says_so() {
    let sandbox = Sandbox::probe_as(SandboxMode::Bubblewrap, Users::NONE).await;
    let sandbox = sandbox.unwrap();

    assert!(!has_own_users(&sandbox));
    let place = Place::with_project();
    let worktree = place.worktree_in(SESSION, &sandbox).await;
    assert_eq!(worktree.user, None);
    assert_eq!(git(Path::new(&worktree.tree), &["status", "--short"]), "");
}
