//! The way out of a session's sandbox, as the operator's file opens it.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod place;

use duplex_domain::{EndReason, Event, ItemKind, ToolState};
use duplex_local::scratch_dir;
use place::{Person, Place};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A machine outside that greets everybody.
async fn shop() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = caller.read(&mut request).await;
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\
                          Connection: close\r\n\r\nwelcome";
            let _ = caller.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn allowing(hosts: &str) -> (TempDir, Place, Person) {
    let folder = scratch_dir().unwrap();
    let file = folder.path().join("workspaces.toml");
    std::fs::write(&file, format!("[default]\nallow = [{hosts}]\n")).unwrap();
    let place = Place::with(&["--workspaces-file", file.to_str().unwrap()]).await;
    let ada = place.open().await;
    (folder, place, ada)
}

/// A command that asks for a page through the proxy.
fn asks_for(host: &str, port: u16) -> String {
    format!(
        "[[tool bash {{\"command\":\"exec 3<>/dev/tcp/127.0.0.1/3128; printf 'GET http://{host}:{port}/ HTTP/1.1\\\\r\\\\nHost: \
         {host}\\\\r\\\\n\\\\r\\\\n' >&3; cat <&3\"}}]] "
    )
}

#[tokio::test]
async fn an_allowed_machine_is_reached_and_another_is_not() {
    let port = shop().await.port();
    let (_folder, place, mut ada) = allowing(&format!("\"shop.test:{port}=127.0.0.1\"")).await;

    ada.says(&format!(
        "{}{}[[tool fetch {{\"url\":\"http://shop.test:{port}/\"}}]] [[tool fetch {{\"url\":\"http://evil.test/\"}}]] \
         [[then]] [[say 1 tokens at 100/s]]",
        asks_for("shop.test", port),
        asks_for("evil.test", 80),
    ))
    .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let tools = ada.tools();
    let says = |n: usize, text: &str| assert!(tools[n].1.contains(text), "{n}: {tools:#?}");
    says(0, "welcome");
    says(
        1,
        "evil.test:80 is not on this workspace's list of allowed hosts",
    );
    says(2, "welcome");
    says(
        3,
        "evil.test:80 is not on this workspace's list of allowed hosts",
    );
    assert_eq!(
        (tools[2].0, tools[3].0),
        (ToolState::Done, ToolState::Failed)
    );
    let asked = |event: &Event| match event {
        Event::NetworkAsked { host, allowed, .. } => Some((host.clone(), *allowed)),
        _ => None,
    };
    ada.sees("a word about the refusal", |ada| {
        ada.kinds().any(|kind| {
            matches!(kind, ItemKind::Notice { code, text, .. } if code == "network_refused" && text.contains("evil.test"))
        })
    })
    .await;
    assert_eq!(
        place
            .events(&ada)
            .await
            .iter()
            .filter_map(asked)
            .collect::<Vec<_>>(),
        [
            ("shop.test".to_owned(), true),
            ("evil.test".to_owned(), false)
        ]
    );
    assert_eq!(place.provider.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_word_of_the_operator_there_is_no_network_and_no_tool_for_it() {
    let place = Place::new().await;
    let mut ada = place.open().await;

    ada.says(&format!(
        "{}[[tool fetch {{\"url\":\"http://shop.test/\"}}]] [[then]] [[say 1 tokens at 100/s]]",
        asks_for("shop.test", 80)
    ))
    .await;

    assert_eq!(ada.sees_end(1).await, EndReason::Complete);
    let tools = ada.tools();
    assert!(tools[0].1.contains("Connection refused"), "{tools:?}");
    assert!(tools[1].1.contains("there is no network here"), "{tools:?}");
    assert!(!place.offered(&ada).await.contains(&"fetch".to_owned()));
}
