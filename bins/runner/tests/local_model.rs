//! A turn with a chat completions server, as local models are served; the server is one that others wrote (aimock).
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{Command, EndReason, ToolState};
use duplex_local::scratch_dir;
use place::Place;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Program, Stdio};

struct Mock {
    port: u16,
    process: Child,
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn mock() -> Mock {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/provider/tests/aimock");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let process = Program::new("node")
        .arg(folder.join("node_modules/@copilotkit/aimock/dist/cli.js"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-f"])
        .arg(folder.join("fixtures"))
        .args(["--strict", "--log-level", "silent"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Mock { port, process }
}

#[tokio::test]
async fn a_local_model_runs_tools_and_another_is_chosen_in_mid_session() {
    let mock = mock();
    let folder = scratch_dir().unwrap();
    let file = folder.path().join("providers.toml");
    let text = format!(
        "[[providers]]\nname = \"local\"\nkind = \"openai\"\nbase_url = \"http://127.0.0.1:{port}/v1\"\n\
         [[providers]]\nname = \"demo\"\nkind = \"demo\"\n\
         [[models]]\nid = \"qwen\"\nprovider = \"local\"\ncontext = 100000\nmax_output = 1000\n\
         price = {{ input = 1, output = 2 }}\n",
        port = mock.port
    );
    std::fs::write(&file, text).unwrap();
    let place = Place::with(&["--providers-file", file.to_str().unwrap()]).await;
    let mut ada = place.open().await;
    let model = "qwen".to_owned();
    ada.commands(Command::ChooseModel { model }).await;

    ada.says("run it").await;

    assert_eq!(
        ada.sees_end(1).await,
        EndReason::Complete,
        "{:?}",
        ada.problems()
    );
    assert_eq!(ada.text(), "I look.It is clean.");
    let tools = ada.tools();
    assert_eq!(
        (tools[0].0, tools[1].0),
        (ToolState::Done, ToolState::Failed)
    );
    assert!(tools[0].1.contains("duplex/"), "{tools:?}");
    let session = &ada.picture.session;
    assert!(session.usage.input > 0 && session.cost.pico >= session.usage.input * 1_000_000);

    let model = "demo".to_owned();
    ada.commands(Command::ChooseModel { model }).await;
    ada.says("hello").await;
    assert_eq!(
        ada.sees_end(2).await,
        EndReason::Complete,
        "{:?}",
        ada.problems()
    );
    let model = "qwen".to_owned();
    ada.commands(Command::ChooseModel { model }).await;
    ada.says("say hello").await;
    assert_eq!(
        ada.sees_end(3).await,
        EndReason::Complete,
        "{:?}",
        ada.problems()
    );
    assert!(ada.text().ends_with("done."), "{}", ada.text());
}
