//! Pages from the network, through what the runner lets requests out by.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use common::{Desk, failed, ok};
use duplex_workspace::SandboxMode;
use duplex_workspace::tools::{self, Fetched, Fetcher, Network};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A web server that gives every request this type and body; its address.
async fn server(media_type: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.0 200 OK\r\ncontent-type: {media_type}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(body.as_bytes()).await;
        }
    });
    format!("http://{address}/page")
}

/// Gets a page the plainest way there is.
async fn get(url: String) -> Result<Fetched, String> {
    let host = url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let refused = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(host).await.map_err(refused)?;
    stream
        .write_all(b"GET /page HTTP/1.0\r\n\r\n")
        .await
        .map_err(refused)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(refused)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Ok(Fetched {
        url,
        status: head[9..12].parse().unwrap(),
        media_type: head.split_once("content-type: ").unwrap().1.to_owned(),
        body: body.to_owned().into(),
    })
}

async fn desk() -> Desk {
    let mut desk = Desk::new(SandboxMode::Off).await;
    desk.context.network = Network::Through(Fetcher::new(get));
    desk
}

#[tokio::test]
async fn a_page_comes_as_its_words() {
    let desk = desk().await;
    let page = "<title>T</title><p>a <b>bold</b> word</p><script>alert(1)</script>";
    let url = server("text/html; charset=utf-8", page.to_owned()).await;
    let plain = server("application/json", "{\"a\": \"<p>\"}".to_owned()).await;
    let picture = server("image/png", "x".to_owned()).await;

    assert_eq!(
        desk.tool("fetch", json!({ "url": url })).await,
        ok(&format!("{url} [status 200]\n\nT\n\na bold word"))
    );
    assert_eq!(
        desk.tool("fetch", json!({ "url": plain })).await,
        ok(&format!("{plain} [status 200]\n\n{{\"a\": \"<p>\"}}"))
    );
    assert_eq!(
        desk.tool("fetch", json!({ "url": picture })).await,
        failed(&format!(
            "{picture} is image/png, which cannot be shown as text"
        ))
    );
}

#[tokio::test]
async fn a_long_page_is_cut_and_kept() {
    let desk = desk().await;
    let url = server("text/plain", "a line\n".repeat(20_000)).await;

    let outcome = desk.tool("fetch", json!({ "url": url })).await;

    assert!(outcome.content.len() <= 50 * 1024);
    assert!(
        outcome
            .content
            .contains("all of it is in ~/outputs/0001.txt")
    );
    let kept = desk.context.worktree.home.join("outputs/0001.txt");
    assert!(
        std::fs::read_to_string(kept)
            .unwrap()
            .ends_with(&"a line\n".repeat(20_000))
    );
}

#[tokio::test]
async fn only_plain_addresses_of_the_web_are_asked_for() {
    let desk = desk().await;
    let off = Desk::new(SandboxMode::Off).await;

    for url in [
        "file:///etc/passwd",
        "ftp://a/",
        "https://",
        "http://ada@b/",
        "https://a b/",
        "https://a/\n",
        "https://a\\b/",
        "https://a/\0",
        &format!("https://a/{}", "x".repeat(3000)),
    ] {
        let outcome = desk.tool("fetch", json!({ "url": url })).await;
        assert!(
            outcome.is_error && outcome.content.contains("address"),
            "{url}: {outcome:?}"
        );
    }
    assert_eq!(
        off.tool("fetch", json!({"url": "https://a/"})).await,
        failed("there is no network here: the workspace's owner can allow hosts")
    );
}

#[tokio::test]
async fn a_server_that_is_silent_or_absent_is_not_waited_for() {
    let mut desk = desk().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let input = json!({ "url": url });

    let cancel = CancellationToken::new();
    let call = tools::run(
        &desk.context,
        "fetch",
        &input,
        mpsc::channel(1).0,
        cancel.clone(),
    );
    let (stopped, ()) = tokio::join!(call, async {
        silent.accept().await.unwrap();
        cancel.cancel();
    });
    desk.context.limits.time = Duration::from_millis(100);
    let late = desk.tool("fetch", input.clone()).await;
    drop(silent);
    desk.context.limits.time = Duration::from_secs(20);
    let gone = desk.tool("fetch", input).await;

    assert_eq!(stopped, failed("the request was interrupted"));
    assert_eq!(late, failed(&format!("no answer from {url} within 100ms")));
    assert!(
        gone.is_error && gone.content.contains("refused"),
        "{gone:?}"
    );
}
