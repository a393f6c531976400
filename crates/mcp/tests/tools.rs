//! What is offered of the tools a server lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use common::{config, connected, pair, stdio, tool};
use duplex_mcp::{DESCRIPTION_BYTES, Host, LIST_TOOLS, SCHEMA_BYTES, Server, Tool};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn names(server: &Server) -> Vec<&str> {
    let tools = server.tools().iter();
    tools.map(|tool| tool.name.as_str()).collect()
}

async fn offered(tools: &[Value]) -> Server {
    connected(stdio(), Host::default(), tools).await.1
}

#[tokio::test]
async fn a_tool_is_told_of_without_what_cannot_be_seen() {
    let tag = "\u{E0049}\u{200B}\u{202E}\u{1B}";
    let schema = json!({"properties": {"a": {
        "description": format!("The {tag}first"),
        "enum": [format!("{tag}x")],
    }}});
    let said = json!({
        "name": format!("add {tag}numbers"),
        "description": format!("Adds{tag}\ntwo numbers\0"),
        "inputSchema": schema,
        "annotations": {"readOnlyHint": true},
    });

    let server = offered(&[said]).await;

    // What the server compares with is sent back as it was.
    let input_schema = json!({
        "properties": {"a": {"description": "The first", "enum": [format!("{tag}x")]}},
        "type": "object",
    });
    let expected = Tool {
        name: "mcp__fake__add_____numbers".to_owned(),
        own: format!("add {tag}numbers"),
        description: "Adds\ntwo numbers".to_owned(),
        input_schema,
        read_only: false,
    };
    assert_eq!(server.tools(), [expected]);
}

#[tokio::test]
async fn only_a_server_the_operator_believes_has_tools_that_only_read() {
    let mut reading = tool("read");
    reading["annotations"] = json!({"readOnlyHint": true});
    let config = config("command = [\"fake\"]\nread_only = true");

    let (_fake, server) = connected(config, Host::default(), &[reading, tool("write")]).await;

    let read_only: Vec<_> = server.tools().iter().map(|tool| tool.read_only).collect();
    assert_eq!(read_only, [true, false]);
}

#[tokio::test]
async fn names_that_fall_together_are_told_apart_and_called_apart() {
    let said = ["read", "read file", "read", "read/file"].map(tool);
    let (mut fake, server) = connected(stdio(), Host::default(), &said).await;

    assert_eq!(names(&server).len(), 3);
    assert_eq!(
        server.notes(),
        ["its tool read is listed twice: the first is offered"]
    );
    for tool in server.tools() {
        let input = json!({});
        let call = server.call(&tool.name, &input, CancellationToken::new(), None);
        let (outcome, asked) = tokio::join!(call, async {
            let asked = fake.hears().await;
            fake.answers(&asked, json!({"content": []})).await;
            asked
        });
        outcome.unwrap();
        assert_eq!(asked["params"]["name"], tool.own);
    }
}

#[tokio::test]
async fn ten_thousand_tools_are_cut_to_a_few() {
    let said: Vec<_> = (0..10_000).map(|n| tool(&format!("t{n}"))).collect();

    let server = offered(&said).await;

    assert_eq!(names(&server).len(), LIST_TOOLS);
    assert_eq!(
        names(&server)[LIST_TOOLS - 1],
        format!("mcp__fake__t{}", LIST_TOOLS - 1)
    );
    assert_eq!(
        server.notes(),
        [format!(
            "{} more of its tools are not offered: name the ones to offer with `tools`",
            10_000 - LIST_TOOLS
        )]
    );

    let config = config("command = [\"fake\"]\ntools = [\"t9000\", \"t10\", \"gone\"]");
    let (_fake, server) = connected(config, Host::default(), &said).await;
    assert_eq!(names(&server), ["mcp__fake__t10", "mcp__fake__t9000"]);
    assert_eq!(server.notes(), ["it has no tool gone, which `tools` names"]);
}

#[tokio::test]
async fn all_pages_are_read_and_a_list_without_end_is_not() {
    let (mut fake, connecting) = pair(stdio(), Host::default());
    let pages = async {
        fake.greets("2025-11-25").await;
        fake.hears().await;
        for page in 0..3 {
            let asked = fake.hears().await;
            let cursor = (page > 0).then(|| page.to_string());
            assert_eq!(asked["params"]["cursor"], json!(cursor));
            let next = (page < 2).then(|| (page + 1).to_string());
            let mut result = json!({"tools": [tool(&format!("t{page}"))]});
            if let Some(next) = next {
                result["nextCursor"] = next.into();
            }
            fake.answers(&asked, result).await;
        }
    };
    let (server, ()) = tokio::join!(connecting, pages);
    let server = server.unwrap();
    assert_eq!(
        names(&server),
        ["mcp__fake__t0", "mcp__fake__t1", "mcp__fake__t2"]
    );
    assert_eq!(server.notes().len(), 0);

    let (mut fake, connecting) = pair(stdio(), Host::default());
    let endless = async {
        fake.greets("2025-11-25").await;
        fake.hears().await;
        loop {
            let asked = fake.hears().await;
            let n = &asked["id"];
            let result = json!({"tools": [tool(&format!("t{n}"))], "nextCursor": n.to_string()});
            fake.answers(&asked, result).await;
        }
    };
    let server = tokio::select! {
        server = connecting => server.unwrap(),
        () = endless => panic!("it ended"),
    };
    assert_eq!(names(&server).len(), 200);
    assert_eq!(
        server.notes(),
        ["its list of tools goes on and on: only its beginning was looked at"]
    );
}

#[tokio::test]
async fn what_is_too_large_or_takes_no_object_is_left_out() {
    let mut wordy = tool("wordy");
    wordy["description"] = "猫".repeat(DESCRIPTION_BYTES).into();
    let mut huge = tool("huge");
    huge["inputSchema"]["description"] = "x".repeat(SCHEMA_BYTES).into();
    let mut odd = tool("odd");
    odd["inputSchema"] = json!({"type": "string"});
    let mut titled = json!({"name": "titled", "title": "Its title", "inputSchema": {}});
    titled["icons"] = json!([]);

    let server = offered(&[wordy, huge, odd, titled]).await;

    assert_eq!(names(&server), ["mcp__fake__wordy", "mcp__fake__titled"]);
    let [wordy, titled] = server.tools() else {
        panic!("two are left")
    };
    assert_eq!(wordy.description, "猫".repeat(DESCRIPTION_BYTES / 3));
    assert_eq!(titled.description, "Its title");
    assert_eq!(titled.input_schema, json!({"type": "object"}));
    assert_eq!(
        server.notes(),
        [
            "its tool huge has a schema of more than 64 KiB: it is not offered",
            "its tool odd takes no object: it is not offered",
        ]
    );
}

#[tokio::test]
async fn all_tools_together_are_bounded_too() {
    let mut large = tool("t");
    large["inputSchema"]["title"] = "x".repeat(SCHEMA_BYTES - 100).into();
    let numbered = |n: usize| {
        let mut tool = large.clone();
        tool["name"] = format!("t{n}").into();
        tool
    };
    let said: Vec<_> = (0..20).map(numbered).collect();

    let server = offered(&said).await;

    assert_eq!(names(&server).len(), 9);
    assert_eq!(
        server.notes(),
        ["11 more of its tools are not offered: name the ones to offer with `tools`"]
    );
}
