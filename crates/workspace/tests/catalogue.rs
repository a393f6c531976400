//! What a model is offered, what each tool is for approvals, and what would happen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::os::unix::fs::symlink;

use bytes::Bytes;
use common::{Desk, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::{
    Fetched, Fetcher, Kind, Network, Preview, catalogue, kind, preview, subject, touched,
};
use serde_json::{Value, json};

fn nowhere() -> Network {
    Network::Through(Fetcher::new(async |url| {
        Ok(Fetched {
            url,
            status: 200,
            media_type: "text/plain".to_owned(),
            body: Bytes::new(),
        })
    }))
}

fn names(desk: &Desk) -> Vec<&'static str> {
    let tools = catalogue(&desk.context);
    tools.iter().map(|tool| tool.name).collect()
}

#[tokio::test]
async fn pages_can_be_fetched_only_where_there_is_a_network() {
    let mut desk = Desk::new(SandboxMode::Off).await;
    let everywhere = [
        "read",
        "write",
        "edit",
        "bash",
        "jobs",
        "grep",
        "glob",
        "todo",
        "exit_plan",
    ];
    assert_eq!(names(&desk), everywhere);

    desk.context.network = nowhere();

    assert_eq!(names(&desk), [everywhere.as_slice(), &["fetch"]].concat());
}

#[tokio::test]
async fn every_schema_is_strict_and_every_tool_has_a_kind() {
    let mut desk = Desk::new(SandboxMode::Off).await;
    desk.context.network = nowhere();
    for tool in catalogue(&desk.context) {
        let schema = &tool.input_schema;
        assert_eq!(
            schema["additionalProperties"],
            json!(false),
            "{}",
            tool.name
        );
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{} {name}", tool.name);
        }
        for required in schema["required"].as_array().unwrap() {
            assert!(schema["properties"][required.as_str().unwrap()].is_object());
        }
        assert!(kind(tool.name).is_some(), "{}", tool.name);
    }
    let kinds = ["grep", "edit", "bash", "fetch", "exit_plan", "mcp__x__y"].map(kind);
    assert_eq!(
        kinds,
        [
            Some(Kind::Read),
            Some(Kind::Edit),
            Some(Kind::Run),
            Some(Kind::Network),
            Some(Kind::Plan),
            None
        ]
    );
}

/// The argument list and folder a command finds itself started with.
async fn started_with(desk: &Desk, command: &str) -> (Vec<String>, String) {
    let outcome = desk.bash(command).await;
    let seen = outcome.content.strip_suffix("[exit code 0]").unwrap();
    let (argv, cwd) = seen.rsplit_once("--at--").unwrap();
    let mut argv: Vec<_> = argv.split('\0').map(str::to_owned).collect();
    assert_eq!(argv.pop().unwrap(), "");
    (argv, cwd.trim().to_owned())
}

#[tokio::test]
async fn what_is_shown_is_the_very_argument_list_that_runs() {
    for mode in [SandboxMode::Bubblewrap, SandboxMode::Off] {
        let desk = Desk::new(mode).await;
        desk.bash("mkdir -p deep/er; cd deep/er").await;
        let command = "cat /proc/$$/cmdline; echo --at--$PWD # 'quotes' \"and\" $(more)";

        let shown = preview(&desk.context, "bash", &json!({ "command": command })).await;
        let (argv, cwd) = started_with(&desk, command).await;

        assert_eq!(argv.last().unwrap(), command);
        assert_eq!(shown, Preview::Run { argv, cwd }, "{mode}");
    }
}

#[tokio::test]
async fn a_change_is_shown_as_the_diff_it_then_makes() {
    let desk = Desk::new(SandboxMode::Off).await;
    symlink("hello.txt", desk.tree().join("link")).unwrap();

    for (tool, input) in [
        ("write", json!({"path": "new/file", "content": "one\n"})),
        (
            "edit",
            json!({"path": "link", "old_string": "world", "new_string": "猫"}),
        ),
        ("write", json!({"path": "link", "content": ""})),
    ] {
        let before = std::fs::read_to_string(desk.tree().join("hello.txt")).unwrap();
        let shown = preview(&desk.context, tool, &input).await;
        assert_eq!(
            std::fs::read_to_string(desk.tree().join("hello.txt")).unwrap(),
            before
        );
        let done = desk.tool(tool, input.clone()).await;

        let Preview::Edit { path, diff } = shown else {
            panic!("{shown:?}");
        };
        assert_eq!(Some(diff), done.diff);
        assert_eq!(path, subject(&desk.context, tool, &input));
        assert_ne!(path, "link");
    }
    preview(
        &desk.context,
        "write",
        &json!({"path": "other/file", "content": ""}),
    )
    .await;
    assert!(!desk.tree().join("other").exists());
}

