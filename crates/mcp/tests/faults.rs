//! What a server may do wrong or on purpose, and what becomes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{connected, dying, impatient, pair, stdio, tool};
use duplex_mcp::{CallOutcome, Host, LINE_BYTES, McpError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn text(text: &str) -> CallOutcome {
    CallOutcome {
        text: text.to_owned(),
        ..CallOutcome::default()
    }
}

fn content(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn never() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_is_named_with_its_last_words() {
    let host = dying("Error: out of cheese");
    let (mut fake, server) = connected(stdio(), host, &[tool("x")]).await;
    let input = json!({});
    let call = server.call("mcp__fake__x", &input, never(), None);
    let dies = async move {
        fake.hears().await;
        drop(fake);
    };

    let (outcome, ()) = tokio::join!(call, dies);

    let gone = McpError::Ended {
        server: "fake".to_owned(),
        last: "Error: out of cheese".to_owned(),
    };
    assert_eq!(
        gone.to_string(),
        "the tool server fake has ended; the last it wrote on standard error: Error: out of cheese"
    );
    assert_eq!(outcome, Err(gone.clone()));
    assert!(server.is_over());
    let again = server.call("mcp__fake__x", &json!({}), never(), None).await;
    assert_eq!(again, Err(gone));
}

#[tokio::test]
async fn a_server_that_ends_at_once_is_named_with_its_last_words() {
    let (fake, connecting) = pair(stdio(), dying("fake: command not found"));
    drop(fake);

    let error = connecting.await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "the tool server fake cannot be used: it ended at once; the last it wrote on standard error: fake: command not found"
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_and_told() {
    let (mut fake, server) = connected(impatient(), Host::default(), &[tool("x")]).await;

    let outcome = server.call("mcp__fake__x", &json!({}), never(), None).await;

    let error = outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "x of the tool server fake did not answer within 0.2 s: ask for less, or give the server more time with `time`"
    );
    let asked = fake.hears().await;
    let word = fake.hears().await;
    assert_eq!(word["method"], "notifications/cancelled");
    assert_eq!(word["params"]["requestId"], asked["id"]);
}

#[tokio::test]
async fn a_server_that_never_greets_is_given_up() {
    let (_fake, connecting) = pair(impatient(), dying("waiting for a licence"));

    let error = connecting.await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "the tool server fake did not list its tools within 0.2 s: try its command by hand, or give it more time with `start`; the last it wrote on standard error: waiting for a licence"
    );
}

#[tokio::test]
async fn a_cancelled_call_returns_at_once_and_the_server_is_told() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let (cancel, input) = (never(), json!({}));
    let call = server.call("mcp__fake__x", &input, cancel.clone(), None);
    let (outcome, asked) = tokio::join!(call, async {
        let asked = fake.hears().await;
        cancel.cancel();
        asked
    });

    let cancelled = McpError::Cancelled {
        server: "fake".to_owned(),
        tool: "x".to_owned(),
    };
    assert_eq!(outcome, Err(cancelled));
    let word = fake.hears().await;
    assert_eq!(word["method"], "notifications/cancelled");
    assert_eq!(word["params"]["requestId"], asked["id"]);
    // An answer that comes too late harms nobody.
    fake.answers(&asked, content("late")).await;
    let call = server.call("mcp__fake__x", &input, never(), None);
    let (outcome, ()) = tokio::join!(call, async {
        let asked = fake.hears().await;
        fake.answers(&asked, content("in time")).await;
    });
    assert_eq!(outcome, Ok(text("in time")));
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_too() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let asked = tokio::select! {
        asked = fake.hears() => asked,
        _ = server.call("mcp__fake__x", &input, never(), None) => panic!("nobody answered"),
    };

    let word = fake.hears().await;

    assert_eq!(word["params"]["requestId"], asked["id"]);
}

#[tokio::test]
async fn lines_that_are_no_messages_are_passed_over() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let call = server.call("mcp__fake__x", &input, never(), None);
    let (outcome, ()) = tokio::join!(call, async {
        let asked = fake.hears().await;
        fake.writes(b"listening on port 80\n\xff\xfe\n\n{\"json\": true}\n[[[\n")
            .await;
        fake.answers(&asked, content("there")).await;
    });

    assert_eq!(outcome, Ok(text("there")));
}

