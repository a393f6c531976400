//! Commands: their output, their end, and that nothing of them stays.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn output_and_errors_come_in_order_with_the_exit_code() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let command = json!({"command": "echo out; echo err >&2; echo out again; exit 3", "description": "talks"});

        let (outcome, stream) = desk.streaming("bash", command).await;

        assert_eq!(
            outcome,
            failed("out\nerr\nout again\n[exit code 3]"),
            "{mode}"
        );
        assert_eq!(stream, b"out\nerr\nout again\n", "{mode}");
        assert_eq!(desk.bash("true").await, ok("[exit code 0]"), "{mode}");
        assert_eq!(
            desk.bash("pwd; cat hello.txt").await.content,
            format!("{}\nhello\nworld\n[exit code 0]", desk.tree().display())
        );
    }
}

#[tokio::test]
async fn output_is_seen_while_the_command_still_runs() {
    let desk = Desk::sandboxed().await;
    let (output, mut stream) = mpsc::channel(4);
    let command =
        json!({"command": "echo first; until test -e go; do sleep 0.01; done; echo last"});
    let run = tools::run(
        &desk.context,
        "bash",
        &command,
        output,
        CancellationToken::new(),
    );
    let watch = async {
        assert_eq!(stream.recv().await.unwrap(), "first\n");
        std::fs::write(desk.tree().join("go"), "").unwrap();
        assert_eq!(stream.recv().await.unwrap(), "last\n");
        assert_eq!(stream.recv().await, None);
    };

    assert_eq!(tokio::join!(run, watch).0, ok("first\nlast\n[exit code 0]"));
}

#[tokio::test]
async fn bytes_stay_bytes_in_the_stream_and_become_text_for_the_model() {
    let desk = Desk::sandboxed().await;

    let (outcome, stream) = desk
        .streaming(
            "bash",
            json!({"command": r"printf 'h\303\251 \377 \347\214\253'"}),
        )
        .await;

    assert_eq!(stream, b"h\xC3\xA9 \xFF \xE7\x8C\xAB");
    assert_eq!(outcome, ok("hé \u{FFFD} 猫\n[exit code 0]"));
}

#[tokio::test]
async fn endless_output_is_bounded_for_model_and_stream() {
    let mut desk = Desk::sandboxed().await;
    desk.context.limits.streamed = 100_000;

    let (outcome, stream) = desk
        .streaming("bash", json!({"command": "seq 1 200000"}))
        .await;

    let notice = "\n[more than 100000 bytes of output: the rest is not shown]\n";
    assert_eq!(stream.len(), 100_000 + notice.len());
    assert!(stream.ends_with(notice.as_bytes()));
    assert!(outcome.content.len() <= 50 * 1024 && outcome.content.lines().count() <= 2000);
    assert!(
        outcome.content.starts_with("1\n2\n")
            && outcome.content.ends_with("\n200000\n[exit code 0]")
    );
    assert!(outcome.content.contains("cut here"));
}

#[tokio::test]
async fn nobody_listening_does_not_stop_a_command() {
    let desk = Desk::sandboxed().await;
    let (output, stream) = mpsc::channel(1);
    drop(stream);
    let command = json!({"command": "seq 1 100000 | tail -1"});

    let outcome = tools::run(
        &desk.context,
        "bash",
        &command,
        output,
        CancellationToken::new(),
    )
    .await;

    assert_eq!(outcome, ok("100000\n[exit code 0]"));
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_killed_with_what_it_said() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;

        let outcome = desk
            .tool(
                "bash",
                json!({"command": "echo begun; sleep 1000", "timeout_ms": 1500}),
            )
            .await;

        assert_eq!(
            outcome,
            failed("begun\n[killed: still running after 1500 ms]"),
            "{mode}"
        );
    }
}

#[tokio::test]
async fn a_background_process_ends_with_its_call() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let marker = marker(&desk);

        let outcome = desk
            .bash(&format!("exec -a {marker} sleep 1000 & echo away"))
            .await;

        assert_eq!(outcome, ok("away\n[exit code 0]"), "{mode}");
        until(|| processes(&marker) == 0).await;
    }
}

#[tokio::test]
async fn an_interrupt_leaves_nothing_behind_not_even_what_left_the_session() {
    let desk = Desk::sandboxed().await;
    let marker = marker(&desk);
    let hidden =
        format!("setsid bash -c 'exec -a {marker} sleep 1000' >/dev/null 2>&1 </dev/null &");
    let command =
        json!({"command": format!("{hidden} {hidden} echo up; exec -a {marker} sleep 1000")});
    let (output, mut stream) = mpsc::channel(4);
    let cancel = CancellationToken::new();
    let run = tools::run(&desk.context, "bash", &command, output, cancel.clone());
    let interrupt = async {
        assert_eq!(stream.recv().await.unwrap(), "up\n");
        until(|| processes(&marker) == 3).await;
        cancel.cancel();
    };

    let (outcome, ()) = tokio::join!(run, interrupt);

    // At the moment the call returns, not some time later.
    assert_eq!(processes(&marker), 0);
    assert_eq!(outcome, failed("up\n[killed: interrupted]"));
}

#[tokio::test]
async fn an_interrupt_is_heard_while_nobody_takes_the_output() {
    let desk = Desk::sandboxed().await;
    let (output, stream) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let command = json!({"command": "touch begun; yes"});
    let run = tools::run(&desk.context, "bash", &command, output, cancel.clone());
    let interrupt = async {
        until(|| desk.tree().join("begun").exists() && stream.len() == 1).await;
        cancel.cancel();
    };

    let (outcome, ()) = tokio::join!(run, interrupt);

    assert!(outcome.is_error && outcome.content.ends_with("[killed: interrupted]"));
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_processes_with_it() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        let marker = marker(&desk);
        let context = desk.context.clone();
        let command = json!({"command": format!("exec -a {marker} sleep 1000 & exec -a {marker} sleep 1000")});
        let call = tokio::spawn(async move {
            tools::run(
                &context,
                "bash",
                &command,
                mpsc::channel(1).0,
                CancellationToken::new(),
            )
            .await
        });
        until(|| processes(&marker) == 2).await;

        call.abort();

        until(|| processes(&marker) == 0).await;
    }
}

#[tokio::test]
async fn a_call_interrupted_before_it_began_does_nothing() {
    let desk = Desk::sandboxed().await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    let command = json!({"command": "touch begun"});

    let outcome = tools::run(&desk.context, "bash", &command, mpsc::channel(1).0, cancel).await;

    assert_eq!(outcome, failed("the call was interrupted before it began"));
    assert!(!desk.tree().join("begun").exists());
}

/// A process name no other test uses.
fn marker(desk: &Desk) -> String {
    let folder = desk.place.root.file_name().unwrap().to_string_lossy();
    format!("marker-{}", folder.trim_start_matches('.'))
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

async fn until(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