#[tokio::test]
async fn a_call_that_cannot_work_is_seen_before_it_is_made() {
    let desk = Desk::new(SandboxMode::Off).await;

    for (tool, input, reason) in [
        (
            "write",
            json!({"path": "../x", "content": ""}),
            "leads outside",
        ),
        (
            "edit",
            json!({"path": "no", "old_string": "a", "new_string": "b"}),
            "there is no file no",
        ),
        ("bash", json!({"command": " "}), "command is empty"),
        ("bash", json!({}), "missing field `command`"),
        ("exit_plan", json!({"plan": ""}), "the plan is empty"),
        (
            "fetch",
            json!({"url": "file:///etc/passwd"}),
            "begins with https://",
        ),
    ] {
        let shown = preview(&desk.context, tool, &input).await;
        let Preview::Refused { reason: said } = &shown else {
            panic!("{shown:?}");
        };
        assert!(said.contains(reason), "{tool}: {said}");
    }
}

#[tokio::test]
async fn no_name_can_hide_what_it_is() {
    let desk = Desk::new(SandboxMode::Off).await;
    let name = "a\u{202E}txt.sh\n+ok";
    let shown = "a\\u{202e}txt.sh\\u{a}+ok";

    let input = json!({"path": name, "content": "x\n"});
    let preview_of_write = preview(&desk.context, "write", &input).await;
    let written = desk.tool("write", input).await;

    let diff = format!("--- a/{shown}\n+++ b/{shown}\n@@ -0,0 +1 @@\n+x\n");
    let path = shown.to_owned();
    assert_eq!(
        preview_of_write,
        Preview::Edit {
            path,
            diff: diff.clone()
        }
    );
    assert_eq!(written.diff, Some(diff));
    assert_eq!(
        written.content,
        format!("created {shown}, 1 lines, 2 bytes")
    );
    assert!(desk.tree().join(name).exists());
    assert_eq!(
        desk.tool("glob", json!({"pattern": "a*"})).await,
        ok(&format!("{shown}\n"))
    );
    assert_eq!(
        desk.tool("grep", json!({"pattern": "x", "glob": "a*"}))
            .await,
        ok(&format!("{shown}:1:x\n"))
    );
    for (tool, input) in [
        ("read", json!({"path": name})),
        ("fetch", json!({"url": "https://x/\u{202E}"})),
        ("mcp__x\u{202E}", json!({})),
    ] {
        let Preview::Other { summary } = preview(&desk.context, tool, &input).await else {
            panic!("{tool}");
        };
        assert!(!summary.contains(['\u{202E}', '\n']), "{summary}");
    }
}

#[tokio::test]
async fn rules_are_held_against_what_is_really_touched() {
    let desk = Desk::new(SandboxMode::Off).await;
    std::fs::create_dir(desk.tree().join("src")).unwrap();
    symlink("..", desk.tree().join("src/up")).unwrap();
    let subject = |tool, input: Value| subject(&desk.context, tool, &input);

    assert_eq!(
        subject("write", json!({"path": "src/up/hello.txt"})),
        "hello.txt"
    );
    assert_eq!(
        subject("edit", json!({"path": "./src/../hello.txt"})),
        "hello.txt"
    );
    assert_eq!(subject("write", json!({"path": "../x"})), "../x");
    assert_eq!(
        subject("bash", json!({"command": "git status"})),
        "git status"
    );
    assert_eq!(subject("fetch", json!({"url": "https://a/"})), "https://a/");
    assert_eq!(subject("todo", json!({"items": []})), "");
    assert_eq!(touched("read", &json!({"path": "src/a"})), Some("src/a"));
    assert_eq!(touched("bash", &json!({"command": "cat src/a"})), None);
}
