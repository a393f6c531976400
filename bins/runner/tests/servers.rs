//! Tool servers in a session's sandbox, as the operator's file names them.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{Command, EndReason, ItemKind, Mode, ToolKind, ToolState, Verdict};
use duplex_local::scratch_dir;
use place::{Person, Place, runs, within};
use std::path::PathBuf;
use tempfile::TempDir;

/// Where the real servers lie that the tests' set-up installs.
fn packages() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let packages = here.join("../../crates/mcp/tests/servers/node_modules");
    std::fs::canonicalize(packages).unwrap()
}

/// A workspace with the file server of the Model Context Protocol's own makers, and one that cannot start.
async fn with_servers(rules: &str) -> (TempDir, Place, Person, String) {
    let packages = packages();
    let program = packages.join("@modelcontextprotocol/server-filesystem/dist/index.js");
    let folder = scratch_dir().unwrap();
    let file = folder.path().join("workspaces.toml");
    let (packages, program) = (packages.display(), program.display().to_string());
    let text = format!(
        "[default]\nreadable = [\"{packages}\"]\nrules = [{rules}]\n\
         [default.mcp.files]\ncommand = [\"node\", \"{program}\", \".\"]\nread_only = true\n\
         [default.mcp.broken]\ncommand = [\"/bin/sh\", \"-c\", \"echo no luck today >&2; exit 3\"]\n"
    );
    std::fs::write(&file, text).unwrap();
    let place = Place::with(&["--workspaces-file", file.to_str().unwrap()]).await;
    let ada = place.open().await;
    (folder, place, ada, program)
}

const WRITE: &str =
    r#"[[tool mcp__files__write_file {"path":"made.txt","content":"by a server"}]]"#;

#[tokio::test]
async fn a_server_s_tools_are_offered_asked_for_and_run_in_the_sandbox() {
    let (_folder, place, mut ada, _) = with_servers("").await;
    ada.chooses(Mode::Ask).await;

    ada.says(&format!(
        "[[tool mcp__files__list_directory {{\"path\":\".\"}}]] [[then]] {WRITE} \
         [[tool mcp__files__read_text_file {{\"path\":\"/etc/hostname\"}}]] [[tool mcp__nobody__x {{}}]] \
         [[then]] [[say 1 tokens at 100/s]]"
    ))
    .await;
    let asked = ada.sees_asked(2).await;
    // What only reads, by the word of a server that the operator believes, needs nobody's.
    assert!(ada.tools()[0].1.contains("README.md"), "{:?}", ada.tools());
    let write = asked
        .iter()
        .find(|(_, asked)| asked.name == "mcp__files__write_file");
    let (write, shown) = write.unwrap();
    assert_eq!(
        (shown.tool, shown.rule.as_str()),
        (ToolKind::Foreign, "mcp__files__write_file")
    );
    assert!(!place.tree(&ada).join("made.txt").exists());
    for (call, _) in &asked {
        ada.decides(call, Verdict::Allow).await;
    }

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert!(asked.iter().any(|(call, _)| call == write));
    let made = std::fs::read_to_string(place.tree(&ada).join("made.txt"));
    assert_eq!(made.unwrap(), "by a server");
    let tools = ada.tools();
    assert_eq!(
        tools.iter().map(|(state, _)| *state).collect::<Vec<_>>(),
        [
            ToolState::Done,
            ToolState::Done,
            ToolState::Failed,
            ToolState::Failed
        ]
    );
    assert!(
        tools[3].1.contains("there is no tool server nobody"),
        "{tools:?}"
    );
    let told = ada.kinds().any(|kind| {
        matches!(kind, ItemKind::Notice { code, text, .. } if code == "tool_server" && text.contains("no luck today"))
    });
    assert!(told, "{:#?}", ada.picture.transcript);
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_rule_allows_a_whole_server_and_its_process_ends_with_the_session() {
    let (_folder, place, mut ada, program) = with_servers("\"mcp__files__*\"").await;
    ada.chooses(Mode::Ask).await;

    ada.says(&format!("{WRITE} [[then]] [[say 1 tokens at 100/s]]"))
        .await;
    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    assert!(place.tree(&ada).join("made.txt").exists());
    let name = "mcp__files__write_file".to_owned();
    assert!(place.offered(&ada).await.contains(&name));

    let words = format!("node {program}");
    assert!(runs(&words));
    ada.commands(Command::End).await;
    within("the server to end", async {
        while runs(&words) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_interrupt_does_not_wait_for_a_server() {
    let folder = scratch_dir().unwrap();
    let file = folder.path().join("workspaces.toml");
    let text = "[default.mcp.mute]\ncommand = [\"/bin/sleep\", \"1000\"]\nstart = 300\n";
    std::fs::write(&file, text).unwrap();
    let place = Place::with(&["--workspaces-file", file.to_str().unwrap()]).await;
    let mut ada = place.open().await;

    ada.says("[[say 1 tokens at 100/s]]").await;
    ada.sees("the turn", |ada| ada.picture.session.turn.is_some())
        .await;
    ada.interrupts().await;

    assert_eq!(ada.sees_end(1).await, EndReason::Interrupted);
}
