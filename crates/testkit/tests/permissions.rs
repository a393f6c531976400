//! The whole stack works with what each process may say and hear, and never tries more.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Blob, Command, Size, TerminalId};
use duplex_testkit::{Feed, Process, Stack};

#[tokio::test]
async fn a_day_s_work_needs_nothing_that_is_forbidden() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    let size = Size { cols: 80, rows: 24 };
    let open = Command::OpenTerminal { size };
    let terminal = TerminalId(feed.commands(open).await.unwrap());
    let prompt = |feed: &Feed| feed.printed(terminal).contains('$');
    feed.sees("a prompt", prompt).await.unwrap();
    stack.kill(Process::Runner).await.unwrap();
    stack.kill(Process::Projector).await.unwrap();
    let data = Blob(b"ls\r".to_vec());
    // Whether they arrive depends on when the runner is back; that they are sent is what counts here.
    let _ = feed.commands(Command::Type { terminal, data }).await;
    ada.says(session, "hello").await.unwrap();
    let answered = |feed: &Feed| {
        let session = &feed.picture.session;
        session.turns == 1 && session.turn.is_none()
    };
    feed.sees("an answer", answered).await.unwrap();

    let log = std::fs::read_to_string(stack.data().join("nats/nats-server.log")).unwrap();
    assert!(!log.contains("Permissions Violation"), "{log}");
    assert!(log.contains("Server is ready"), "{log}");
}
