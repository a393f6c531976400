//! Nothing stays behind: not a closed socket's state, not a dead runner's processes.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Blob, Command, Size, TerminalId};
use duplex_testkit::{Process, Stack, wait_for};

/// How many descriptors a process has open.
fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .count()
}

/// Whether any process was started with this word.
fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands =
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let mut commands = commands.map(|command| String::from_utf8_lossy(&command).into_owned());
    commands.any(|command| command.contains(word))
}

#[tokio::test]
async fn a_thousand_closed_sockets_leave_nothing() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let edge = stack.pid(Process::Edge).unwrap();
    let mut kept = ada.watches(session).await.unwrap();
    kept.sees("the session", |feed| feed.synced).await.unwrap();
    let before = descriptors(edge);

    for _ in 0..1000 {
        let mut feed = ada.watches(session).await.unwrap();
        feed.sees("the session", |feed| feed.synced).await.unwrap();
    }

    // Connections to Postgres may have been added to the pool meanwhile.
    let pool = 20;
    wait_for("the sockets to be let go", async || {
        Ok((descriptors(edge) <= before + pool).then_some(()))
    })
    .await
    .unwrap();
    ada.says(session, "[[say 5 tokens at 100/s]]")
        .await
        .unwrap();
    kept.sees_rest().await.unwrap();
}

#[tokio::test]
async fn a_killed_runner_takes_its_processes_with_it() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    let size = Size { cols: 80, rows: 24 };
    let terminal = feed.commands(Command::OpenTerminal { size }).await.unwrap();
    let terminal = TerminalId(terminal);
    feed.sees("a prompt", |feed| feed.printed(terminal).contains('$'))
        .await
        .unwrap();
    // Out of its session and its process group: only the sandbox still holds it.
    let data = Blob(b"setsid sleep 98765431 & sleep 98765432\n".to_vec());
    feed.commands(Command::Type { terminal, data })
        .await
        .unwrap();
    wait_for("the commands to run", async || {
        Ok((runs("98765431") && runs("98765432")).then_some(()))
    })
    .await
    .unwrap();

    stack.kill(Process::Runner).await.unwrap();

    wait_for("the commands to be gone", async || {
        Ok((!runs("98765431") && !runs("98765432")).then_some(()))
    })
    .await
    .unwrap();
}
