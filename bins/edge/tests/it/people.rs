//! People come by a link, are given roles, and are shut out.

use crate::feed::Socket;
use crate::stack::{Answer, PASSWORD, Person, Stack};
use duplex_wire::Close;
use reqwest::Method;
use serde_json::{Value, json};

/// What is sent without anybody signed in.
async fn post(stack: &Stack, path: &str, body: Value) -> Answer {
    Answer::of(stack.post(path, body).await).await
}

async fn put(person: &Person, path: &str, body: Value) -> Answer {
    let request = person.request(Method::PUT, path).json(&body);
    Answer::of(request.send().await.unwrap()).await
}

async fn delete(person: &Person, path: &str) -> Answer {
    let request = person.request(Method::DELETE, path);
    Answer::of(request.send().await.unwrap()).await
}

/// The names and roles of the people somebody sees.
async fn roles(person: &Person) -> Value {
    let people = person.get("/api/team/people").await.body;
    let people = people.as_array().unwrap().iter();
    people
        .map(|person| json!([person["name"], person["role"]]))
        .collect()
}

#[tokio::test]
async fn a_stranger_with_a_link_looks_and_joins() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let wanted = json!({"role": "member", "note": "Bob, from sales"});
    let made = ada.post("/api/team/invitations", wanted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(made.body["link"], format!("{}/join#{secret}", stack.base));
    let open = ada.get("/api/team/invitations").await.body;
    let shown = (&open[0]["note"], &open[0]["role"], &open[0]["by"]);
    assert_eq!(
        shown,
        (&json!("Bob, from sales"), &json!("member"), &json!("Ada"))
    );
    assert!(!open.to_string().contains(&secret));

    let look = json!({"secret": secret});
    let mut seen = post(&stack, "/api/join/look", look.clone()).await.body;
    assert!(seen["expires_at"].take().is_i64());
    assert_eq!(
        seen,
        json!({"team": "Ada", "role": "member", "by": "Ada", "expires_at": null})
    );
    // Who is somebody already is told so, and uses nothing up.
    let join =
        json!({"secret": secret, "name": "Bob", "email": "Bob@example.org", "password": PASSWORD});
    for (path, body) in [("/api/join/look", &look), ("/api/join", &join)] {
        assert_eq!(
            ada.post(path, body.clone()).await.error(),
            (409, "signed_in", None)
        );
    }

    let joined = stack.post("/api/join", join.clone()).await;
    assert_eq!(joined.status(), 201);
    let bob = stack.person(joined).await;
    let me = json!({"id": bob.id, "name": "Bob", "email": "bob@example.org", "role": "member", "team": "Ada"});
    assert_eq!(bob.get("/api/me").await.body, me);
    for (path, body) in [("/api/join/look", look), ("/api/join", join)] {
        assert_eq!(
            post(&stack, path, body).await.error(),
            (410, "link_over", Some("secret"))
        );
    }
    assert_eq!(
        roles(&bob).await,
        json!([["Ada", "owner"], ["Bob", "member"]])
    );
}

#[tokio::test]
async fn an_invitation_can_be_taken_back() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let made = ada
        .post("/api/team/invitations", json!({"role": "guest"}))
        .await;
    let id = ada.get("/api/team/invitations").await.body[0]["id"].clone();
    let path = format!("/api/team/invitations/{}", id.as_str().unwrap());
    assert_eq!(delete(&ada, &path).await.status, 204);
    let look = json!({"secret": made.body["secret"]});
    assert_eq!(
        post(&stack, "/api/join/look", look).await.error().1,
        "link_over"
    );
    assert_eq!(
        delete(&ada, &path).await.error(),
        (404, "no_invitation", None)
    );
    let odd = ada
        .post("/api/team/invitations", json!({"role": "king"}))
        .await;
    assert_eq!(odd.error(), (422, "bad_role", Some("role")));
}

#[tokio::test]
async fn who_is_shut_out_loses_every_socket_at_once() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let bob = stack.bob(&ada, "member").await;
    let mut sockets = [Socket::open(&bob).await, Socket::open(&bob).await];
    let mut adas = Socket::open(&ada).await;

    let path = format!("/api/team/people/{}/disabled", bob.id);
    assert_eq!(
        put(&ada, &path, json!({"disabled": true})).await.status,
        204
    );

    for socket in &mut sockets {
        assert_eq!(socket.closed().await, Some(Close::SignedOut));
    }
    assert_eq!(bob.get("/api/me").await.error(), (401, "signed_out", None));
    let login = json!({"email": "bob@example.org", "password": PASSWORD});
    assert_eq!(
        post(&stack, "/api/login", login).await.error().1,
        "wrong_login"
    );
    adas.answers().await;
    assert_eq!(
        put(&ada, &path, json!({"disabled": false})).await.status,
        204
    );
    stack.login_as("Bob").await;
}

