//! What gets out through the proxy and the fetch tool, and what does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use duplex_egress::{FETCH_BYTES, FetchError, Policy, Proxy, Refused, Request, fetch};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A web server that answers every request with `answer` and keeps what it was asked.
async fn server(answer: impl Into<String>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            kept.lock().unwrap().push(text);
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, heard)
}

fn hello() -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello".to_owned()
}

/// `shop.test` means the server on this machine, because the operator says so.
fn policy(server: SocketAddr) -> Policy {
    let pinned = format!("shop.test:{}=127.0.0.1", server.port());
    Policy::parse([pinned.as_str(), "localhost"]).unwrap()
}

struct Way {
    _folder: TempDir,
    socket: PathBuf,
    asked: Arc<Mutex<Vec<Request>>>,
    _stop: DropGuard,
}

impl Way {
    fn out(policy: Policy) -> Self {
        let folder = TempDir::new().unwrap();
        let socket = folder.path().join("proxy");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let log = move |request| kept.lock().unwrap().push(request);
        let proxy = Proxy::bind(&socket, policy, log).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(proxy.run(stop.clone()));
        Self {
            _folder: folder,
            socket,
            asked,
            _stop: stop.drop_guard(),
        }
    }

    async fn says(&self, request: &str) -> String {
        let mut stream = UnixStream::connect(&self.socket).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    fn asked(&self) -> Vec<(String, u16, bool)> {
        let asked = self.asked.lock().unwrap();
        let brief = |request: &Request| (request.host.clone(), request.port, request.allowed);
        asked.iter().map(brief).collect()
    }
}

#[tokio::test]
async fn an_allowed_host_is_reached_by_tunnel_and_by_plain_request() {
    let (address, heard) = server(hello()).await;
    let port = address.port();
    let way = Way::out(policy(address));

    let plain = way
        .says(&format!("GET http://shop.test:{port}/a HTTP/1.1\r\nHost: other.test\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"))
        .await;
    let tunnel = way
        .says(&format!(
            "CONNECT shop.test:{port} HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
        ))
        .await;

    assert_eq!(plain, hello());
    assert_eq!(
        tunnel,
        format!("HTTP/1.1 200 Connection established\r\n\r\n{}", hello())
    );
    assert_eq!(
        *heard.lock().unwrap(),
        [
            format!("GET /a HTTP/1.1\r\nHost: shop.test:{port}\r\nConnection: close\r\n\r\n"),
            "GET /b HTTP/1.1\r\n\r\n".to_owned(),
        ]
    );
    let asked = ("shop.test".to_owned(), port, true);
    assert_eq!(way.asked(), [asked.clone(), asked]);
}

#[tokio::test]
async fn what_is_not_on_the_list_is_refused_and_told() {
    let (address, heard) = server(hello()).await;
    let way = Way::out(policy(address));

    for (target, status) in [
        ("evil.test:443".to_owned(), "403"),
        ("shop.test:22".to_owned(), "403"),
        (format!("127.0.0.1:{}", address.port()), "403"),
        ("169.254.169.254:80".to_owned(), "403"),
        ("shop.test\0.evil.test:443".to_owned(), "400"),
        (format!("[::1]:{}", address.port()), "403"),
    ] {
        let answer = way
            .says(&format!("CONNECT {target} HTTP/1.1\r\n\r\n"))
            .await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target:?}: {answer}"
        );
    }
    assert!(way.asked().iter().all(|(_, _, allowed)| !allowed));
    assert_eq!(way.asked().len(), 6);
    assert_eq!(*heard.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_allowed_name_that_means_this_machine_is_refused() {
    let (address, _) = server(hello()).await;
    let way = Way::out(policy(address));

    let answer = way.says("CONNECT localhost:80 HTTP/1.1\r\n\r\n").await;

    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("not in the public internet"), "{answer}");
}

#[tokio::test]
async fn a_page_is_fetched_and_a_long_one_cut() {
    let (address, _) = server(hello()).await;
    let long = FETCH_BYTES + 10;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {long}\r\nConnection: close\r\n\r\n");
    let (large, _) = server(head + &"x".repeat(long)).await;

    let page = fetch(
        &policy(address),
        &format!("http://shop.test:{}/", address.port()),
        |_| {},
    )
    .await
    .unwrap();
    let cut = fetch(
        &policy(large),
        &format!("http://shop.test:{}/", large.port()),
        |_| {},
    )
    .await
    .unwrap();

    assert_eq!(
        (page.status, &page.body[..], page.truncated),
        (200, &b"hello"[..], false)
    );
    assert_eq!(page.content_type.as_deref(), Some("text/plain"));
    assert_eq!((cut.body.len(), cut.truncated), (FETCH_BYTES, true));
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    for (to, private) in [
        ("http://127.0.0.1/", false),
        ("http://localhost/", true),
        ("http://169.254.169.254/x", false),
    ] {
        let (address, _) = server(format!(
            "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
        .await;

        let asked = Mutex::new(Vec::new());
        let error = fetch(
            &policy(address),
            &format!("http://shop.test:{}/", address.port()),
            |request| asked.lock().unwrap().push(request.allowed),
        )
        .await
        .unwrap_err();

        match error {
            FetchError::Refused(Refused::Private { .. }) => assert!(private, "{to}"),
            FetchError::Refused(Refused::NotAllowed(_)) => assert!(!private, "{to}"),
            other => panic!("{to}: {other}"),
        }
        assert_eq!(*asked.lock().unwrap(), [true, false], "{to}");
    }
}

#[tokio::test]
async fn redirects_end() {
    let (address, heard) = server(
        "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    )
    .await;

    let error = fetch(
        &policy(address),
        &format!("http://shop.test:{}/", address.port()),
        |_| {},
    )
    .await;

    assert!(matches!(error, Err(FetchError::Redirects(_))));
    assert_eq!(heard.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn only_pages_are_fetched() {
    let policy = Policy::parse(["shop.test"]).unwrap();

    for url in [
        "file:///etc/passwd",
        "ftp://shop.test/",
        "http://me:pw@shop.test/",
        "shop.test",
        "http://shop.test/\0",
    ] {
        let error = fetch(&policy, url, |_| {}).await;
        assert!(matches!(error, Err(FetchError::BadUrl(_))), "{url:?}");
    }
}