#[tokio::test]
async fn a_line_without_end_ends_the_connection() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let call = server.call("mcp__fake__x", &input, never(), None);
    let (outcome, ()) = tokio::join!(call, async {
        let asked = fake.hears().await;
        fake.answers(&asked, content(&"x".repeat(LINE_BYTES))).await;
    });

    let flooded = McpError::Flooded {
        server: "fake".to_owned(),
    };
    assert_eq!(
        flooded.to_string(),
        "the tool server fake sent a message of more than 8 MiB and was given up: ask for less at once"
    );
    assert_eq!(outcome, Err(flooded.clone()));
    let again = server.call("mcp__fake__x", &input, never(), None).await;
    assert_eq!(again, Err(flooded));
    fake.hears_the_end().await;
}

#[tokio::test]
async fn a_long_line_within_bounds_is_read_and_its_text_cut() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let call = server.call("mcp__fake__x", &input, never(), None);
    let long = "x".repeat(LINE_BYTES - 1000);
    let (outcome, ()) = tokio::join!(call, async {
        let asked = fake.hears().await;
        fake.answers(&asked, content(&long)).await;
    });

    let read = outcome.unwrap().text;
    assert!(
        read.ends_with("[7339032 more bytes are left out]"),
        "{}",
        &read[read.len() - 60..]
    );
}

#[tokio::test]
async fn an_answer_of_another_kind_is_an_error_and_an_empty_one_a_result() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let mut seen = Vec::new();
    for answer in [json!({"content": "no list"}), json!({})] {
        let call = server.call("mcp__fake__x", &input, never(), None);
        let (outcome, ()) = tokio::join!(call, async {
            let asked = fake.hears().await;
            fake.answers(&asked, answer).await;
        });
        seen.push(outcome);
    }

    let odd = McpError::Failed {
        server: "fake".to_owned(),
        problem: "its answer is not one of this protocol".to_owned(),
    };
    assert_eq!(seen, [Err(odd), Ok(CallOutcome::default())]);
}

#[tokio::test]
async fn an_error_of_the_protocol_is_told_as_the_server_words_it() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let input = json!({});
    let call = server.call("mcp__fake__x", &input, never(), None);
    let (outcome, ()) = tokio::join!(call, async {
        let asked = fake.hears().await;
        let error = json!({"code": -32602, "message": "a is\u{202E} missing\u{7}"});
        fake.says(json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}))
            .await;
    });

    let refused = McpError::Refused {
        server: "fake".to_owned(),
        message: "a is missing".to_owned(),
    };
    assert_eq!(outcome, Err(refused));
}

#[tokio::test]
async fn only_listed_tools_with_an_object_are_called() {
    let (_fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;

    let unknown = server.call("mcp__fake__y", &json!({}), never(), None).await;
    let input = server
        .call("mcp__fake__x", &json!([1]), never(), None)
        .await;

    assert_eq!(
        unknown.unwrap_err().to_string(),
        "the tool server fake has no tool mcp__fake__y"
    );
    assert_eq!(
        input.unwrap_err().to_string(),
        "the input of mcp__fake__x is not an object: give its arguments by name"
    );
}

#[tokio::test]
async fn a_server_that_reads_nothing_does_not_hold_up_its_caller() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let (cancel, input) = (never(), json!({"much": "x".repeat(256 * 1024)}));
    let call = server.call("mcp__fake__x", &input, cancel.clone(), None);

    // It asks without end and reads no answer, so that in the end it is no longer read from either.
    let asks = async {
        for id in 0.. {
            let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            let ping = format!("{ping}\n");
            let stuck = fake.writes(ping.as_bytes());
            if tokio::time::timeout(Duration::from_secs(1), stuck)
                .await
                .is_err()
            {
                break;
            }
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(call, asks);

    assert!(
        matches!(outcome, Err(McpError::Cancelled { .. })),
        "{outcome:?}"
    );
    server.end().await;
}
