//! The static page, the headers of every answer, and how the process is.

use crate::stack::Stack;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_answer_forbids_what_the_page_does_not_need() {
    let stack = Stack::start().await;
    for path in ["/", "/sessions/abc", "/api/me", "/api/nonsense", "/healthz"] {
        let answer = stack.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        let policy = header("content-security-policy").unwrap();
        let rules: Vec<&str> = policy.split("; ").collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(rules.contains(&rule), "{rule}: {policy}");
        }
        for own in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
            assert_eq!(header(own).as_deref(), Some("same-origin"), "{path}");
        }
        assert_eq!(
            header("x-content-type-options").as_deref(),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            header("referrer-policy").as_deref(),
            Some("no-referrer"),
            "{path}"
        );
        assert!(header("cache-control").is_some(), "{path}");
    }
}

#[tokio::test]
async fn the_page_answers_at_every_place_but_files_are_files() {
    let stack = Stack::start().await;
    let status = |path: &'static str| {
        let request = stack.request(Method::GET, path).send();
        async { request.await.unwrap().status().as_u16() }
    };
    // 503 where the page has not been built: it says how to build it.
    let page = status("/").await;
    assert!([200, 503].contains(&page), "{page}");
    assert_eq!(status("/sessions/0190a0b0").await, page);
    assert_eq!(status("/missing.js").await, 404);
    assert_eq!(status("/..%2f..%2fCargo.toml").await, 404);
}

#[tokio::test]
async fn health_is_open_and_measurements_are_not() {
    let stack = Stack::start().await;
    let ready = stack
        .http
        .get(format!("{}/readyz", stack.base))
        .send()
        .await
        .unwrap();
    assert_eq!(
        ready.json::<serde_json::Value>().await.unwrap(),
        json!({"nats": true, "postgres": true})
    );
    let ada = stack.ada().await;
    let metrics = ada.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .body
            .as_str()
            .unwrap()
            .contains("duplex_edge_live_sessions")
    );
}
