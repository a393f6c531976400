//! What a session commits, in its own git folder, and what of it reaches the repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Desk, Place, SESSION, git};
use duplex_workspace::{Sandbox, SandboxMode, WorkspaceError, Worktree};

async fn works(desk: &Desk, command: &str) -> String {
    let outcome = desk.bash(command).await;
    assert!(!outcome.is_error, "{command}: {}", outcome.content);
    let lines: Vec<_> = outcome.content.lines().collect();
    lines.first().copied().unwrap_or_default().to_owned()
}

/// Runs a command in the sandbox as a terminal would: nothing is carried after it.
fn unseen(desk: &Desk, command: &str) {
    let argv = ["/bin/bash", "-ec", command].map(str::to_owned);
    let context = &desk.context;
    let launch = context
        .sandbox
        .launch(&context.worktree, &argv, &[], desk.tree(), false);
    let output = Command::new(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(launch.env)
        .current_dir(&launch.cwd)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
}

fn project(desk: &Desk) -> PathBuf {
    desk.place.path("roots/project")
}

/// Branches, tags and all else with a name, each with what it names.
fn names(desk: &Desk) -> String {
    let format = "--format=%(refname) %(objectname)";
    git(&project(desk), &["for-each-ref", format])
}

/// Every file of a folder, with a number for its bytes.
fn picture(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let number = |bytes: &[u8]| {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        hasher.finish()
    };
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                folders.push(path);
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                all.insert(path, number(target.as_os_str().as_bytes()));
            } else {
                let bytes = fs::read(&path).unwrap();
                all.insert(path, number(&bytes));
            }
        }
    }
    all
}

#[tokio::test]
async fn nothing_of_the_repository_can_be_changed_inside() {
    let desk = Desk::sandboxed().await;
    git(&project(&desk), &["tag", "v1"]);
    git(&project(&desk), &["branch", "other"]);
    git(&project(&desk), &["pack-refs", "--all"]);
    let before = picture(&project(&desk));
    let origin = desk.context.worktree.origin.display();

    for command in [
        "git branch -f main $(git commit-tree -m x HEAD^{tree})".to_owned(),
        "git tag -f v1 $(git commit-tree -m x HEAD^{tree})".to_owned(),
        "git branch -D other".to_owned(),
        "git update-ref refs/heads/new HEAD".to_owned(),
        "git stash; echo x >x; git add x; git stash".to_owned(),
        "git pack-refs --all; git gc --prune=now".to_owned(),
        format!("echo x >{origin}/packed-refs"),
        format!("echo x >{origin}/refs/heads/main"),
        format!("mkdir -p {origin}/refs/heads && git rev-parse HEAD >{origin}/refs/heads/x"),
        format!("echo x >{origin}/objects/x"),
        format!("rm -rf {origin}/objects/*"),
        format!("for f in {origin}/objects/*/*; do chmod u+w $f; echo x >$f; done"),
        format!("mv {origin}/objects {origin}/old"),
        format!("git --git-dir={origin} branch x"),
    ] {
        desk.bash(&command).await;
        assert_eq!(picture(&project(&desk)), before, "{command}");
    }
}

