//! The yardstick on a real nats-server: it counts what it sends, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use duplex_eventlog::Options;
use duplex_eventlog::yardstick::{Load, Yardstick};
use duplex_local::{NatsOptions, NatsServer, scratch_dir};
use std::time::Duration;

#[tokio::test]
async fn every_message_is_counted_and_no_stream_is_left() {
    let folder = scratch_dir().unwrap();
    let options = NatsOptions::new(folder.path().join("nats"));
    let nats = NatsServer::start(options).await.unwrap();
    let options = Options {
        url: nats.url(),
        monitor: Some(nats.monitor_url()),
        name: "test",
    };
    let load = Load {
        writers: 10,
        rate: 20,
        seconds: 1,
        bytes: 150,
    };

    // Twice: what the first left would be in the way of the second.
    for _ in 0..2 {
        let yardstick = Yardstick::set_up(&options).await.unwrap();
        assert_eq!(yardstick.paced(load).await.unwrap().len(), 200);
        assert_eq!(yardstick.one_by_one(150, 5).await.unwrap().len(), 5);
        let most = yardstick.flat_out(150, Duration::from_millis(50)).await;
        assert!(most.unwrap() > 0.0);
        yardstick.tear_down().await.unwrap();
    }
}
