//! Attacks that other servers of agents and terminals have fallen to, tried from outside; docs/security.md has the list.

use crate::doors::documented;
use crate::feed::Socket;
use crate::stack::{Answer, Stack};
use duplex_wire::Close;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Origins that are not ours, however much they look like it; without one, none is sent.
fn foreign_origins(base: &str) -> Vec<Option<String>> {
    let host = base.strip_prefix("http://").unwrap();
    let port = host.rsplit(':').next().unwrap();
    let origins = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        "file://".to_owned(),
        format!("https://{host}"),
        "http://127.0.0.1".to_owned(),
        "http://127.0.0.1:1".to_owned(),
        format!("{base}/"),
        format!("{base}.evil.example"),
        format!("{base}@evil.example"),
        format!("{base}, https://evil.example"),
        format!("http://evil.example:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://evil-{host}"),
        format!("http://[::1]:{port}"),
    ];
    origins.into_iter().map(Some).chain([None]).collect()
}

#[tokio::test]
async fn a1_no_foreign_page_has_a_socket_or_changes_anything() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    for origin in foreign_origins(&stack.base) {
        let mut socket = Socket::dial_as(&stack.base, origin.as_deref(), Some(&ada.cookie)).await;
        assert_eq!(
            socket.closed().await,
            Some(Close::WrongOrigin),
            "{origin:?}"
        );
        let logout = stack.http.post(format!("{}/api/logout", stack.base));
        let logout = logout.header("cookie", &ada.cookie);
        let logout = origin
            .iter()
            .fold(logout, |request, origin| request.header("origin", origin));
        let refused = Answer::of(logout.send().await.unwrap()).await;
        assert_eq!(refused.error(), (403, "wrong_origin", None), "{origin:?}");
    }
    assert_eq!(ada.get("/api/me").await.status, 200);
}

#[tokio::test]
async fn a2_a_name_that_was_bound_to_this_address_is_not_ours() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let port = stack.edge.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        "127.0.0.1".to_owned(),
        format!("[::1]:{port}"),
    ] {
        for path in ["/", "/api/me", "/api/sessions", "/api/feed"] {
            let request = stack.http.get(format!("{}{path}", stack.base));
            let request = request.header("cookie", &ada.cookie);
            let request = request.header("host", &host);
            let request = request.header("origin", format!("http://{host}"));
            let refused = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(refused.error(), (421, "wrong_host", None), "{host} {path}");
        }
    }
}

#[tokio::test]
async fn a3_no_route_lets_other_pages_read_its_answers() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    for (method, path) in documented() {
        for verb in [Method::OPTIONS, Method::GET] {
            let request = stack.http.request(verb, format!("{}{path}", stack.base));
            let request = request
                .header("cookie", &ada.cookie)
                .header("origin", "https://evil.example")
                .header("access-control-request-method", &method);
            let answer = request.send().await.unwrap();
            let shared = answer.headers().keys();
            let shared: Vec<_> = shared
                .filter(|name| name.as_str().starts_with("access-control-"))
                .collect();
            assert!(shared.is_empty(), "{method} {path}: {shared:?}");
        }
    }
}

#[tokio::test]
async fn a5_no_address_makes_the_server_ask_another() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = target.local_addr().unwrap().port();
    let lines = [
        format!("/proxy/{port}"),
        format!("/proxy/{port}@127.0.0.1:{port}/"),
        format!("/proxy/user@127.0.0.1:{port}/"),
        format!("/absproxy/{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("/api/sessions/127.0.0.1:{port}"),
        format!("/?url=http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://user@127.0.0.1:{port}/"),
    ];
    for line in lines {
        for verb in ["GET", "POST", "CONNECT"] {
            let answer = raw(&stack, verb, &line, &ada.cookie).await;
            let head = answer.to_lowercase();
            assert!(head.starts_with("http/1.1 "), "{verb} {line}: {answer}");
            assert!(!head.contains("\r\nlocation:"), "{verb} {line}: {answer}");
        }
    }
    let asked = target.into_std().unwrap().accept();
    assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// The answer's head, to a request whose line no client would send.
async fn raw(stack: &Stack, verb: &str, line: &str, cookie: &str) -> String {
    let mut stream = TcpStream::connect(stack.edge.address).await.unwrap();
    let host = stack.edge.address;
    let request = format!(
        "{verb} {line} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncookie: {cookie}\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a18_a_new_server_lets_nobody_in_without_its_link() {
    let stack = Stack::start().await;
    let setup = stack
        .request(Method::GET, "/api/setup")
        .send()
        .await
        .unwrap();
    assert_eq!(Answer::of(setup).await.body, json!({"needed": true}));
    let mut socket = Socket::dial_as(&stack.base, Some(&stack.base), None).await;
    assert_eq!(socket.closed().await, Some(Close::SignedOut));
    let sessions = stack.request(Method::GET, "/api/sessions").send();
    assert_eq!(sessions.await.unwrap().status(), 401);
    let guess = json!({"secret": "guessed", "name": "Eve", "email": "eve@example.org", "password": "long enough a word"});
    assert_eq!(stack.post("/api/setup", guess).await.status(), 403);
}
