//! The working folder: a cd outlives its call, and leads nowhere outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::sync::Arc;

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::Shared;

#[tokio::test]
async fn a_cd_outlives_its_call_and_the_model_is_told() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let top = desk.tree().display().to_string();

        assert_eq!(
            desk.bash("mkdir -p 'a b/c'; cd 'a b/c'").await,
            ok("[exit code 0]\n[working folder: a b/c]"),
            "{mode}"
        );
        assert_eq!(
            desk.bash("pwd").await,
            ok(&format!("{top}/a b/c\n[exit code 0]"))
        );
        assert_eq!(
            desk.bash("cd ..; false").await,
            failed("[exit code 1]\n[working folder: a b]")
        );
        assert_eq!(desk.bash("(cd c)").await, ok("[exit code 0]"));
        assert_eq!(
            desk.bash(&format!("cd {top}; exit 3")).await,
            failed("[exit code 3]\n[working folder: the top of the worktree]")
        );
    }
}

#[tokio::test]
async fn a_command_is_the_same_command_with_its_folder_kept() {
    let desk = Desk::sandboxed().await;

    for (command, content) in [
        ("echo $# \"$@\"", "0\n[exit code 0]"),
        ("# a remark\necho x", "x\n[exit code 0]"),
        ("cat <<'END'\n$a `b` 'c'\nEND", "$a `b` 'c'\n[exit code 0]"),
        (
            "echo 'it''s'; set -u; echo \"${1-none}\"",
            "its\nnone\n[exit code 0]",
        ),
        (
            "export HOME=/nowhere; cd; true",
            "bash: line 1: cd: /nowhere: No such file or directory\n[exit code 0]",
        ),
        ("f() { echo in f; }; f", "in f\n[exit code 0]"),
    ] {
        assert_eq!(desk.bash(command).await.content, content, "{command}");
    }
}

#[tokio::test]
async fn a_folder_outside_is_not_taken() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let top = desk.tree().display().to_string();
        desk.bash("mkdir sub; cd sub").await;

        for outside in ["/", "/usr", "~", "../.."] {
            let outcome = desk.bash(&format!("cd {outside}")).await;
            let start = "[exit code 0]\n[the working folder stays sub: ";
            assert!(
                outcome.content.starts_with(start),
                "{mode} {outside}: {}",
                outcome.content
            );
            assert!(outcome.content.ends_with(" is outside the worktree]"));
        }
        // What the shell leaves behind is only a wish: a made-up one is checked as well.
        for wish in ["/etc", "..", "", "sub", "/proc/self/root/etc"] {
            desk.bash(&format!(
                "trap - EXIT; printf '{wish}\\n' > ~/.duplex-folder"
            ))
            .await;
        }
        desk.bash("trap - EXIT; ln -s /etc/passwd ~/.duplex-folder")
            .await;
        assert_eq!(
            desk.bash("pwd").await,
            ok(&format!("{top}/sub\n[exit code 0]")),
            "{mode}"
        );
        assert_eq!(
            desk.context.shared.working_folder(&desk.context.worktree),
            desk.tree().join("sub")
        );
    }
}

#[tokio::test]
async fn a_folder_that_is_gone_or_became_a_link_leads_back_to_the_top() {
    let desk = Desk::sandboxed().await;
    let top = desk.tree().display().to_string();
    desk.bash("mkdir sub; cd sub").await;

    std::fs::remove_dir(desk.tree().join("sub")).unwrap();
    assert_eq!(desk.bash("pwd").await, ok(&format!("{top}\n[exit code 0]")));
    std::os::unix::fs::symlink("/etc", desk.tree().join("sub")).unwrap();

    assert_eq!(desk.bash("pwd").await, ok(&format!("{top}\n[exit code 0]")));
}

#[tokio::test]
async fn the_folder_survives_a_restart_of_the_server() {
    let mut desk = Desk::sandboxed().await;
    let top = desk.tree().display().to_string();
    desk.bash("mkdir sub; cd sub").await;

    desk.context.shared = Arc::new(Shared::new(&desk.context.worktree));

    assert_eq!(
        desk.bash("pwd").await,
        ok(&format!("{top}/sub\n[exit code 0]"))
    );
}
