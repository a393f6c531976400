//! The views in Postgres are the log's, and can be built anew at any time.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_testkit::{Stack, wait_for};
use duplex_wire::SessionRow;

#[tokio::test]
async fn views_that_were_emptied_come_back_the_same() {
    let stack = Stack::start().await.unwrap();
    let ada = stack.ada().await.unwrap();
    let session = ada.opens(&stack.workspace).await.unwrap();
    let mut feed = ada.watches(session).await.unwrap();
    ada.says(session, "[[think 3 at 100/s]] [[say 20 tokens at 200/s]]")
        .await
        .unwrap();
    feed.sees_rest().await.unwrap();
    let same = "1 sessions: the views are what the log says\n";
    let listed = wait_for("the view of the whole turn", async || {
        let page = ada.sessions().await?;
        let whole = page.sessions == [SessionRow::of(&feed.picture.session)];
        let verified = stack.verify().await.is_ok_and(|said| said == same);
        Ok((whole && verified).then_some(page))
    });
    let listed = listed.await.unwrap();

    stack.rebuild_views().await.unwrap();

    let again = wait_for("the views to be back", async || {
        let page = ada.sessions().await?;
        let back = page == listed && stack.verify().await.is_ok_and(|said| said == same);
        Ok(back.then_some(()))
    });
    again.await.unwrap();
}
