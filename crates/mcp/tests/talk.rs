//! What a server is told, what it may ask, and what becomes of what it tells.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::path::PathBuf;

use common::{Fake, connected, dying, pair, stdio, tool};
use duplex_mcp::{CallOutcome, Host};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn rooted() -> Host {
    Host {
        root: Some(PathBuf::from("/work trees/one")),
        ..Host::default()
    }
}

/// What comes back to a question of the server's.
async fn asks(fake: &mut Fake, id: u32, method: &str, params: Value) -> Value {
    let question = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    fake.says(question).await;
    let mut reply = fake.hears().await;
    assert_eq!(reply["id"], id, "{reply}");
    let reply = reply.as_object_mut().unwrap();
    let either = reply.remove("result").or_else(|| reply.remove("error"));
    either.unwrap()
}

#[tokio::test]
async fn the_newest_version_with_a_handshake_is_asked_for() {
    for (host, can) in [
        (Host::default(), json!({})),
        (rooted(), json!({"roots": {}})),
    ] {
        let (mut fake, connecting) = pair(stdio(), host);
        let (hello, _) = tokio::join!(
            async {
                let hello = fake.greets("2025-11-25").await;
                drop(fake);
                hello
            },
            connecting
        );

        assert_eq!(hello["method"], "initialize");
        let us = json!({"name": "duplex", "version": env!("CARGO_PKG_VERSION")});
        let said = json!({"protocolVersion": "2025-11-25", "capabilities": can, "clientInfo": us});
        assert_eq!(hello["params"], said);
    }
}

#[tokio::test]
async fn an_older_version_will_do_and_one_without_a_handshake_will_not() {
    let (mut fake, connecting) = pair(stdio(), Host::default());
    let greets = async {
        fake.greets("2024-11-05").await;
        fake.hears().await;
        let asked = fake.hears().await;
        fake.answers(&asked, json!({"tools": []})).await;
    };
    let (server, ()) = tokio::join!(connecting, greets);
    assert_eq!(server.unwrap().about(), "fake 1, MCP 2024-11-05");

    for version in ["2026-07-28", "1999-01-01"] {
        let (mut fake, connecting) = pair(stdio(), dying("nothing to say"));
        let (server, _) = tokio::join!(connecting, fake.greets(version));
        assert_eq!(
            server.unwrap_err().to_string(),
            format!(
                "the tool server fake cannot be used: it speaks version {version} of the protocol: one of 2024-11-05 to 2025-11-25 is needed; the last it wrote on standard error: nothing to say"
            )
        );
    }
}

#[tokio::test]
async fn a_server_that_refuses_to_start_is_told_of_in_its_own_words() {
    let (mut fake, connecting) = pair(stdio(), Host::default());
    let refuses = async {
        let hello = fake.hears().await;
        let error = json!({"code": -32000, "message": "no licence"});
        fake.says(json!({"jsonrpc": "2.0", "id": hello["id"], "error": error}))
            .await;
    };

    let (server, ()) = tokio::join!(connecting, refuses);

    assert_eq!(
        server.unwrap_err().to_string(),
        "the tool server fake cannot be used: it answered with an error: no licence"
    );
}

#[tokio::test]
async fn a_server_without_tools_has_none() {
    let (mut fake, connecting) = pair(stdio(), Host::default());
    let greets = async {
        let hello = fake.hears().await;
        let me = json!({"name": "mute", "version": "1"});
        let result = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": me});
        fake.answers(&hello, result).await;
    };

    let (server, ()) = tokio::join!(connecting, greets);

    let server = server.unwrap();
    assert_eq!((server.tools().len(), server.notes().len()), (0, 0));
}

