//! Real servers over stdio, in the sandbox their session runs in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;
#[path = "common/place.rs"]
mod place;

use std::time::{Duration, Instant};

use common::{call, config};
use duplex_mcp::{CallOutcome, McpError, Server, ServerConfig};
use place::{Place, node, script};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn runs(server: &str, args: &[&str], more: &str) -> ServerConfig {
    let node = node().to_str().unwrap().to_owned();
    let mut command = vec![node, script(server)];
    command.extend(args.iter().map(|arg| (*arg).to_owned()));
    config(&format!("command = {}\n{more}", json!(command)))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what a call comes to"
)]
fn text(text: &str) -> Result<CallOutcome, McpError> {
    Ok(CallOutcome {
        text: text.to_owned(),
        ..CallOutcome::default()
    })
}

fn names(server: &Server) -> Vec<&str> {
    let tools = server.tools().iter();
    tools.map(|tool| tool.own.as_str()).collect()
}

#[tokio::test]
async fn the_server_of_everything_is_listed_and_called() {
    let place = Place::new().await;
    let config = runs("server-everything", &["stdio"], "");
    let (process, server) = place.connect(&config).await;
    let server = server.unwrap();

    assert!(
        server.about().ends_with("MCP 2025-11-25"),
        "{}",
        server.about()
    );
    assert_eq!(server.notes(), [""; 0]);
    assert!(names(&server).len() >= 13, "{:?}", names(&server));
    let echo = server
        .tools()
        .iter()
        .find(|tool| tool.own == "echo")
        .unwrap();
    assert_eq!(echo.name, "mcp__fake__echo");
    assert_eq!(echo.input_schema["properties"]["message"]["type"], "string");

    assert_eq!(
        call(&server, "echo", json!({"message": "zwölf 猫"})).await,
        text("Echo: zwölf 猫")
    );
    assert_eq!(
        call(&server, "get-sum", json!({"a": 2, "b": 40})).await,
        text("The sum of 2 and 40 is 42.")
    );
    let image = call(&server, "get-tiny-image", json!({})).await.unwrap();
    assert_eq!(image.images.len(), 1);
    assert_eq!(image.images[0].0, "image/png");
    assert!(image.images[0].1.starts_with(b"\x89PNG"));
    let links = call(&server, "get-resource-links", json!({"count": 2}))
        .await
        .unwrap();
    assert_eq!(
        links.text.matches("[resource ").count(),
        2,
        "{}",
        links.text
    );
    let weather = call(
        &server,
        "get-structured-content",
        json!({"location": "Chicago"}),
    )
    .await;
    assert!(weather.unwrap().text.contains("\"humidity\""));

    server.end().await;
    process.end().await.unwrap();
}

#[tokio::test]
async fn a_server_has_no_environment_to_tell_of_and_says_what_is_wrong() {
    let place = Place::new().await;
    let env = "env = { SECRET = { env = \"FAKE_KEY\" }, LEVEL = \"quiet\" }";
    let config = runs("server-everything", &["stdio"], env);
    let (process, server) = place.connect(&config).await;
    let server = server.unwrap();

    // It shows all it has, which is next to nothing, and not what the operator gave it.
    let env = call(&server, "get-env", json!({})).await.unwrap().text;
    assert!(
        env.contains("\"SECRET\": \"[secret]\"") && env.contains("\"LEVEL\": \"quiet\""),
        "{env}"
    );
    assert!(
        !env.contains("CARGO") && !env.contains("k3y-of-ada"),
        "{env}"
    );
    let wrong = call(&server, "get-sum", json!({"a": "two"})).await.unwrap();
    assert!(
        wrong.is_error && wrong.text.contains("Input validation error"),
        "{}",
        wrong.text
    );

    server.end().await;
    process.end().await.unwrap();
}

