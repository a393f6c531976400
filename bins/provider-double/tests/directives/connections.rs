//! Connections that end before the answer does.

use duplex_provider::{Anthropic, AnthropicConfig, Chunk, Error, Secret};
use duplex_provider_double::{Options, Outcome, start};
use futures_util::StreamExt as _;

use crate::{DEADLINE, ask, client, request};

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let double = start(Options::default()).await.unwrap();
    let client = client(&double);
    for text in ["[[say 20]] [[stall after 5]]", "[[say 100000 at 50/s]]"] {
        let mut stream = client.stream(request(text));
        while !matches!(stream.next().await, Some(Ok(Chunk::Text { .. }))) {}
        drop(stream);
    }
    let dropped = double
        .wait_for(DEADLINE, |journal| {
            journal
                .requests
                .iter()
                .all(|request| request.outcome == Outcome::Dropped)
        })
        .await;

    assert_eq!(dropped.unwrap().requests.len(), 2);
}

#[tokio::test]
async fn a_request_that_is_never_answered_can_be_dropped_too() {
    let double = start(Options::default()).await.unwrap();
    let mut stream = client(&double).stream(request("[[stall]]"));
    tokio::select! {
        next = stream.next() => panic!("{next:?}"),
        asked = double.wait_for(DEADLINE, |journal| journal.count == 1) => assert!(asked.is_ok()),
    }
    drop(stream);
    let dropped = double
        .wait_for(DEADLINE, |journal| {
            journal.requests[0].outcome == Outcome::Dropped
        })
        .await;

    assert!(dropped.is_ok(), "{dropped:?}");
}

#[tokio::test]
async fn a_double_that_is_aborted_drops_its_connections() {
    let double = start(Options::default()).await.unwrap();
    let client = client(&double);
    let mut stream = client.stream(request("[[say 20]] [[stall after 5]]"));
    while !matches!(stream.next().await, Some(Ok(Chunk::Text { .. }))) {}
    double.abort();
    let rest: Vec<_> = stream.collect().await;
    assert_eq!(rest.last(), Some(&Err(Error::Incomplete)));

    let mut config = AnthropicConfig {
        base_url: double.base_url(),
        ..AnthropicConfig::default()
    };
    config.api_key = Some(Secret::new("any"));
    drop(double);
    let error = loop {
        // The listener closes a moment after the connections.
        match ask(&Anthropic::new(config.clone()), &request("hi"))
            .await
            .error
        {
            Some(error @ Error::Unreachable(_)) => break error,
            _ => tokio::task::yield_now().await,
        }
    };
    assert!(error.retryable());
}
