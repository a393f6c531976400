//! What is shut: to strangers, to foreign pages, to foreign hosts.

use crate::stack::{Answer, Stack};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

/// All that works without anybody signed in.
pub const PUBLIC: [&str; 11] = [
    "GET /api/setup",
    "POST /api/setup",
    "POST /api/login",
    "POST /api/join",
    "POST /api/join/look",
    "POST /api/reset",
    "POST /api/reset/look",
    "POST /api/share",
    "POST /api/share/look",
    "GET /healthz",
    "GET /readyz",
];

/// Every address of the interface.
pub const ADDRESSES: [&str; 60] = [
    "DELETE /api/me/browsers",
    "DELETE /api/me/browsers/{browser}",
    "DELETE /api/me/tokens/{token}",
    "DELETE /api/sessions/{id}/links/{link}",
    "DELETE /api/team/invitations/{invitation}",
    "GET /api/costs",
    "GET /api/feed",
    "GET /api/me",
    "GET /api/me/browsers",
    "GET /api/me/tokens",
    "GET /api/models",
    "GET /api/openapi.json",
    "GET /api/sessions",
    "GET /api/sessions/{id}",
    "GET /api/sessions/{id}/bodies/{hash}",
    "GET /api/sessions/{id}/digest",
    "GET /api/sessions/{id}/events",
    "GET /api/sessions/{id}/items",
    "GET /api/sessions/{id}/links",
    "GET /api/sessions/{id}/terminals/{terminal}/cast",
    "GET /api/sessions/{id}/terminals/{terminal}/text",
    "GET /api/setup",
    "GET /api/share/past",
    "GET /api/team/audit",
    "GET /api/team/audit/chain",
    "GET /api/team/audit/export",
    "GET /api/team/audit/table",
    "GET /api/team/audit/words",
    "GET /api/team/budget",
    "GET /api/team/invitations",
    "GET /api/team/people",
    "GET /api/terminals",
    "GET /api/workspaces",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "POST /api/join",
    "POST /api/join/look",
    "POST /api/login",
    "POST /api/logout",
    "POST /api/me/leave",
    "POST /api/me/tokens",
    "POST /api/reset",
    "POST /api/reset/look",
    "POST /api/sessions",
    "POST /api/sessions/{id}/commands",
    "POST /api/sessions/{id}/links",
    "POST /api/setup",
    "POST /api/share",
    "POST /api/share/look",
    "POST /api/team/invitations",
    "POST /api/team/people/{person}/reset",
    "POST /api/team/transfer",
    "POST /api/workspaces",
    "PUT /api/me/name",
    "PUT /api/me/password",
    "PUT /api/team/budget",
    "PUT /api/team/name",
    "PUT /api/team/people/{person}/disabled",
    "PUT /api/team/people/{person}/role",
];

/// Every route of the router, by what it says of itself.
pub fn documented() -> BTreeSet<(String, String)> {
    let document = serde_json::to_value(duplex_edge::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .keys()
            .map(move |method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

#[tokio::test]
async fn every_route_but_a_few_asks_who_is_there() {
    let stack = Stack::start().await;
    let mut open = BTreeSet::new();
    for (method, path) in documented() {
        let there = path
            .replace("{id}", "0190a0b0c0d07e0f8a1b2c3d4e5f6071")
            .replace("{link}", "0190a0b0c0d07e0f8a1b2c3d4e5f6071")
            .replace("{hash}", &"a".repeat(64));
        let method_ = Method::from_bytes(method.as_bytes()).unwrap();
        let request = stack.request(method_, &there).json(&json!({}));
        let status = request.send().await.unwrap().status();
        assert_ne!(status, 405, "{method} {path} is documented, but no route");
        if status != 401 {
            open.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(open, PUBLIC.map(str::to_owned).into());
}

#[tokio::test]
async fn the_document_names_every_address_of_the_interface() {
    let expected: BTreeSet<String> = ADDRESSES.map(str::to_owned).into();
    let documented: BTreeSet<String> = documented()
        .iter()
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    assert_eq!(documented, expected);

    let stack = Stack::start().await;
    let served = stack.ada().await.get("/api/openapi.json").await;
    assert_eq!(
        served.body,
        serde_json::to_value(duplex_edge::document()).unwrap()
    );
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let port = stack.edge.address.port();
    let logout = |origin: Option<&str>| {
        let request = stack
            .http
            .post(format!("{}/api/logout", stack.base))
            .header("cookie", &ada.cookie);
        origin
            .iter()
            .fold(request, |request, origin| request.header("origin", *origin))
            .send()
    };
    let suffix = format!("{}.evil.example", stack.base);
    let foreign = [
        None,
        Some("https://evil.example"),
        Some("null"),
        Some(suffix.as_str()),
        Some("http://127.0.0.1"),
    ];
    for origin in foreign {
        let refused = Answer::of(logout(origin).await.unwrap()).await;
        assert_eq!(refused.error(), (403, "wrong_origin", None), "{origin:?}");
    }
    assert_eq!(ada.get("/api/me").await.status, 200);
    assert_eq!(
        logout(Some(&format!("http://localhost:{port}")))
            .await
            .unwrap()
            .status(),
        204
    );
}

#[tokio::test]
async fn foreign_hosts_are_not_served() {
    let stack = Stack::start().await;
    let ask = |path: &str| {
        let request = stack.http.get(format!("{}{path}", stack.base));
        request
            .header("host", "evil.example")
            .header("origin", "http://evil.example")
            .send()
    };
    for path in ["/", "/api/setup", "/api/feed"] {
        let refused = Answer::of(ask(path).await.unwrap()).await;
        assert_eq!(refused.error(), (421, "wrong_host", None), "{path}");
    }
    assert_eq!(ask("/healthz").await.unwrap().status(), 200);
}

#[tokio::test]
async fn bad_requests_get_a_typed_answer() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let login = || {
        stack
            .request(Method::POST, "/api/login")
            .header("content-type", "application/json")
    };
    let send = |request: reqwest::RequestBuilder| async {
        Answer::of(request.send().await.unwrap()).await
    };

    assert_eq!(
        send(login().body("{")).await.error(),
        (400, "bad_json", None)
    );
    assert_eq!(
        send(login().body("{}")).await.error(),
        (422, "missing_field", Some("email"))
    );
    let form = stack
        .request(Method::POST, "/api/login")
        .header("content-type", "text/plain")
        .body("{}");
    assert_eq!(send(form).await.error(), (415, "not_json", None));
    let large = "x".repeat(600 * 1024);
    assert_eq!(
        send(login().body(format!("\"{large}\""))).await.error(),
        (413, "too_large", None)
    );
    assert_eq!(
        ada.get("/api/nonsense").await.error(),
        (404, "not_found", None)
    );
    let delete = send(ada.request(Method::DELETE, "/api/me")).await;
    assert_eq!(delete.error(), (405, "wrong_method", None));
    assert_eq!(
        ada.get("/api/sessions?state=odd").await.error(),
        (422, "bad_state", Some("state"))
    );
    assert_eq!(
        ada.get("/api/sessions?limit=0").await.error(),
        (422, "bad_limit", Some("limit"))
    );
    assert_eq!(ada.get("/api/sessions?cursor=x").await.error().0, 422);
}
