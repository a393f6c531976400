//! What programs may do with their tokens, and people with their role in the team: every route against every one.

use crate::doors::{ADDRESSES, PUBLIC};
use crate::feed::Socket;
use crate::stack::{Answer, PASSWORD, Person, Stack};
use duplex_terminal::Scrubber;
use duplex_wire::Close;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What each route asks for: the scope of a token, the role in the team. The last ones end what the test stands on.
const ASKED: [(&str, &str, &str); ASKED_ROUTES] = [
    ("GET /api/costs", "read", "member"),
    ("GET /api/feed", "read", "guest"),
    ("GET /api/me", "read", "guest"),
    ("GET /api/me/browsers", "admin", "guest"),
    ("GET /api/me/tokens", "admin", "guest"),
    ("GET /api/models", "read", "member"),
    ("GET /api/openapi.json", "read", "guest"),
    ("GET /api/sessions", "read", "guest"),
    ("GET /api/sessions/{id}", "read", "guest"),
    ("GET /api/sessions/{id}/bodies/{hash}", "read", "guest"),
    ("GET /api/sessions/{id}/digest", "read", "guest"),
    ("GET /api/sessions/{id}/events", "read", "guest"),
    ("GET /api/sessions/{id}/items", "read", "guest"),
    ("GET /api/sessions/{id}/links", "read", "guest"),
    (
        "GET /api/sessions/{id}/terminals/{terminal}/cast",
        "read",
        "guest",
    ),
    (
        "GET /api/sessions/{id}/terminals/{terminal}/text",
        "read",
        "guest",
    ),
    ("GET /api/share/past", "read", "guest"),
    ("GET /api/team/audit", "admin", "owner"),
    ("GET /api/team/audit/chain", "admin", "owner"),
    ("GET /api/team/audit/export", "admin", "owner"),
    ("GET /api/team/audit/table", "admin", "owner"),
    ("GET /api/team/audit/words", "admin", "owner"),
    ("GET /api/team/budget", "read", "member"),
    ("GET /api/team/invitations", "admin", "owner"),
    ("GET /api/team/people", "read", "member"),
    ("GET /api/terminals", "read", "guest"),
    ("GET /api/workspaces", "read", "member"),
    ("GET /metrics", "read", "member"),
    ("POST /api/me/tokens", "admin", "guest"),
    ("POST /api/sessions", "write", "member"),
    ("POST /api/sessions/{id}/commands", "write", "guest"),
    ("POST /api/sessions/{id}/links", "write", "guest"),
    ("DELETE /api/sessions/{id}/links/{link}", "write", "guest"),
    ("POST /api/team/invitations", "admin", "owner"),
    (
        "DELETE /api/team/invitations/{invitation}",
        "admin",
        "owner",
    ),
    ("POST /api/team/people/{person}/reset", "admin", "owner"),
    ("POST /api/team/transfer", "admin", "owner"),
    ("POST /api/workspaces", "write", "member"),
    ("PUT /api/me/name", "admin", "guest"),
    ("PUT /api/me/password", "admin", "guest"),
    ("PUT /api/team/budget", "admin", "owner"),
    ("PUT /api/team/name", "admin", "owner"),
    ("PUT /api/team/people/{person}/disabled", "admin", "owner"),
    ("PUT /api/team/people/{person}/role", "admin", "owner"),
    ("DELETE /api/me/browsers/{browser}", "admin", "guest"),
    ("DELETE /api/me/tokens/{token}", "admin", "guest"),
    ("DELETE /api/me/browsers", "admin", "guest"),
    ("POST /api/logout", "write", "guest"),
    ("POST /api/me/leave", "admin", "guest"),
];
const ASKED_ROUTES: usize = ADDRESSES.len() - PUBLIC.len();
const SOME_ID: &str = "0190a0b0c0d07e0f8a1b2c3d4e5f6071";

/// A request to a route, about things that are not there.
fn call(stack: &Stack, route: &str, token: &str) -> RequestBuilder {
    let (method, path) = route.split_once(' ').unwrap();
    let mut path = path.replace("{hash}", &"a".repeat(64));
    for name in [
        "id",
        "link",
        "terminal",
        "invitation",
        "person",
        "browser",
        "token",
    ] {
        path = path.replace(&format!("{{{name}}}"), SOME_ID);
    }
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = stack.http.request(method, format!("{}{path}", stack.base));
    request.bearer_auth(token).json(&json!({}))
}

/// The error that a call ends with, if any.
async fn refusal(request: RequestBuilder) -> (u16, String) {
    let answer = Answer::of(request.send().await.unwrap()).await;
    let code = answer.body["error"]["code"].as_str().unwrap_or_default();
    (answer.status, code.to_owned())
}

