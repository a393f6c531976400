//! What a sandboxed process can see and do: each way out is tried for real.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Desk, Place, context, git, ok};
use duplex_workspace::{Bubblewrap, Sandbox, SandboxError, SandboxMode, Users};

/// All lines of the command's output, which must have succeeded.
async fn lines(desk: &Desk, command: &str) -> Vec<String> {
    let outcome = desk.bash(command).await;
    assert!(!outcome.is_error, "{command}: {}", outcome.content);
    let mut lines: Vec<_> = outcome.content.lines().map(str::to_owned).collect();
    lines.pop();
    lines
}

async fn fails(desk: &Desk, command: &str) {
    let outcome = desk.bash(command).await;
    assert!(outcome.is_error, "{command} succeeded: {}", outcome.content);
}

#[tokio::test]
async fn the_environment_of_the_server_is_nowhere_to_be_found() {
    // The test runner sets this one for the process that stands for the server here.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let desk = Desk::sandboxed().await;

    let seen = desk.bash("env; cat /proc/*/environ | tr '\\0' '\\n'").await;

    assert!(seen.content.contains("USER=duplex"));
    assert!(!seen.content.contains("CARGO"), "{}", seen.content);
    let off = Desk::new(SandboxMode::Off)
        .await
        .bash("env; tr '\\0' '\\n' </proc/self/environ")
        .await;
    assert!(
        off.content.contains("USER=duplex") && !off.content.contains("CARGO"),
        "{}",
        off.content
    );
}

#[tokio::test]
async fn a_command_knows_itself_as_an_ordinary_user_at_home() {
    let desk = Desk::sandboxed().await;

    let seen = lines(
        &desk,
        "id -un; id -u; hostname; echo $HOME; touch ~/x /tmp/x $PWD/x && echo writable",
    )
    .await;

    let home = desk.context.worktree.home.display().to_string();
    assert_eq!(seen, ["duplex", "1000", "duplex", &home, "writable"]);
    assert!(desk.context.worktree.home.join("x").exists());
}

#[tokio::test]
async fn secrets_and_folders_of_the_host_are_not_there() {
    let desk = Desk::sandboxed().await;
    desk.place.file("data/other-session/tree/private", "");

    for path in [
        "/etc/shadow",
        "/etc/gshadow",
        "/root",
        "/etc/ssl/private",
        "/etc/ssh",
        "/var/lib",
        "/sys",
        &desk.place.path("data/other-session").display().to_string(),
        &desk
            .place
            .path("roots/project/hello.txt")
            .display()
            .to_string(),
    ] {
        fails(&desk, &format!("ls -d '{path}'")).await;
    }
    let top = desk
        .place
        .root
        .strip_prefix("/tmp")
        .unwrap()
        .components()
        .next()
        .unwrap();
    assert_eq!(
        lines(&desk, "ls -A /run; ls -A /tmp").await,
        [top.as_os_str().to_string_lossy()]
    );
    assert_eq!(lines(&desk, "cut -d: -f1 /etc/passwd").await, ["duplex"]);
}

#[tokio::test]
async fn only_the_worktree_home_and_tmp_can_be_written() {
    let desk = Desk::sandboxed().await;

    for path in [
        "/x",
        "/usr/x",
        "/etc/x",
        "/dev/x",
        "/run/x",
        "/var/x",
        "/etc/passwd",
    ] {
        fails(&desk, &format!(": >> '{path}'")).await;
    }
}

#[tokio::test]
async fn settings_of_the_kernel_cannot_be_changed() {
    let desk = Desk::sandboxed().await;

    // Opened for writing and nothing written: were it possible, this test would change the machine.
    for path in [
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sysrq-trigger",
    ] {
        fails(&desk, &format!(": >> {path}")).await;
    }
    let open = "find /proc -path '/proc/[0-9]*' -prune -o -writable -exec test -f {} ';' -print 2>/dev/null; true";
    assert_eq!(lines(&desk, open).await, [""; 0]);
}

#[tokio::test]
async fn processes_of_the_host_are_hidden() {
    let desk = Desk::sandboxed().await;
    let me = std::process::id();

    let all = lines(&desk, "cat /proc/[0-9]*/comm").await;

    assert_eq!(all, ["bwrap", "bash"]);
    fails(&desk, &format!("kill -0 {me}")).await;
}