#[tokio::test]
async fn another_edge_closes_sockets_at_once_too() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let bob = stack.bob(&ada, "member").await;
    let other = stack.another_edge().await;
    let there = Person {
        base: format!("http://{}", other.address),
        ..bob.clone()
    };
    let mut socket = Socket::open(&there).await;

    let path = format!("/api/team/people/{}/role", bob.id);
    assert_eq!(put(&ada, &path, json!({"role": "guest"})).await.status, 204);

    assert_eq!(socket.closed().await, Some(Close::SignedOut));
    other.stop();
    other.stopped().await.unwrap();
}

#[tokio::test]
async fn an_owner_who_hands_over_stays_signed_in_where_they_did_it() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let bob = stack.bob(&ada, "member").await;
    let (mut own, elsewhere) = (Socket::open(&ada).await, stack.login().await);
    let mut others = Socket::open(&elsewhere).await;

    let transfer = ada
        .request(Method::POST, "/api/team/transfer")
        .json(&json!({"to": bob.id}));
    let answer = transfer.send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    let renewed = Person {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        ..ada.clone()
    };

    assert_eq!(own.closed().await, Some(Close::Renewed));
    assert_eq!(others.closed().await, Some(Close::SignedOut));
    assert_eq!(ada.get("/api/me").await.status, 401);
    assert_eq!(renewed.get("/api/me").await.body["role"], "member");
    let bob = stack.login_as("Bob").await;
    assert_eq!(
        roles(&bob).await,
        json!([["Ada", "member"], ["Bob", "owner"]])
    );
    let again = renewed
        .post("/api/team/transfer", json!({"to": bob.id}))
        .await;
    assert_eq!(again.error(), (403, "not_the_owner", None));
    let last = bob.post("/api/me/leave", json!({})).await;
    assert_eq!(last.error(), (409, "last_owner", None));
    assert_eq!(renewed.post("/api/me/leave", json!({})).await.status, 204);
    assert_eq!(roles(&bob).await, json!([["Bob", "owner"]]));
}

#[tokio::test]
async fn a_changed_password_ends_all_other_browsers() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let other = stack.login().await;
    let body = |current: &str| json!({"current": current, "password": "another horse"});
    let wrong = put(&ada, "/api/me/password", body("a wrong guess")).await;
    assert_eq!(wrong.error(), (403, "wrong_password", Some("current")));

    let request = ada.request(Method::PUT, "/api/me/password");
    let changed = request.json(&body(PASSWORD)).send().await.unwrap();
    assert_eq!(changed.status(), 204);
    let cookie = changed.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax;"), "{cookie}");
    let renewed = Person {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        ..ada.clone()
    };

    assert_eq!(other.get("/api/me").await.status, 401);
    assert_eq!(renewed.get("/api/me").await.status, 200);
    let browsers = renewed.get("/api/me/browsers").await.body;
    assert_eq!(browsers.as_array().unwrap().len(), 1);
    assert_eq!(browsers[0]["this"], true);
}

#[tokio::test]
async fn an_owners_link_gives_a_new_password() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let bob = stack.bob(&ada, "guest").await;
    let mut socket = Socket::open(&bob).await;
    let path = format!("/api/team/people/{}/reset", bob.id);
    let link = ada.post(&path, json!({})).await;
    assert_eq!(link.status, 201, "{link:?}");
    let secret = link.body["secret"].as_str().unwrap();
    assert_eq!(link.body["link"], format!("{}/reset#{secret}", stack.base));
    let look = post(&stack, "/api/reset/look", json!({"secret": secret})).await;
    assert_eq!(
        look.body,
        json!({"name": "Bob", "email": "bob@example.org"})
    );

    let reset = json!({"secret": secret, "password": "another horse"});
    let done = stack.post("/api/reset", reset.clone()).await;
    assert_eq!(done.status(), 200);
    let back = stack.person(done).await;

    assert_eq!(back.id, bob.id);
    assert_eq!(socket.closed().await, Some(Close::SignedOut));
    assert_eq!(
        post(&stack, "/api/reset", reset).await.error(),
        (410, "link_over", Some("secret"))
    );
    let nobody = "0190a0b0c0d07e0f8a1b2c3d4e5f6071";
    for path in [
        format!("/api/team/people/{nobody}/reset"),
        "/api/team/people/odd/reset".into(),
    ] {
        assert_eq!(
            ada.post(&path, json!({})).await.error(),
            (404, "no_person", None)
        );
    }
}

