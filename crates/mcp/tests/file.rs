//! What an operator may write of tool servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use duplex_mcp::{ConfigError, ServerConfig, Transport, Written};
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    mcp: Written,
}

#[derive(Deserialize)]
struct Workspaces {
    workspace: File,
}

fn check(text: &str) -> Result<Vec<ServerConfig>, ConfigError> {
    let file: File = toml::from_str(text).unwrap();
    let variables = BTreeMap::from([("HUB_TOKEN", "t0ken-of-hub"), ("HUB_KEY", "k3y-of-hub")]);
    file.mcp
        .check(|name| variables.get(name).map(|value| (*value).to_owned()))
}

/// What is wrong with the server `a` of these keys.
fn wrong(keys: &str) -> String {
    check(&format!("[mcp.a]\n{keys}")).unwrap_err().to_string()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn the_documented_example_is_read_as_it_says() {
    let page = include_str!("../../../docs/mcp.md");
    let example = page.split("```toml\n").nth(1).unwrap();
    let example = example.split("```").next().unwrap();
    let example = example.replace("[[workspace]]", "[workspace]");
    let file: Workspaces = toml::from_str(&example).unwrap();
    let servers = file
        .workspace
        .mcp
        .check(|name| Some(format!("value-of-{name}")))
        .unwrap();

    let names: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["files", "hub"]);
}

#[test]
fn a_command_and_an_address_are_read() {
    let servers = check(
        r#"
        [mcp.files]
        command = ["node", "/opt/files.js"]
        env = { LEVEL = "quiet", TOKEN = { env = "HUB_TOKEN" } }
        time = 30
        start = 5
        tools = ["read"]
        read_only = true

        [mcp.hub]
        url = "https://hub.example/mcp?key=s3cret-key"
        headers = { Authorization = "Bearer abcdefgh", X-Key = { env = "HUB_KEY" } }
        "#,
    )
    .unwrap();

    let [files, hub] = &servers[..] else {
        panic!("there are two")
    };
    let command = ["node", "/opt/files.js"].map(str::to_owned).to_vec();
    let env = map(&[("LEVEL", "quiet"), ("TOKEN", "t0ken-of-hub")]);
    assert_eq!(files.transport, Transport::Stdio { command, env });
    assert_eq!(
        (
            files.time,
            files.start,
            files.tools.as_deref(),
            files.read_only
        ),
        (
            Duration::from_secs(30),
            Duration::from_secs(5),
            Some(&["read".to_owned()][..]),
            true
        )
    );
    assert_eq!(files.secrets(), ["t0ken-of-hub"]);
    let headers = map(&[
        ("Authorization", "Bearer abcdefgh"),
        ("X-Key", "k3y-of-hub"),
    ]);
    let url = "https://hub.example/mcp?key=s3cret-key".to_owned();
    assert_eq!(hub.transport, Transport::Http { url, headers });
    assert_eq!(
        (hub.time, hub.start, &hub.tools, hub.read_only),
        (
            Duration::from_mins(2),
            Duration::from_secs(20),
            &None,
            false
        )
    );

    let shown = format!("{servers:?}");
    for secret in servers.iter().flat_map(ServerConfig::secrets) {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
    assert!(shown.contains("hub.example/mcp") && shown.contains("TOKEN"));
}

/// Keys that cannot be meant, and what is said of them.
const WRONG: [(&str, &str); 17] = [
    ("", "give either command or url"),
    (
        r#"command = ["x"]
url = "http://h/""#,
        "give either command or url",
    ),
    ("command = []", "command is empty"),
    (r#"command = ["x\u0000"]"#, "command holds a NUL"),
    (
        r#"command = ["x"]
headers = {}"#,
        "headers go with url",
    ),
    (
        r#"url = "http://h/"
env = {}"#,
        "env goes with command",
    ),
    (r#"url = "ftp://h/""#, "url starts with neither"),
    (r#"url = "there""#, "url is no address"),
    (
        r#"url = "http://ada:pass@h/""#,
        "url holds a name or password",
    ),
    (
        r#"url = "http://h/"
headers = { Host = "x" }"#,
        "headers.Host is set by the protocol",
    ),
    (
        r#"url = "http://h/"
headers = { "a b" = "x" }"#,
        "headers.a b cannot be a header",
    ),
    (
        r#"url = "http://h/"
headers = { a = "s3cret\n" }"#,
        "headers.a cannot be a header",
    ),
    (
        r#"command = ["x"]
env = { "A=B" = "x" }"#,
        "env.A=B cannot be a variable",
    ),
    (
        r#"command = ["x"]
env = { A = { env = "NONE" } }"#,
        "env.A is to be read from the variable NONE",
    ),
    (
        r#"command = ["x"]
time = 0"#,
        "time is a number of seconds from 1 to 3600",
    ),
    (
        r#"command = ["x"]
start = 301"#,
        "start is a number of seconds from 1 to 300",
    ),
    (
        r#"command = ["x"]
tools = []"#,
        "tools is empty",
    ),
];

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_do() {
    for (keys, told) in WRONG {
        let said = wrong(keys);
        let expected = format!("mcp.a: {told}");
        assert!(said.starts_with(&expected), "{keys}: {said}");
        assert!(
            !said.contains("s3cret") && !said.contains("pass@"),
            "{said}"
        );
    }
}

#[test]
fn a_name_that_could_be_mistaken_is_refused() {
    for name in ["a__b", "_a", "a_", "A", "\"a b\"", "\"\"", &"a".repeat(33)] {
        let said = check(&format!("[mcp.{name}]\ncommand = [\"x\"]")).unwrap_err();
        let expected = "a server's name has 1 to 32";
        assert!(said.problem.starts_with(expected), "{name}");
    }
}

#[test]
fn unknown_keys_are_not_passed_over() {
    let read = |text: &str| toml::from_str::<File>(text).is_ok();

    assert!(read("[mcp.a]\ncommand = [\"x\"]"));
    assert!(!read("[mcp.a]\ncommand = [\"x\"]\ncwd = \"/\""));
    assert!(!read(
        "[mcp.a]\nurl = \"http://h/\"\nheaders = { a = { env = \"B\", file = \"C\" } }"
    ));
    assert!(!read("[mcp.a]\ncommand = \"x\""));
}

#[test]
fn there_are_not_too_many_servers() {
    let table = |n: usize| format!("[mcp.s{n:02}]\ncommand = [\"x\"]\n");
    let text: String = (0..33).map(table).collect();

    let said = check(&text).unwrap_err().to_string();

    assert_eq!(
        said,
        "mcp.s32: there are more than 32 servers: take some out"
    );
}