#[tokio::test]
async fn ports_of_the_host_are_out_of_reach() {
    let desk = Desk::sandboxed().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");

    assert_eq!(
        Desk::new(SandboxMode::Off).await.bash(&connect).await,
        ok("[exit code 0]")
    );
    fails(&desk, &connect).await;
    assert_eq!(
        lines(&desk, "tail -n +3 /proc/net/dev | cut -d: -f1").await,
        ["    lo"]
    );
}

#[tokio::test]
async fn more_namespaces_cannot_be_had_inside() {
    let desk = Desk::sandboxed().await;

    fails(&desk, "unshare --user --map-root-user true").await;
    fails(&desk, "mount -t tmpfs none /tmp").await;
}

#[tokio::test]
async fn limits_hold() {
    let desk = Desk::sandboxed().await;

    assert_eq!(
        lines(&desk, "ulimit -c; ulimit -n; ulimit -f").await,
        ["0", "4096", "2097152"]
    );
    assert_eq!(
        lines(
            &desk,
            "df -B1 --output=size /tmp /dev/shm | tail -2 | tr -d ' '"
        )
        .await,
        ["1073741824", "67108864"]
    );
}

#[tokio::test]
async fn git_works_inside() {
    let desk = Desk::sandboxed().await;

    let seen = lines(
        &desk,
        "git log --format=%s; echo more > more.txt; git add . && git commit -qm 'second' && git switch -qc side && \
         git stash list && git status --short --branch && git log --format=%s",
    )
    .await;

    assert_eq!(seen, ["first", "## side", "second", "first"]);
    let branch = desk.context.worktree.branch.as_str();
    assert_eq!(
        git(
            &desk.place.path("roots/project"),
            &["log", "-1", "--format=%s %an", branch]
        ),
        "second Duplex agent"
    );
    assert_eq!(
        git(
            &desk.place.path("roots/project"),
            &["status", "--porcelain"]
        ),
        ""
    );
}

#[tokio::test]
async fn git_can_stash_rebase_and_delete_inside() {
    let desk = Desk::sandboxed().await;

    let seen = lines(
        &desk,
        "set -e; echo a > hello.txt; git stash -q; git stash pop -q; git commit -qam a; \
         git switch -qc side HEAD~1; echo s > side; git add side; git commit -qm side; \
         git rebase -q -; git switch -q -; git merge -q side; git branch -qD side 2>/dev/null; \
         git tag x; git tag -d x >/dev/null; git log --format=%s; git branch | wc -l",
    )
    .await;

    assert_eq!(seen, ["side", "a", "first", "2"]);
}

#[tokio::test]
async fn a_repository_that_borrows_objects_works_inside() {
    let place = Place::with_project();
    git(
        &place.path("roots"),
        &["clone", "-q", "--shared", "project", "borrower"],
    );
    let repository = place.repository("borrower").await;
    let sandbox = Sandbox::probe(SandboxMode::Bubblewrap).await.unwrap();
    let worktree = repository
        .worktree(&place.path("data"), common::SESSION, &sandbox)
        .await
        .unwrap();
    let desk = Desk {
        place,
        context: context(worktree, sandbox),
    };

    assert_eq!(
        lines(&desk, "git log --format=%s; git status --short").await,
        ["first"]
    );
}

#[tokio::test]
async fn collecting_garbage_inside_loses_no_branch_of_the_project() {
    let desk = Desk::sandboxed().await;
    let project = desk.place.path("roots/project");

    let before = git(&project, &["for-each-ref"]);
    for command in [
        "git pack-refs --all",
        "git gc -q --prune=now",
        "git branch -qD main",
    ] {
        lines(&desk, command).await;
    }
    let commit = "echo x > x; git add x; git commit -qm x; git gc -q; git log --format=%s";
    assert_eq!(lines(&desk, commit).await, ["x", "first"]);
    let branch = &desk.context.worktree.branch;
    git(&project, &["branch", "-q", "-D", branch]);
    assert!(before.contains(&git(&project, &["for-each-ref", "refs/heads"])));
    git(&project, &["fsck", "--strict", "--no-dangling"]);
}

