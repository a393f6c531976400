//! Commands in the background: heard, stopped, and gone with their session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::{Preview, Shared, preview};
use serde_json::json;

impl Desk {
    async fn start(&self, command: &str) -> String {
        let input = json!({"command": command, "background": true});
        let outcome = self.tool("bash", input).await;
        assert!(!outcome.is_error, "{}", outcome.content);
        outcome.content
    }

    async fn job(&self, action: &str, id: u32) -> String {
        let outcome = self.tool("jobs", json!({"action": action, "id": id})).await;
        assert!(!outcome.is_error, "{}", outcome.content);
        outcome.content
    }

    /// Reads until the job has said this since somebody last looked.
    async fn hears(&self, id: u32, words: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut heard = String::new();
        while heard != words {
            assert!(Instant::now() < deadline, "heard only {heard:?}");
            let news = self.job("read", id).await;
            let (said, _) = news.rsplit_once('[').unwrap();
            heard.push_str(said);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_command_in_the_background_is_heard_until_its_end() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;

        let said = desk
            .start("echo up; until test -e go; do sleep 0.01; done; echo down; exit 4")
            .await;
        assert_eq!(
            said,
            "started as job 1: look at what it puts out with jobs, action read, and end it with action stop. \
             Its output is also in ~/outputs/0001.txt."
        );
        desk.hears(1, "up\n").await;
        assert_eq!(desk.job("read", 1).await, "[running]");
        assert_eq!(
            desk.bash("echo meanwhile").await,
            ok("meanwhile\n[exit code 0]")
        );
        std::fs::write(desk.tree().join("go"), "").unwrap();
        desk.hears(1, "down\n").await;
        until(async || desk.job("read", 1).await == "[exit code 4]").await;

        let list = desk.tool("jobs", json!({"action": "list"})).await.content;
        assert!(list.starts_with("1 [exit code 4] echo up; until"), "{list}");
        let kept = desk
            .tool("read", json!({"path": "~/outputs/0001.txt"}))
            .await;
        assert_eq!(kept, ok("     1\tup\n     2\tdown\n"));
    }
}

#[tokio::test]
async fn the_end_of_a_job_is_told_once_with_the_next_command() {
    let desk = Desk::sandboxed().await;
    let over = async || {
        let list = desk.tool("jobs", json!({"action": "list"})).await;
        !list.content.contains("[running]")
    };
    desk.start("exit 4").await;
    desk.start("true").await;
    until(over).await;

    desk.job("read", 2).await;

    assert_eq!(
        desk.bash("echo x").await,
        ok("x\n[exit code 0]\n[job 1 ended: exit code 4]")
    );
    assert_eq!(desk.bash("echo x").await, ok("x\n[exit code 0]"));
}

#[tokio::test]
async fn stopping_a_job_leaves_none_of_its_processes() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let marker = marker(&desk);
        desk.start(&format!(
            "exec -a {marker} sleep 1000 & exec -a {marker} sleep 1000"
        ))
        .await;
        until(async || processes(&marker) == 2).await;

        assert_eq!(desk.job("stop", 1).await, "[stopped]", "{mode}");

        until(async || processes(&marker) == 0).await;
        assert_eq!(
            desk.job("stop", 1).await,
            "[stopped]",
            "once more is harmless"
        );
    }
}

#[tokio::test]
async fn the_sessions_end_is_the_end_of_its_jobs() {
    let desk = Desk::sandboxed().await;
    let marker = marker(&desk);
    let hidden = format!("setsid bash -c 'exec -a {marker} sleep 1000' &");
    desk.start(&format!("{hidden} exec -a {marker} sleep 1000"))
        .await;
    desk.start(&format!("exec -a {marker} sleep 1000")).await;
    until(async || processes(&marker) == 3).await;

    desk.context.shared.end().await;

    assert_eq!(processes(&marker), 0);
    assert_eq!(desk.job("read", 2).await, "[stopped]");
}

#[tokio::test]
async fn a_session_that_is_dropped_takes_its_jobs_with_it() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let mut desk = Desk::new(mode).await;
        let marker = marker(&desk);
        desk.start(&format!(
            "exec -a {marker} sleep 1000 & exec -a {marker} sleep 1000"
        ))
        .await;
        until(async || processes(&marker) == 2).await;

        desk.context.shared = Arc::new(Shared::new(&desk.context.worktree));

        until(async || processes(&marker) == 0).await;
        let none = desk.tool("jobs", json!({"action": "list"})).await;
        assert_eq!(none, ok("no command runs in the background"));
    }
}

#[tokio::test]
async fn a_job_that_floods_is_stopped_and_its_news_are_cut() {
    let mut desk = Desk::sandboxed().await;
    desk.context.limits.printed = 1_000_000;
    desk.start("seq 1 1000000").await;

    let ended = async || {
        let list = desk.tool("jobs", json!({"action": "list"})).await.content;
        list.starts_with("1 [killed: it put out more than 1000000 bytes")
    };
    until(ended).await;

    let news = desk.job("read", 1).await;
    assert!(news.starts_with("1\n2\n") && news.len() <= 50 * 1024);
    assert!(news.contains("all of it is in ~/outputs/0001.txt, page it with read"));
}

#[tokio::test]
async fn jobs_are_few_and_have_numbers() {
    let mut desk = Desk::sandboxed().await;
    desk.context.limits.jobs = 2;
    desk.start("sleep 1000").await;
    desk.start("sleep 1000 # second").await;

    let third = desk
        .tool("bash", json!({"command": "sleep 1", "background": true}))
        .await;
    assert_eq!(
        third,
        failed("2 commands run in the background already: stop one with jobs first")
    );
    assert_eq!(
        desk.tool("jobs", json!({"action": "list"})).await,
        ok("1 [running] sleep 1000\n2 [running] sleep 1000 # second\n")
    );
    for (input, reason) in [
        (json!({"action": "read"}), "give the id of the job"),
        (
            json!({"action": "stop", "id": 7}),
            "there is no job 7: see jobs with the action list",
        ),
    ] {
        assert_eq!(desk.tool("jobs", input).await, failed(reason));
    }
    desk.job("stop", 1).await;
    assert!(desk.start("true").await.starts_with("started as job 3"));
}

#[tokio::test]
async fn what_is_shown_of_a_job_is_what_runs() {
    let desk = Desk::sandboxed().await;
    let command = "tr '\\0' '|' < /proc/$$/cmdline";

    let input = json!({"command": command, "background": true});
    let shown = preview(&desk.context, "bash", &input).await;
    desk.start(command).await;

    let Preview::Run { argv, cwd } = shown else {
        panic!("{shown:?}");
    };
    assert_eq!(cwd, desk.tree().display().to_string());
    desk.hears(1, &format!("{}|\n", argv.join("|"))).await;
}

/// A process name no other test uses.
fn marker(desk: &Desk) -> String {
    let folder = desk.place.root.file_name().unwrap().to_string_lossy();
    format!("job-{}", folder.trim_start_matches('.'))
}

/// How many processes of the whole machine go by this name, sandboxed ones included.
fn processes(name: &str) -> usize {
    let named = |path: std::path::PathBuf| {
        std::fs::read(path.join("cmdline")).is_ok_and(|line| line.starts_with(name.as_bytes()))
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter(|entry| named(entry.as_ref().unwrap().path()))
        .count()
}

async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