#[tokio::test]
async fn guests_reach_their_sessions_and_nothing_else() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _runner) = stack.runner().await;
    let (one, two) = (ada.open(workspace).await, ada.open(workspace).await);
    let bob = stack.bob(&ada, "guest").await;
    let add = json!({"type": "set_member", "user": bob.id, "name": "Robert", "role": "commenter"});
    assert_eq!(ada.command(one, add).await.status, 200);

    let seen = bob.get(&format!("/api/sessions/{one}")).await;
    assert_eq!(seen.status, 200);
    assert_eq!(
        bob.get(&format!("/api/sessions/{two}")).await.error().0,
        404
    );
    let say = json!({"type": "post_message", "text": "hello", "delivery": "queue"});
    assert_eq!(bob.command(one, say).await.status, 200);
    for path in [
        "/api/workspaces",
        "/api/models",
        "/api/costs",
        "/api/team/people",
        "/api/team/budget",
        "/metrics",
    ] {
        assert_eq!(bob.get(path).await.error(), (403, "guest", None), "{path}");
    }
    let opened = bob
        .post("/api/sessions", json!({"workspace": workspace}))
        .await;
    assert_eq!(opened.error(), (403, "guest", None));
    let asked = bob
        .post("/api/workspaces", json!({"path": "/srv/known"}))
        .await;
    assert_eq!(asked.error(), (403, "guest", None));
    let invited = bob
        .post("/api/team/invitations", json!({"role": "owner"}))
        .await;
    assert_eq!(invited.error(), (403, "not_the_owner", None));
}

#[tokio::test]
async fn only_people_of_the_team_are_let_into_its_sessions_and_under_their_own_name() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _runner) = stack.runner().await;
    let session = ada.open(workspace).await;
    let bob = stack.bob(&ada, "member").await;
    let add =
        |user: Value| json!({"type": "set_member", "user": user, "name": "Ada", "role": "driver"});

    let nobody = ada
        .command(session, add(json!("0190a0b0c0d07e0f8a1b2c3d4e5f6071")))
        .await;
    assert_eq!(nobody.error(), (422, "no_person", Some("user")));
    // A stranger to the session learns nothing of who there is.
    assert_eq!(
        bob.command(session, add(json!(bob.id))).await.error().0,
        404
    );
    assert_eq!(ada.command(session, add(json!(bob.id))).await.status, 200);
    let members =
        ada.get(&format!("/api/sessions/{session}")).await.body["session"]["members"].clone();
    assert_eq!(
        members[bob.id.to_string()],
        json!({"name": "Bob", "role": "driver"})
    );

    let eve = stack.joins(&ada, "Eve", "member").await;
    let path = format!("/api/team/people/{}/disabled", eve.id);
    put(&ada, &path, json!({"disabled": true})).await;
    let gone = ada.command(session, add(json!(eve.id))).await;
    assert_eq!(gone.error(), (422, "no_person", Some("user")));
}

#[tokio::test]
async fn people_and_teams_are_called_what_they_want() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    assert_eq!(
        put(&ada, "/api/me/name", json!({"name": "Ada L."}))
            .await
            .status,
        204
    );
    assert_eq!(
        put(&ada, "/api/team/name", json!({"name": "Engines"}))
            .await
            .status,
        204
    );
    let me = ada.get("/api/me").await.body;
    assert_eq!(
        (&me["name"], &me["team"]),
        (&json!("Ada L."), &json!("Engines"))
    );
    let empty = put(&ada, "/api/me/name", json!({"name": " "})).await;
    assert_eq!(empty.error(), (422, "invalid_name", Some("name")));
}

#[tokio::test]
async fn a_person_signs_out_their_other_browsers() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (other, third) = (stack.login().await, stack.login().await);
    let mut socket = Socket::open(&other).await;
    let browsers = other.get("/api/me/browsers").await.body;
    let own = browsers
        .as_array()
        .unwrap()
        .iter()
        .find(|b| b["this"] == true)
        .unwrap();
    let path = format!("/api/me/browsers/{}", own["id"].as_str().unwrap());
    assert_eq!(delete(&ada, &path).await.status, 204);
    assert_eq!(socket.closed().await, Some(Close::SignedOut));
    assert_eq!(delete(&ada, "/api/me/browsers").await.status, 204);
    assert_eq!(third.get("/api/me").await.status, 401);
    assert_eq!(ada.get("/api/me").await.status, 200);
}