#[tokio::test]
async fn what_is_put_beside_the_parts_of_the_git_folder_is_not_the_repositorys() {
    let desk = Desk::sandboxed().await;
    let worktree = &desk.context.worktree;
    let inside = worktree.common.display();

    let evil = "mkdir -p modules/x; echo x > config.worktree; echo /tmp > commondir";
    assert_eq!(
        desk.bash(&format!("(cd {inside}; {evil})")).await,
        ok("[exit code 0]")
    );

    for name in ["commondir", "modules", "config.worktree"] {
        assert!(!worktree.origin.join(name).exists(), "{name}");
    }
    // Nobody's git in the worktree looks there either.
    assert_eq!(
        git(desk.tree(), &["rev-parse", "--git-common-dir"]),
        worktree.common.display().to_string()
    );
}

#[tokio::test]
async fn what_the_servers_git_trusts_cannot_be_changed_inside() {
    let desk = Desk::sandboxed().await;
    let (common, entry) = (
        desk.context.worktree.common.display(),
        desk.context.worktree.entry.display(),
    );

    for command in [
        format!("mkdir -p {common}/hooks; echo x > {common}/hooks/post-checkout"),
        format!("mv {common}/hooks {common}/old"),
        format!("mv {common} {common}.old"),
        format!("echo x >> {common}/config"),
        "git config core.fsmonitor /tmp/evil".to_owned(),
        format!("echo /tmp > {entry}/commondir"),
        format!("echo x > {entry}/config.worktree"),
        format!("mv {entry} {entry}.old"),
        format!("mv {common}/worktrees {common}/old"),
        format!("mkdir {common}/worktrees/another"),
        "echo 'gitdir: /tmp' > .git".to_owned(),
        "mv .git old".to_owned(),
        "rm -f .git".to_owned(),
    ] {
        fails(&desk, &command).await;
    }
    assert_eq!(lines(&desk, "git log --format=%s").await, ["first"]);
}

#[tokio::test]
async fn git_still_works_inside_after_days() {
    let desk = Desk::sandboxed().await;
    let gitdir = std::fs::metadata(desk.context.worktree.entry.join("gitdir")).unwrap();

    // Git rewrites this file when it is older than a day, and dies where it cannot.
    assert!(
        gitdir.modified().unwrap()
            > std::time::SystemTime::now() + std::time::Duration::from_hours(8760)
    );
}

#[tokio::test]
async fn a_worktree_elsewhere_on_disk_is_bound_at_its_own_path() {
    let desk = Desk::sandboxed().await;
    let launch = desk.context.sandbox.launch(
        &desk.context.worktree,
        &["/bin/true".to_owned()],
        &[
            ("TERM".to_owned(), "xterm".to_owned()),
            ("EXTRA".to_owned(), "1".to_owned()),
        ],
        desk.tree(),
        true,
    );

    assert!(
        !launch.args.iter().any(|arg| arg == "--new-session"),
        "a terminal's command keeps its terminal"
    );
    assert_eq!(
        launch.env.iter().filter(|(name, _)| name == "TERM").count(),
        1
    );
    assert!(launch.env.contains(&("EXTRA".to_owned(), "1".to_owned())));
    assert!(
        !launch.args.iter().any(|arg| arg == "EXTRA"),
        "what a command is told is not to be read on a command line"
    );
    assert_eq!(launch.cwd, desk.tree());
}

#[tokio::test]
async fn the_tier_is_what_was_asked_for_and_never_less() {
    let bubblewrap = Sandbox::probe("bubblewrap".parse().unwrap()).await.unwrap();
    let off = Sandbox::probe("off".parse().unwrap()).await.unwrap();

    assert_eq!((bubblewrap.tier(), off.tier()), ("bubblewrap", "off"));
    assert_eq!(
        "docker".parse::<SandboxMode>().unwrap_err(),
        "\"docker\" is not a sandbox: use bubblewrap or off"
    );
}

#[tokio::test]
async fn a_sandbox_that_does_not_work_says_what_to_do() {
    let place = Place::empty();
    let broken = place.path("bwrap");
    place.file(
        "bwrap",
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n",
    );
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o755)).unwrap();

    let missing = Bubblewrap::probe(&place.path("nothing"), Users::NONE)
        .await
        .unwrap_err();
    let refused = Bubblewrap::probe(&broken, Users::NONE).await.unwrap_err();

    assert!(
        matches!(missing, SandboxError::Missing(_)) && missing.to_string().contains("install it")
    );
    assert!(matches!(refused, SandboxError::Refused { .. }));
    for words in ["setting up uid map: Permission denied", "--sandbox=off"] {
        assert!(refused.to_string().contains(words), "{refused}");
    }
}
