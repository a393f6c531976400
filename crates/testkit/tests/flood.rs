//! Many viewers of one flood: all of them end with the same screen, however slow they are and whenever they came.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_domain::{Blob, Command, SessionId, Size, TerminalId};
use duplex_terminal::Screen;
use duplex_testkit::{Feed, Person, Stack, StackOptions};
use tokio::sync::watch;
use tokio::task::JoinSet;

const SIZE: Size = Size { cols: 80, rows: 24 };
const VIEWERS: usize = 100;
/// Of so many viewers one reads nothing until the flood is over, and one reads but does not tell what it has drawn.
const SLOW: usize = 5;

/// What a terminal shows in a tab.
fn screen(feed: &Feed, terminal: TerminalId) -> Vec<String> {
    let (cols, rows) = (SIZE.cols, SIZE.rows);
    let size = duplex_terminal::Size { cols, rows };
    let mut screen = Screen::new(size, Screen::SCROLLBACK);
    screen.feed(&feed.terminals[&terminal]);
    screen.text()
}

fn is_over(feed: &Feed, terminal: TerminalId) -> bool {
    let printed = &feed.terminals.get(&terminal);
    printed.is_some_and(|bytes| {
        let tail = &bytes[bytes.len().saturating_sub(4096)..];
        String::from_utf8_lossy(tail).contains("flood-over")
    })
}

async fn watches(ada: &Person, session: SessionId) -> Feed {
    let mut feed = ada.watches(session).await.unwrap();
    feed.draws = true;
    feed.has_drawn().await.unwrap();
    feed.sees("the session", |feed| feed.synced).await.unwrap();
    feed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_viewers_of_a_flood_end_with_the_same_screen() {
    let options = StackOptions {
        variables: vec![("DUPLEX_SOCKETS_PER_PERSON", "200")],
        ..StackOptions::default()
    };
    let stack = Stack::start_with(options).await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut driver = watches(&ada, session).await;
    let open = Command::OpenTerminal { size: SIZE };
    let terminal = TerminalId(driver.commands(open).await.unwrap());
    let prompt = |feed: &Feed| feed.printed(terminal).contains('$');
    driver.sees("a prompt", prompt).await.unwrap();
    let mut viewers = JoinSet::new();
    let over = watch::Sender::new(false);
    for number in 0..VIEWERS {
        let mut feed = watches(&ada, session).await;
        let over = over.subscribe();
        viewers.spawn(async move {
            match number % SLOW {
                0 => sleeps(over).await,
                1 => draws_late(&mut feed, over).await,
                _ => {}
            }
            ends(feed, terminal).await
        });
    }

    let data = Blob(b"seq 1 200000; echo flood-ov''er\n".to_vec());
    let command = Command::Type { terminal, data };
    driver.commands(command).await.unwrap();
    let begun = |feed: &Feed| feed.offset(terminal) > 200_000;
    driver.sees("much of it", begun).await.unwrap();
    let joiner = watches(&ada, session).await;
    viewers.spawn(async move { ends(joiner, terminal).await });
    let end = |feed: &Feed| is_over(feed, terminal);
    driver.sees("the end", end).await.unwrap();
    over.send_replace(true);

    let wanted = screen(&driver, terminal);
    assert!(wanted.contains(&"200000".to_owned()), "{wanted:#?}");
    let mut skipped = 0;
    while let Some(ended) = viewers.join_next().await {
        let (shown, screens) = ended.unwrap();
        assert_eq!(shown, wanted);
        skipped += usize::from(screens > 1);
    }
    assert!(
        skipped >= VIEWERS / SLOW,
        "{skipped} were moved to a newer screen"
    );
}

/// Reads nothing until the flood is over, as a page does whose machine sleeps.
async fn sleeps(mut over: watch::Receiver<bool>) {
    over.wait_for(|over| *over).await.unwrap();
}

/// Takes what comes but tells nothing of it until the flood is over, as a page does that draws too slowly.
async fn draws_late(feed: &mut Feed, mut over: watch::Receiver<bool>) {
    feed.draws = false;
    loop {
        tokio::select! {
            over = over.wait_for(|over| *over) => break drop(over.unwrap()),
            taken = feed.next() => taken.unwrap(),
        }
    }
    feed.draws = true;
    feed.has_drawn().await.unwrap();
}

/// What a viewer sees at the end, and how many screens it was given on the way.
async fn ends(mut feed: Feed, terminal: TerminalId) -> (Vec<String>, usize) {
    let over = |feed: &Feed| is_over(feed, terminal);
    feed.sees("the end", over).await.unwrap();
    (screen(&feed, terminal), feed.screens)
}
