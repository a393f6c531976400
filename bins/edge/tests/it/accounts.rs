//! Setting up, signing in and out.

use crate::stack::{Answer, PASSWORD, Stack};
use reqwest::Method;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[tokio::test]
async fn the_first_owner_is_made_once_with_the_secret_of_the_link() {
    let stack = Stack::start().await;
    let state = || async {
        Answer::of(
            stack
                .request(Method::GET, "/api/setup")
                .send()
                .await
                .unwrap(),
        )
        .await
    };
    assert_eq!(state().await.body, json!({"needed": true}));
    let link = stack.data.join("setup-link");
    assert_eq!(
        std::fs::metadata(&link).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        std::fs::read_to_string(&link)
            .unwrap()
            .starts_with(&format!("{}/setup#", stack.base))
    );

    let secret = stack.setup_secret();
    let body = |secret: &str, password: &str| json!({"secret": secret, "name": "Ada", "email": "Ada@example.org", "password": password});
    let wrong = Answer::of(stack.post("/api/setup", body("guess", PASSWORD)).await).await;
    assert_eq!(wrong.error(), (403, "wrong_secret", Some("secret")));
    let short = Answer::of(stack.post("/api/setup", body(&secret, "short")).await).await;
    assert_eq!(short.error(), (422, "invalid_password", Some("password")));

    let made = stack.post("/api/setup", body(&secret, PASSWORD)).await;
    assert_eq!(made.status(), 201);
    assert!(!link.exists());
    assert_eq!(state().await.body, json!({"needed": false}));
    let again = Answer::of(stack.post("/api/setup", body(&secret, PASSWORD)).await).await;
    assert_eq!(again.error(), (409, "already_set_up", None));
}

#[tokio::test]
async fn signing_in_gives_a_cookie_that_signing_out_ends() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let wrong = json!({"email": "ada@example.org", "password": "wrong password"});
    let refused = Answer::of(stack.post("/api/login", wrong).await).await;
    assert_eq!(refused.error(), (401, "wrong_login", None));

    let right = json!({"email": "ada@example.org", "password": PASSWORD});
    let login = stack.post("/api/login", right).await;
    let cookie = login.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.starts_with("duplex_session=") && cookie.contains("; HttpOnly; SameSite=Lax;"),
        "{cookie}"
    );
    let me = json!({"id": ada.id, "name": "Ada", "email": "ada@example.org", "role": "owner", "team": "Ada"});
    assert_eq!(
        Answer::of(login).await,
        Answer {
            status: 200,
            body: me.clone()
        }
    );
    assert_eq!(ada.get("/api/me").await.body, me);

    let out = ada
        .request(Method::POST, "/api/logout")
        .send()
        .await
        .unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(ada.get("/api/me").await.error(), (401, "signed_out", None));
}

#[tokio::test]
async fn signing_in_again_ends_the_browsers_former_session() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    assert_eq!(ada.post("/api/login", body).await.status, 200);
    assert_eq!(ada.get("/api/me").await.status, 401);
}
