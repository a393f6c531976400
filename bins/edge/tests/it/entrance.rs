//! Who knocks too often, or guesses, and from where.

use crate::feed::Socket;
use crate::stack::{Answer, PASSWORD, Stack};
use duplex_wire::Close;
use reqwest::Method;
use serde_json::json;

fn login(email: &str, password: &str) -> serde_json::Value {
    json!({"email": email, "password": password})
}

/// An edge behind a proxy on this machine that forgives three wrong tries a day.
async fn strict() -> Stack {
    Stack::start_as(|config| {
        config.proxies = vec!["127.0.0.1".parse().unwrap()];
        config.limits.wrong_tries_per_network = 3;
    })
    .await
}

#[tokio::test]
async fn a_network_has_so_many_wrong_tries_at_all_secrets_together() {
    let stack = strict().await;
    stack.ada().await;
    let near = ["203.0.113.1", "203.0.113.2"];
    for (address, email) in near.into_iter().zip(["bob@example.org", "eve@example.org"]) {
        let wrong = stack.post_from(address, "/api/login", login(email, "a guess of mine"));
        assert_eq!(wrong.await.status(), 401);
    }
    // What is right, or no guess, is not counted.
    let ada = login("ada@example.org", PASSWORD);
    for _ in 0..4 {
        let right = stack.post_from(near[0], "/api/login", ada.clone()).await;
        assert_eq!(right.status(), 200);
        let over =
            json!({"secret": "x", "name": "E", "email": "e@example.org", "password": PASSWORD});
        let over = stack.post_from(near[0], "/api/setup", over).await;
        assert_eq!(over.status(), 409);
    }
    let third = stack.post_from(near[0], "/api/login", login("ada@example.org", "a guess"));
    assert_eq!(third.await.status(), 401);

    let shut = stack
        .post_from("203.0.113.77", "/api/login", ada.clone())
        .await;
    let after: u32 = shut.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((23 * 3600..=24 * 3600).contains(&after), "{after}");
    assert_eq!(
        Answer::of(shut).await.error(),
        (429, "too_many_tries", None)
    );
    let elsewhere = stack.post_from("203.0.114.1", "/api/login", ada).await;
    assert_eq!(elsewhere.status(), 200);
}

#[tokio::test]
async fn guesses_made_at_once_are_counted_too() {
    let stack = strict().await;
    let guess = |n: usize| {
        let body = login(&format!("somebody-{n}@example.org"), "a guess of mine");
        stack.post_from("203.0.113.1", "/api/login", body)
    };
    let answers = futures_util::future::join_all((0..12).map(guess)).await;
    let looked_at = answers
        .iter()
        .filter(|answer| answer.status() == 401)
        .count();
    assert_eq!(looked_at, 3);
}

#[tokio::test]
async fn who_is_no_named_proxy_speaks_for_nobody_else() {
    let stack = Stack::start_as(|config| {
        config.proxies = vec!["192.0.2.7".parse().unwrap()];
        config.limits.wrong_tries_per_network = 3;
    })
    .await;
    for address in ["203.0.113.1", "198.51.100.1", "192.0.2.7"] {
        let wrong = stack.post_from(address, "/api/login", login("ada@example.org", "a guess"));
        assert_eq!(wrong.await.status(), 401);
    }
    let another = stack.post_from("8.8.8.8", "/api/login", login("bob@example.org", "a guess"));
    assert_eq!(another.await.status(), 429);
    let page = stack
        .request(Method::GET, "/api/setup")
        .header("x-forwarded-proto", "https");
    let page = page.send().await.unwrap();
    assert!(!page.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn too_many_requests_are_told_to_wait() {
    let stack = Stack::start_as(|config| {
        config.proxies = vec!["127.0.0.1".parse().unwrap()];
        config.limits.requests_per_network = 1;
        config.limits.requests_per_person = 1;
    })
    .await;
    let ada = stack.ada().await;
    let ask = |address: &str, cookie: &str| {
        let request = stack
            .request(Method::GET, "/api/me")
            .header("cookie", cookie);
        request.header("x-forwarded-for", address).send()
    };
    let refused = async |whose: &str, address: &dyn Fn(usize) -> String, cookie: &str| {
        for n in 0..100 {
            let answer = ask(&address(n), cookie).await.unwrap();
            if answer.status() != 429 {
                continue;
            }
            let after = answer.headers()["retry-after"].to_str().unwrap().to_owned();
            assert_eq!(after, "1");
            let answer = Answer::of(answer).await;
            assert_eq!(answer.error(), (429, "rate_limited", None));
            let told = answer.body["error"]["message"].as_str().unwrap().to_owned();
            assert!(told.contains(whose), "{told}");
            return;
        }
        panic!("nobody was told to wait");
    };
    refused("your network", &|_| "203.0.113.1".to_owned(), "").await;
    // Files of the page are not counted, other networks are others.
    assert_ne!(
        stack.http.get(&stack.base).send().await.unwrap().status(),
        429
    );
    refused("from you", &|n| format!("198.51.{n}.1"), &ada.cookie).await;
}

#[tokio::test]
async fn a_network_has_so_many_sockets() {
    let stack = Stack::start_as(|config| config.limits.sockets_per_network = 1).await;
    let ada = stack.ada().await;
    let first = Socket::open(&ada).await;
    let mut second = Socket::dial(&ada.base, &ada.base, Some(&ada.cookie)).await;
    assert_eq!(second.closed().await, Some(Close::TooMany));
    drop(first);
}