#[tokio::test]
async fn what_is_committed_inside_appears_on_the_sessions_branch_and_nothing_else_does() {
    let desk = Desk::sandboxed().await;
    let main = git(&project(&desk), &["rev-parse", "main"]);
    let branch = desk.context.worktree.branch.clone();

    let commit = "git commit -q --allow-empty -m second && git rev-parse HEAD";
    let second = works(&desk, commit).await;
    works(
        &desk,
        "git tag t; git branch b; echo x >x; git add x; git stash -q",
    )
    .await;
    let third = works(&desk, &commit.replace("second", "third")).await;
    works(
        &desk,
        "git switch -qc aside; git commit -q --allow-empty -m aside",
    )
    .await;
    let aside = works(&desk, "git rev-parse HEAD").await;

    assert_eq!(
        names(&desk),
        format!(
            "refs/duplex/{SESSION}/head {aside}\nrefs/heads/{branch} {third}\nrefs/heads/main {main}"
        )
    );
    let log = git(&project(&desk), &["log", "--format=%H", &branch]);
    assert_eq!(log, format!("{third}\n{second}\n{main}"));
    assert_eq!(git(&project(&desk), &["branch", "--show-current"]), "main");
    assert_eq!(git(&project(&desk), &["status", "--porcelain"]), "");
    git(&project(&desk), &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn a_rewritten_history_replaces_the_one_that_was_carried() {
    let desk = Desk::sandboxed().await;
    let branch = desk.context.worktree.branch.clone();
    works(&desk, "echo a >a; git add a; git commit -qm one").await;

    works(&desk, "git commit -q --amend -m two").await;

    let log = git(&project(&desk), &["log", "--format=%s", &branch]);
    assert_eq!(log, "two\nfirst");
}

#[tokio::test]
async fn many_objects_come_as_well() {
    let desk = Desk::sandboxed().await;

    works(
        &desk,
        "for i in $(seq 300); do echo $i >f$i; done; git add .; git commit -qm many",
    )
    .await;

    let branch = &desk.context.worktree.branch;
    let files = git(&project(&desk), &["ls-tree", "--name-only", branch]);
    assert_eq!(files.lines().count(), 301);
    git(&project(&desk), &["fsck", "--strict"]);
}

#[tokio::test]
async fn a_branch_that_others_moved_or_work_on_is_left_alone() {
    let desk = Desk::sandboxed().await;
    let branch = desk.context.worktree.branch.clone();
    let project = project(&desk);
    git(&project, &["switch", "-q", &branch]);
    let in_use = desk.bash("git commit -q --allow-empty -m mine").await;
    let person = ["-c", "user.name=A", "-c", "user.email=a@x"];
    let theirs = ["commit", "-q", "--allow-empty", "-m", "theirs"];
    git(&project, &[&person[..], &theirs].concat());
    git(&project, &["switch", "-q", "main"]);

    let moved = desk.context.worktree.carry().await.unwrap_err();

    assert!(
        in_use.content.contains("is checked out"),
        "{}",
        in_use.content
    );
    assert!(matches!(moved, WorkspaceError::BranchMoved(name) if name == branch));
    let newest = ["log", "-1", "--format=%s", &branch];
    assert_eq!(git(&project, &newest), "theirs");
    git(&project, &["branch", "-q", "-D", &branch]);
    desk.context.worktree.carry().await.unwrap();
    assert_eq!(git(&project, &newest), "mine");
}

#[tokio::test]
async fn what_was_committed_when_the_server_died_is_carried_at_its_next_start() {
    let desk = Desk::sandboxed().await;
    unseen(&desk, "git commit -q --allow-empty -m late");
    let newest = ["log", "-1", "--format=%s", &desk.context.worktree.branch];
    assert_eq!(git(&project(&desk), &newest), "first");

    desk.place.worktree_in(SESSION, &desk.context.sandbox).await;

    assert_eq!(git(&project(&desk), &newest), "late");
}

#[tokio::test]
async fn the_repositorys_branches_and_tags_are_shown_inside_as_they_are_by_now() {
    let desk = Desk::sandboxed().await;
    unseen(&desk, "git branch own; git branch -f mine HEAD");
    let project = project(&desk);
    let person = ["-c", "user.name=A", "-c", "user.email=a@x"];
    let newer = ["commit", "-q", "--allow-empty", "-m", "newer"];
    git(&project, &[&person[..], &newer].concat());
    git(&project, &["tag", "v1"]);

    desk.context.worktree.checkpoint("turn").await.unwrap();

    let seen = "git log -1 --format=%s main; git log -1 --format=%s v1; git branch --list own";
    let outcome = desk.bash(seen).await;
    assert!(
        outcome.content.starts_with("newer\nnewer\n  own\n"),
        "{}",
        outcome.content
    );
    git(&project, &["tag", "-d", "v1"]);
    desk.context.worktree.checkpoint("turn").await.unwrap();
    assert!(desk.bash("git rev-parse v1").await.is_error);
}

/// What a command may leave in its git folder, and whether a sound branch is left there.
fn plants(worktree: &Worktree, secret: &Path, commit: &str) -> Vec<(String, bool)> {
    let (repo, branch) = (worktree.common.display(), &worktree.branch);
    let secret = secret.display();
    let own = format!("{repo}/refs/heads/{branch}");
    let point = format!("{{ rm -f {own}; mkdir -p $(dirname {own}); cat >{own}; }}");
    let blob = "printf x | git hash-object -w --stdin | tr -d '\n'";
    let raw = "perl -pe 's/([0-9a-f]{2})/chr(hex($1))/ge'";
    let hole = "1".repeat(40);
    vec![
        // A tree whose checkout would write into a git folder.
        (
            format!(
                "t=$({{ printf '100644 .git\\0'; {blob} | {raw}; }} | git hash-object -t tree -w --literally --stdin); \
                 git commit-tree -m x $t | {point}"
            ),
            false,
        ),
        // A tree with a hole.
        (
            format!(
                "t=$(printf '100644 blob {hole}\\tx\\n' | git mktree --missing); git commit-tree -m x $t | {point}"
            ),
            false,
        ),
        // An object that is not what its name says.
        (
            format!(
                "c=$(git commit-tree -m x HEAD^{{tree}}); f={repo}/objects/${{c:0:2}}/${{c:2}}; chmod u+w $f; \
                 cp {repo}/objects/info/alternates $f; echo $c | {point}"
            ),
            false,
        ),
        // A commit that is none.
        (
            format!("echo junk | git hash-object -t commit -w --literally --stdin | {point}"),
            false,
        ),
        // Another repository's commit, through its objects.
        (
            format!(
                "echo {secret}/.git/objects >>{repo}/objects/info/alternates; echo {commit} | {point}"
            ),
            false,
        ),
        // References that lead elsewhere.
        (
            format!("rm -f {own}; mkdir -p $(dirname {own}); ln -s /etc/passwd {own}"),
            false,
        ),
        (
            format!("printf 'ref: refs/heads/../../../../../etc/passwd' | {point}"),
            false,
        ),
        (format!("rm -rf {repo}/refs; ln -s /tmp {repo}/refs"), true),
        // Another git folder.
        (
            format!("echo {secret} >{repo}/commondir; echo '[core]' >{repo}/config.worktree"),
            true,
        ),
        // Nothing of its own.
        (format!("rm -rf {repo}/objects/*"), true),
    ]
}

/// E18: none of these may do anything outside.
#[tokio::test]
async fn a_hostile_git_folder_does_nothing_outside() {
    let desk = Desk::sandboxed().await;
    let worktree = &desk.context.worktree;
    let secret = desk.place.unborn("../secret");
    let person = ["-c", "user.name=A", "-c", "user.email=a@x"];
    let commit = ["commit", "-q", "--allow-empty", "-m", "secret"];
    git(&secret, &[&person[..], &commit].concat());
    let stolen = git(&secret, &["rev-parse", "HEAD"]);
    let own = format!("refs/duplex/{SESSION}/");
    let others = |names: String| {
        let others = names.lines().filter(|line| !line.starts_with(&own));
        others.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = others(names(&desk));
    let repo = worktree.common.display();
    let branch = format!("{repo}/refs/heads/{}", worktree.branch);
    let undo = format!(
        "test -L {repo}/refs && rm {repo}/refs; rm -rf {branch} {repo}/commondir {repo}/config.worktree; \
         mkdir -p $(dirname {branch}); \
         cut -d' ' -f1 {repo}/packed-refs | head -1 >{branch}"
    );

    for (plant, sound) in plants(worktree, &secret, &stolen) {
        unseen(&desk, &format!("{plant} || :"));

        let carried = worktree.carry().await;
        let checkpoint = worktree.checkpoint("turn").await;

        assert_eq!(carried.is_ok(), sound, "{plant}: {carried:?}");
        assert!(checkpoint.is_ok(), "{plant}: {checkpoint:?}");
        assert_eq!(others(names(&desk)), before, "{plant}");
        let have = Command::new("git")
            .current_dir(project(&desk))
            .args(["cat-file", "-e", &stolen])
            .output();
        assert!(!have.unwrap().status.success(), "{plant}");
        git(&project(&desk), &["fsck", "--strict", "--no-dangling"]);
        unseen(&desk, &undo);
    }
}

/// As sessions were begun before each had a git folder of its own.
fn old_layout(place: &Place) -> PathBuf {
    let folder = place.path("data").join(SESSION);
    for name in ["home", "etc"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let tree = folder.join("tree");
    let branch = format!("duplex/{}", &SESSION[..20]);
    let tree_path = tree.to_str().unwrap();
    let add = ["worktree", "add", "-q", "-b", &branch, tree_path];
    git(&place.path("roots/project"), &add);
    tree
}

#[tokio::test]
async fn a_session_of_the_old_layout_goes_on_as_it_was() {
    let place = Place::with_project();
    let tree = old_layout(&place);
    let person = ["-c", "user.name=A", "-c", "user.email=a@x"];
    let commit = ["commit", "-q", "--allow-empty", "-m", "old work"];
    git(&tree, &[&person[..], &commit].concat());
    fs::write(tree.join("staged"), "s").unwrap();
    git(&tree, &["add", "staged"]);
    fs::write(tree.join("hello.txt"), "changed\n").unwrap();
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();

    let worktree: Worktree = place.worktree_in(SESSION, &sandbox).await;
    let context = common::context(worktree, sandbox);
    let desk = Desk { place, context };

    let seen = desk
        .bash("git status --short --branch; git log --format=%s")
        .await;
    let branch = desk.context.worktree.branch.clone();
    assert_eq!(
        seen.content,
        format!("## {branch}\n M hello.txt\nA  staged\nold work\nfirst\n[exit code 0]")
    );
    let trees = git(&project(&desk), &["worktree", "list", "--porcelain"]);
    assert_eq!(trees.matches("worktree ").count(), 1, "{trees}");
    works(&desk, "git commit -qm new").await;
    let log = git(&project(&desk), &["log", "--format=%s", &branch]);
    assert_eq!(log, "new\nold work\nfirst");
}