#[tokio::test]
async fn a_server_is_told_a_folder_or_nothing_and_gets_no_model_and_no_person() {
    let (mut fake, _server) = connected(stdio(), rooted(), &[tool("x")]).await;
    let refused = |why: &str| json!({"code": -32601, "message": why});
    let sampling = json!({"messages": [], "maxTokens": 100});
    let form = json!({"mode": "form", "message": "Your password?", "requestedSchema": {"type": "object", "properties": {}}});

    assert_eq!(asks(&mut fake, 7, "ping", json!({})).await, json!({}));
    assert_eq!(
        asks(&mut fake, 8, "roots/list", json!({})).await,
        json!({"roots": [{"uri": "file:///work%20trees/one"}]})
    );
    assert_eq!(
        asks(&mut fake, 9, "sampling/createMessage", sampling).await,
        refused("no model is lent to servers")
    );
    assert_eq!(
        asks(&mut fake, 10, "elicitation/create", form).await,
        json!({"action": "decline"})
    );
    assert_eq!(
        asks(&mut fake, 11, "wishes/list", json!({})).await,
        refused("not known here")
    );

    let (mut fake, _server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    assert_eq!(
        asks(&mut fake, 12, "roots/list", json!({})).await,
        refused("there are no folders to tell of")
    );
}

#[tokio::test]
async fn progress_and_log_lines_reach_who_waits_for_the_call() {
    let config = common::config("command = [\"fake\"]\nenv = { KEY = { env = \"FAKE_KEY\" } }");
    let (mut fake, server) = connected(config, Host::default(), &[tool("x")]).await;
    let (progress, mut heard) = mpsc::channel(16);
    let input = json!({});
    let call = server.call(
        "mcp__fake__x",
        &input,
        CancellationToken::new(),
        Some(progress),
    );
    let works = async {
        let asked = fake.hears().await;
        let token = &asked["params"]["_meta"]["progressToken"];
        let mut told = Vec::new();
        let mut tell = |method: &str, params: Value| {
            told.push(json!({"jsonrpc": "2.0", "method": method, "params": params}));
        };
        let progress = "notifications/progress";
        let log = "notifications/message";
        tell(
            progress,
            json!({"progressToken": token, "progress": 1, "total": 4, "message": "one\u{1B}[1m\nline"}),
        );
        tell(
            progress,
            json!({"progressToken": "another's", "progress": 2}),
        );
        tell(progress, json!({"progressToken": token, "progress": 2.5}));
        tell(log, json!({"level": "debug", "data": "chatter"}));
        tell(
            log,
            json!({"level": "warning", "data": {"disk": "full of k3y-of-ada"}}),
        );
        for message in told {
            fake.says(message).await;
        }
        fake.answers(
            &asked,
            json!({"content": [{"type": "text", "text": "k3y-of-ada"}]}),
        )
        .await;
    };
    let (outcome, ()) = tokio::join!(call, works);

    let mut lines = Vec::new();
    while let Some(line) = heard.recv().await {
        lines.push(line);
    }
    assert_eq!(
        lines,
        [
            "1/4 one[1m line",
            "2.5",
            "warning: {\"disk\":\"full of [secret]\"}"
        ]
    );
    let expected = CallOutcome {
        text: "[secret]".to_owned(),
        ..CallOutcome::default()
    };
    assert_eq!(outcome, Ok(expected));
}

#[tokio::test]
async fn nobody_who_listens_slowly_holds_up_a_call() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let (progress, mut heard) = mpsc::channel(1);
    let input = json!({});
    let call = server.call(
        "mcp__fake__x",
        &input,
        CancellationToken::new(),
        Some(progress),
    );
    let works = async {
        let asked = fake.hears().await;
        for step in 0..1000 {
            let token = &asked["params"]["_meta"]["progressToken"];
            let params = json!({"progressToken": token, "progress": step});
            let told =
                json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
            fake.says(told).await;
        }
        fake.answers(&asked, json!({"content": []})).await;
    };

    let (outcome, ()) = tokio::join!(call, works);

    assert_eq!(outcome, Ok(CallOutcome::default()));
    assert_eq!(heard.recv().await.as_deref(), Some("0"));
    assert_eq!(heard.recv().await, None);
}

#[tokio::test]
async fn nothing_listens_for_a_call_that_was_given_up_on_its_way_out() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    let (progress, mut heard) = mpsc::channel(1);
    let (cancel, input) = (CancellationToken::new(), json!({}));
    let call = server.call("mcp__fake__x", &input, cancel.clone(), Some(progress));

    let (outcome, ()) = tokio::join!(call, async { cancel.cancel() });

    assert!(outcome.is_err());
    assert_eq!(fake.hears().await["method"], "tools/call");
    assert_eq!(fake.hears().await["method"], "notifications/cancelled");
    assert_eq!(heard.recv().await, None);
}

#[tokio::test]
async fn a_changed_list_is_noted_and_stays_as_it_was() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    assert!(!server.changed());

    fake.says(json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}))
        .await;
    // Its question is read behind its word.
    asks(&mut fake, 1, "ping", json!({})).await;

    assert!(server.changed());
    let names: Vec<_> = server.tools().iter().map(|tool| &tool.name).collect();
    assert_eq!(names, ["mcp__fake__x"]);
}

#[tokio::test]
async fn the_end_closes_the_servers_input() {
    let (mut fake, server) = connected(stdio(), Host::default(), &[tool("x")]).await;
    tokio::join!(server.end(), fake.hears_the_end());
}
