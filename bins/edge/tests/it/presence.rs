//! Who is here, and where.

use crate::feed::Socket;
use crate::stack::{Person, Stack};
use duplex_domain::{Place, Seq, TerminalId};
use duplex_wire::{Here, Pane, Present};
use serde_json::json;

#[tokio::test]
async fn where_somebody_is_is_known_at_every_edge_and_gone_with_their_page() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _runner) = stack.runner().await;
    let session = ada.open(workspace).await;
    let second = stack.another_edge().await;
    let elsewhere = Person {
        base: format!("http://{}", second.address),
        ..ada.clone()
    };
    let mut here = Socket::watching(&ada, session).await;
    let mut there = Socket::watching(&elsewhere, session).await;

    let terminal = TerminalId::default();
    let (seq, index) = (Seq(7), 0);
    let top = Some(Place { seq, index });
    let said = json!({"type": "presence", "session": session, "pane": "terminal", "terminal": terminal,
        "typing": true, "top": top});
    there.send(said.to_string()).await;
    let pane = Pane::Terminal { terminal };
    let typing = true;
    let user = ada.id;
    let at = |here| vec![Present { user, here }];
    here.present_until(&at(Here { pane, typing, top })).await;

    // The page used last speaks for its person; once it is gone, their other one does.
    drop(there);
    here.present_until(&at(Here::default())).await;
}

#[tokio::test]
async fn who_does_not_watch_a_session_says_nothing_there() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _runner) = stack.runner().await;
    let (session, other) = (ada.open(workspace).await, ada.open(workspace).await);
    let mut here = Socket::watching(&ada, session).await;
    let away =
        |session| json!({"type": "presence", "session": session, "pane": "away"}).to_string();
    here.send(away(other)).await;
    here.send(away(session)).await;
    let (user, pane) = (ada.id, Pane::Away);
    let here_ = Here {
        pane,
        ..Here::default()
    };
    here.present_until(&[Present { user, here: here_ }]).await;
    let mut there = Socket::watching(&ada, other).await;
    let here_ = Here::default();
    there.present_until(&[Present { user, here: here_ }]).await;
}
