//! The benchmark counts what it measures: a whole server, two sessions, one second.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_bench::relay::{Load, run};

#[tokio::test]
async fn every_viewer_gets_every_token() {
    let load = Load {
        sessions: 2,
        rate: 50,
        seconds: 1,
        sync: true,
        release: false,
    };

    let outcome = run(load).await.unwrap();

    assert_eq!(outcome.tokens, [50; 4]);
}
