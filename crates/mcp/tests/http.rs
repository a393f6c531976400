//! Streamable HTTP: a real server in a network of its own, and scripted ones for what a real one does not do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;
#[path = "common/place.rs"]
mod place;
#[path = "common/web.rs"]
mod web;

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{call, config, tool};
use duplex_mcp::{CallOutcome, Host, LINE_BYTES, McpError, Server};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use web::{Reply, Web};

const INSIDE: &str = "DUPLEX_TEST_INSIDE";

/// Whether this is the second life of a test, in a network of its own; otherwise it is lived through here. The real
/// server listens on every address of the machine and cannot be told otherwise, so it gets a machine without any.
async fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let output = Command::new("bwrap")
        .args([
            "--dev-bind",
            "/",
            "/",
            "--unshare-net",
            "--die-with-parent",
            "--",
        ])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let passed = output.status.success() && said.contains("1 passed");
    assert!(passed, "{said}\n{complained}");
    false
}

/// The real server, once it listens.
async fn everything() -> Child {
    let everything = Command::new(place::node())
        .args([&place::script("server-everything"), "streamableHttp"])
        .env("PORT", "3001")
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, 3001))
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "it does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    everything
}

#[tokio::test]
async fn the_server_of_everything_is_listed_and_called() {
    if !inside("the_server_of_everything_is_listed_and_called").await {
        return;
    }
    let mut everything = everything().await;
    let config = config("url = \"http://127.0.0.1:3001/mcp\"");
    let server = Server::connect_http(&config, Host::default())
        .await
        .unwrap();

    assert!(
        server.about().ends_with("MCP 2025-11-25"),
        "{}",
        server.about()
    );
    assert!(server.tools().len() >= 13);
    let echo = json!({"message": "zwölf 猫"});
    let outcome = call(&server, "echo", echo.clone()).await;
    assert_eq!(outcome.unwrap().text, "Echo: zwölf 猫");
    let image = call(&server, "get-tiny-image", json!({})).await;
    assert_eq!(image.unwrap().images.len(), 1);

    let tool = "mcp__fake__trigger-long-running-operation";
    let cancel = CancellationToken::new();
    let (progress, mut heard) = mpsc::channel(16);
    let input = json!({"duration": 1000, "steps": 10000});
    let calling = server.call(tool, &input, cancel.clone(), Some(progress));
    let (outcome, line) = tokio::join!(calling, async {
        let line = heard.recv().await;
        cancel.cancel();
        line
    });
    assert!(
        matches!(outcome, Err(McpError::Cancelled { .. })),
        "{outcome:?}"
    );
    assert_eq!(line.as_deref(), Some("1/10000"));
    let outcome = call(&server, "echo", echo.clone()).await;
    assert_eq!(outcome.unwrap().text, "Echo: zwölf 猫");

    // Gone while it works.
    let (progress, mut heard) = mpsc::channel(16);
    let calling = server.call(tool, &input, CancellationToken::new(), Some(progress));
    let (outcome, ()) = tokio::join!(calling, async {
        heard.recv().await;
        everything.kill().await.unwrap();
    });
    let error = outcome.unwrap_err().to_string();
    assert_eq!(
        error,
        "the call to the tool server fake failed: the connection broke off before its answer was there"
    );
    let error = call(&server, "echo", echo).await.unwrap_err().to_string();
    assert!(error.contains("it cannot be reached"), "{error}");
    server.end().await;
}

async fn connect(web: &Web, more: &str) -> Result<Server, McpError> {
    let config = config(&format!("url = \"{}?key=s3cret-query\"\n{more}", web.url));
    Server::connect_http(&config, Host::default()).await
}

const KEY: &str = "headers = { Authorization = \"Bearer s3cret-token\" }";

#[tokio::test]
async fn headers_go_with_every_request_and_the_session_is_ended() {
    let mut web = Web::start(Reply::tools(&[tool("x")])).await;
    let server = connect(&web, KEY).await.unwrap();
    let outcome = call(&server, "x", json!({})).await;
    assert_eq!(outcome, Ok(CallOutcome::default()));
    server.end().await;

    let asked = web.asked();
    let with_key = |head: &&String| head.contains("authorization: Bearer s3cret-token");
    assert_eq!(
        asked.iter().filter(with_key).count(),
        asked.len(),
        "{asked:#?}"
    );
    let deleted = asked
        .iter()
        .find(|head| head.starts_with("DELETE "))
        .unwrap();
    assert!(deleted.contains("mcp-session-id: one"), "{deleted}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_the_keys() {
    for (reply, told) in [
        (Reply::Status(500), "it answers HTTP 500"),
        (
            Reply::Status(404),
            "there is no tool server at its url (HTTP 404)",
        ),
        (
            Reply::Unauthorized,
            "it wants to know who asks (HTTP 401): give its key in headers",
        ),
        (
            Reply::Page,
            "there is something else than a tool server at its url",
        ),
        (
            Reply::Garbage,
            "it answers what was not expected: could not parse JSON response",
        ),
        (Reply::HangUp, "the connection broke off"),
    ] {
        let web = Web::start(reply.clone()).await;

        let error = connect(&web, KEY).await.unwrap_err().to_string();

        let expected = "the tool server fake cannot be used: ";
        assert!(
            error.starts_with(expected) && error.contains(told),
            "{reply:?}: {error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    let nobody = config("url = \"http://127.0.0.1:1/mcp?key=s3cret-query\"");
    let error = Server::connect_http(&nobody, Host::default())
        .await
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("it cannot be reached") && !error.contains("s3cret"),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed_and_one_nearby_is() {
    let mut elsewhere = Web::start(Reply::tools(&[])).await;
    let url = elsewhere.url.clone();
    let web = Web::start(Reply::Redirect(url)).await;

    let error = connect(&web, KEY).await.unwrap_err().to_string();

    assert_eq!(
        error,
        "the tool server fake cannot be used: its url leads to another place, which is not followed: write the address it leads to"
    );
    assert_eq!(elsewhere.asked(), Vec::<String>::new());

    let nearby = Web::start(Reply::Nearby(Box::new(Reply::tools(&[tool("x")])))).await;
    assert_eq!(connect(&nearby, KEY).await.unwrap().tools().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    for sse in [false, true] {
        let web = Web::start(Reply::Tools {
            tools: vec![tool("x")],
            answer: "x".repeat(LINE_BYTES + 1000),
            sse,
        })
        .await;
        let server = connect(&web, "time = 5").await.unwrap();

        let outcome = call(&server, "x", json!({})).await;

        let error = outcome.unwrap_err().to_string();
        assert_eq!(
            error,
            "the call to the tool server fake failed: its answer has more than 8 MiB: ask for less at once"
        );
        assert!(!server.is_over());
    }
}