#[tokio::test]
async fn long_work_tells_its_progress_and_can_be_cancelled() {
    let place = Place::new().await;
    let (process, server) = place
        .connect(&runs("server-everything", &["stdio"], ""))
        .await;
    let server = server.unwrap();
    let tool = "mcp__fake__trigger-long-running-operation";
    let (progress, mut heard) = mpsc::channel(16);
    let input = json!({"duration": 0.2, "steps": 2});

    let outcome = server
        .call(tool, &input, CancellationToken::new(), Some(progress))
        .await;

    assert_eq!(
        outcome,
        text("Long running operation completed. Duration: 0.2 seconds, Steps: 2.")
    );
    let mut lines = Vec::new();
    while let Some(line) = heard.recv().await {
        lines.push(line);
    }
    assert_eq!(lines, ["1/2", "2/2"]);

    let cancel = CancellationToken::new();
    let (progress, mut heard) = mpsc::channel(16);
    let input = json!({"duration": 1000, "steps": 20000});
    let calling = server.call(tool, &input, cancel.clone(), Some(progress));
    let (outcome, ()) = tokio::join!(calling, async {
        heard.recv().await.unwrap();
        cancel.cancel();
    });
    assert!(
        matches!(outcome, Err(McpError::Cancelled { .. })),
        "{outcome:?}"
    );
    let next = call(&server, "echo", json!({"message": "on"})).await;
    assert_eq!(next, text("Echo: on"));
    process.end().await.unwrap();
}

#[tokio::test]
async fn a_server_killed_in_a_call_is_noticed_at_once() {
    let place = Place::new().await;
    let (process, server) = place
        .connect(&runs("server-everything", &["stdio"], ""))
        .await;
    let server = server.unwrap();
    let (progress, mut heard) = mpsc::channel(16);
    let input = json!({"duration": 1000, "steps": 20000});
    let tool = "mcp__fake__trigger-long-running-operation";
    let calling = server.call(tool, &input, CancellationToken::new(), Some(progress));

    let (outcome, ()) = tokio::join!(calling, async {
        heard.recv().await.unwrap();
        process.end().await.unwrap();
    });

    let ended = McpError::Ended {
        server: "fake".to_owned(),
        last: "Starting default (STDIO) server...".to_owned(),
    };
    assert_eq!(outcome, Err(ended));
}

#[tokio::test]
async fn the_server_of_files_reads_and_writes_the_worktree_and_nothing_else() {
    let place = Place::new().await;
    let tree = place.tree();
    // It would show everything there is; the sandbox decides what that is.
    let config = runs("server-filesystem", &["/"], "read_only = true");
    let (process, server) = place.connect(&config).await;
    let server = server.unwrap();

    assert!(names(&server).len() >= 14, "{:?}", names(&server));
    let reading = server.tools().iter().filter(|tool| tool.read_only);
    let reading: Vec<_> = reading.map(|tool| tool.own.as_str()).collect();
    assert!(
        reading.contains(&"read_text_file") && !reading.contains(&"write_file"),
        "{reading:?}"
    );
    // Told of the worktree as its root, it keeps to that, once it has asked.
    let expected = text(&format!("Allowed directories:\n{tree}"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while call(&server, "list_allowed_directories", json!({})).await != expected {
        assert!(Instant::now() < deadline, "it does not ask for roots");
    }
    let hello = json!({"path": format!("{tree}/hello.txt")});
    assert_eq!(
        call(&server, "read_text_file", hello).await,
        text("hello\n")
    );
    let path = format!("{tree}/new.txt");
    let written = call(
        &server,
        "write_file",
        json!({"path": path, "content": "new\n"}),
    )
    .await;
    assert!(!written.as_ref().unwrap().is_error, "{written:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
    let outside = json!({"path": "/etc/passwd"});
    let refused = call(&server, "read_text_file", outside).await.unwrap();
    assert!(
        refused.is_error && refused.text.contains("Access denied"),
        "{}",
        refused.text
    );

    server.end().await;
    process.end().await.unwrap();
}

#[tokio::test]
async fn a_command_that_is_not_there_says_so() {
    let place = Place::new().await;
    let config = config("command = [\"/nowhere/server\"]");

    let (_process, server) = place.connect(&config).await;

    let error = server.unwrap_err().to_string();
    let start = "the tool server fake cannot be used: it ended at once; the last it wrote on standard error: ";
    assert!(
        error.starts_with(start) && error.contains("/nowhere/server"),
        "{error}"
    );
}