async fn token(person: &Person, scopes: &[&str]) -> String {
    let wanted = json!({"name": "ci", "scopes": scopes});
    let made = person.post("/api/me/tokens", wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["secret"].as_str().unwrap().to_owned()
}

#[test]
fn the_table_names_every_route_that_is_not_public() {
    let public: BTreeSet<&str> = PUBLIC.into();
    let expected: BTreeSet<&str> = ADDRESSES
        .into_iter()
        .filter(|route| !public.contains(route))
        .collect();
    let named: BTreeSet<&str> = ASKED.into_iter().map(|(route, ..)| route).collect();
    assert_eq!(named, expected);
}

#[tokio::test]
async fn a_token_reaches_the_routes_of_its_scopes_and_no_others() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let mut tokens = Vec::new();
    for scope in ["read", "write", "admin"] {
        tokens.push((scope, token(&ada, &[scope]).await));
    }
    for (route, asked, _) in ASKED {
        for (scope, token) in &tokens {
            let (status, code) = refusal(call(&stack, route, token)).await;
            let refused = code == "missing_scope";
            assert_eq!(
                refused,
                *scope != asked,
                "{route} with `{scope}`: {status} {code}"
            );
            // A past is shown to who came by a link to it, which a program did not.
            let signed_in = status != 401 || route == "GET /api/share/past";
            assert!(signed_in, "{route} with `{scope}`");
        }
    }
}

#[tokio::test]
async fn a_person_reaches_the_routes_of_their_role_and_no_others() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let all = ["read", "write", "admin"];
    let bob = token(&stack.bob(&ada, "member").await, &all).await;
    let eve = token(&stack.joins(&ada, "Eve", "guest").await, &all).await;
    for (route, _, least) in ASKED {
        let (member, guest) = match least {
            "owner" => ("not_the_owner", "not_the_owner"),
            "member" => ("", "guest"),
            _ => ("", ""),
        };
        for (token, expected) in [(&bob, member), (&eve, guest)] {
            let (status, code) = refusal(call(&stack, route, token)).await;
            let refused = ["not_the_owner", "guest"].contains(&code.as_str());
            let found = if refused { code.as_str() } else { "" };
            assert_eq!(found, expected, "{route}: {status} {code}");
        }
    }
}

#[tokio::test]
async fn a_request_says_once_whose_it_is() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let token = token(&ada, &["read", "write"]).await;
    for path in ["/api/me", "/api/feed", "/api/setup", "/"] {
        let one = ada.request(Method::GET, path).bearer_auth(&token);
        let two = stack
            .request(Method::GET, path)
            .bearer_auth(&token)
            .bearer_auth(&token);
        let basic = ada
            .request(Method::GET, path)
            .basic_auth("ada", Some(PASSWORD));
        for request in [one, two, basic] {
            assert_eq!(
                refusal(request).await,
                (400, "two_credentials".into()),
                "{path}"
            );
        }
    }
    let alone = stack.request(Method::GET, "/api/me").bearer_auth(&token);
    assert_eq!(alone.send().await.unwrap().status(), 200);
    // Other headers that some servers take a key from are none here.
    let other = stack
        .request(Method::GET, "/api/me")
        .header("x-api-key", &token);
    assert_eq!(refusal(other).await.0, 401);
}

#[tokio::test]
async fn a_token_is_made_shown_once_used_and_revoked() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let wanted = json!({"name": "nightly build", "scopes": ["read", "write"], "days": 7});
    let made = ada.post("/api/me/tokens", wanted).await;
    let secret = made.body["secret"].as_str().unwrap();
    let shape = |c: char| c.is_ascii_alphanumeric();
    assert!(secret.len() == 40 && secret[4..].chars().all(shape) && secret.starts_with("dpx_"));
    let mut scrubber = Scrubber::new([]);
    let mut printed = scrubber.feed(format!("TOKEN={secret}\r\n$ ").as_bytes());
    printed.extend(scrubber.finish());
    assert_eq!(
        printed, b"TOKEN=[redacted]\r\n$ ",
        "our own terminals hide it"
    );

    let me = stack.request(Method::GET, "/api/me").bearer_auth(secret);
    let me = Answer::of(me.send().await.unwrap()).await.body;
    assert_eq!(
        (&me["name"], &me["scopes"]),
        (&json!("Ada"), &json!(["read", "write"]))
    );
    let list = ada.get("/api/me/tokens").await.body;
    assert!(!list.to_string().contains(secret));
    assert!(list[0]["used_at"].is_i64(), "{list}");
    assert_eq!(list[0]["name"], "nightly build");
    assert_eq!(ada.get("/api/me").await.body.get("scopes"), None::<&Value>);

    let mut socket = Socket::by_token(&stack.base, secret).await;
    let path = format!(
        "/api/me/tokens/{}",
        made.body["token"]["id"].as_str().unwrap()
    );
    let revoke = ada.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(revoke.status(), 204);
    assert_eq!(socket.closed().await, Some(Close::SignedOut));
    let after = stack.request(Method::GET, "/api/me").bearer_auth(secret);
    assert_eq!(refusal(after).await, (401, "signed_out".into()));
}

#[tokio::test]
async fn a_token_that_reads_watches_and_commands_nothing() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _runner) = stack.runner().await;
    let session = ada.open(workspace).await;
    let say = json!({"type": "post_message", "text": "hello", "delivery": "queue"});
    let mut reads = Socket::by_token(&stack.base, &token(&ada, &["read"]).await).await;
    reads.watch(session, None).await;
    reads.snapshot().await;

    let id = reads.command(session, say.clone()).await;

    assert_eq!(reads.refused().await, (id, "missing_scope".into()));
    let both = token(&ada, &["read", "write"]).await;
    let mut writes = Socket::by_token(&stack.base, &both).await;
    let id = writes.command(session, say).await;
    assert_eq!(writes.accepted().await, id);
}
