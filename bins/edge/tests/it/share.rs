//! Links to sessions, and who comes by them.

use crate::feed::Socket;
use crate::stack::{Answer, BOB, Person, Stack, said};
use duplex_domain::{Event, Lane, Role, SessionId, UserId};
use duplex_eventlog::Address;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// A stranger's browser.
fn browser(stack: &Stack) -> Person {
    Person {
        id: UserId::default(),
        cookie: String::new(),
        base: stack.base.clone(),
        http: stack.http.clone(),
    }
}

async fn link(ada: &Person, session: SessionId, wish: Value) -> (String, String) {
    let links = format!("/api/sessions/{session}/links");
    let made = ada.post(&links, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let url = made.body["url"].as_str().unwrap();
    let (page, secret) = url.split_once('#').unwrap();
    assert_eq!(page, format!("{}/share", ada.base));
    let id = made.body["link"]["id"].as_str().unwrap();
    (id.to_owned(), secret.to_owned())
}

/// Takes a link up in a browser that is nobody's yet.
async fn comes(stack: &Stack, secret: &str, name: &str) -> Result<Person, Answer> {
    let body = json!({"secret": secret, "name": name});
    let response = stack.post("/api/share", body).await;
    let cookies = response.headers().get_all("set-cookie");
    let cookies: Vec<String> = cookies
        .iter()
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect();
    let answer = Answer::of(response).await;
    if answer.status != 200 {
        return Err(answer);
    }
    let visit = cookies
        .iter()
        .find(|cookie| cookie.starts_with("duplex_visit="));
    let cookie = visit.unwrap().split(';').next().unwrap().to_owned();
    let mut person = Person {
        cookie,
        ..browser(stack)
    };
    let me = person.get("/api/me").await;
    person.id = me.body["id"].as_str().unwrap().parse().unwrap();
    Ok(person)
}

#[tokio::test]
async fn a_visitor_sees_one_session_and_may_do_what_the_link_says() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let (session, other) = (ada.open(workspace).await, ada.open(workspace).await);
    let (_, secret) = link(&ada, session, json!({"role": "commenter", "hours": 2})).await;

    let look = stack.post("/api/share/look", json!({"secret": secret}));
    let offer = Answer::of(look.await).await.body;
    assert_eq!(
        (&offer["by"], &offer["role"], &offer["past"], &offer["you"]),
        (
            &json!("Ada"),
            &json!("commenter"),
            &json!(false),
            &Value::Null
        )
    );
    let nameless = comes(&stack, &secret, " ").await.unwrap_err();
    assert_eq!(nameless.error(), (422, "invalid_name", Some("name")));
    let eve = comes(&stack, &secret, "Ada").await.unwrap();

    // She cannot be taken for the person whose name she chose.
    let view = eve.get(&format!("/api/sessions/{session}")).await;
    let member = &view.body["session"]["members"][eve.id.to_string()];
    assert_eq!(
        member,
        &json!({"name": "Ada (visitor)", "role": "commenter"})
    );
    let say = json!({"type": "post_message", "text": "hello"});
    assert_eq!(eve.command(session, say).await.status, 200);
    let interrupt = eve.command(session, json!({"type": "interrupt"})).await;
    assert_eq!(interrupt.error(), (403, "role_too_small", None));

    let not_hers = eve.get(&format!("/api/sessions/{other}")).await;
    assert_eq!(not_hers.error(), (404, "not_found", None));
    for elsewhere in [
        "/api/sessions",
        "/api/workspaces",
        "/api/models",
        "/api/costs",
        "/api/team/budget",
    ] {
        let refused = eve.get(elsewhere).await;
        assert_eq!(refused.error(), (403, "visitor", None), "{elsewhere}");
    }
    let links = eve.get(&format!("/api/sessions/{session}/links")).await;
    assert_eq!(links.error(), (403, "visitor", None));
    let known = ada
        .get(&format!("/api/sessions/{session}/links"))
        .await
        .body;
    assert_eq!(
        (&known[0]["uses"], &known[0]["works"]),
        (&json!(1), &json!(true))
    );
    assert!(!known.to_string().contains(&secret));
}

#[tokio::test]
async fn a_link_taken_back_shuts_its_visitors_out_at_once() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let (id, secret) = link(&ada, session, json!({"role": "driver", "hours": 2})).await;
    let eve = comes(&stack, &secret, "Eve").await.unwrap();
    let mut socket = Socket::watching(&eve, session).await;

    let path = format!("/api/sessions/{session}/links/{id}");
    let revoked = ada.request(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    // Not even the frame that says so.
    assert_eq!(socket.refused().await.1, "not_found");
    let gone = eve.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(gone.error(), (401, "signed_out", None));
    let again = comes(&stack, &secret, "Eve").await.unwrap_err();
    assert_eq!(again.error(), (404, "no_link", None));
    let members = ada.get(&format!("/api/sessions/{session}")).await.body;
    let members = members["session"]["members"].as_object().unwrap().len();
    assert_eq!(members, 1);
    let unknown = ada.request(Method::DELETE, &format!("{path}0")).send();
    assert_eq!(unknown.await.unwrap().status(), 404);
}

#[tokio::test]
async fn of_many_who_come_at_once_no_more_get_in_than_the_link_is_for() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let wish = json!({"role": "viewer", "hours": 2, "uses": 2});
    let (_, secret) = link(&ada, session, wish).await;
    let crowd = join_all((0..6).map(|_| comes(&stack, &secret, "Eve"))).await;
    let (inside, outside): (Vec<_>, Vec<_>) = crowd.into_iter().partition(Result::is_ok);
    assert_eq!((inside.len(), outside.len()), (2, 4));
    // Used up, it still holds for who used it.
    let eve = inside[0].as_ref().unwrap();
    let view = eve.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(view.status, 200);
}

#[tokio::test]
async fn when_a_link_expires_its_visitors_are_members_no_more() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let (_, secret) = link(&ada, session, json!({"role": "viewer", "hours": 1})).await;
    let eve = comes(&stack, &secret, "Eve").await.unwrap();
    stack
        .sql("UPDATE account.share_link SET expires_at = now()")
        .await;
    let gone = eve.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(gone.error(), (401, "signed_out", None));
    let mut socket = Socket::open(&ada).await;
    socket.watch(session, None).await;
    let mut picture = socket.snapshot().await;
    socket
        .folds_until(&mut picture, |picture| picture.session.members.len() == 1)
        .await;
}

#[tokio::test]
async fn a_link_is_as_good_as_the_right_of_who_made_it() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let (_, secret) = link(&ada, session, json!({"role": "viewer", "hours": 1})).await;
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    let team = view["session"]["team"].as_str().unwrap().parse().unwrap();
    let fact = view["session"]["fact"].as_u64().unwrap();
    let address = Address { team, session };
    let (user, name, role) = (BOB, "Bob".to_owned(), Role::Owner);
    let bob = said(Event::MemberSet { user, name, role });
    let user = ada.id;
    let gone = said(Event::MemberRemoved { user });
    let fact = duplex_domain::Seq(fact);
    let events = [bob, gone];
    let appended = stack
        .log
        .append(&address, Lane::Fact, fact, "gone", &events);
    appended.await.unwrap();

    let refused = comes(&stack, &secret, "Eve").await.unwrap_err();
    assert_eq!(refused.error(), (404, "no_link", None));
}

#[tokio::test]
async fn a_link_to_the_past_shows_that_stretch_and_nothing_after_it() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let say = |text: &str| json!({"type": "post_message", "text": text});
    let first = ada.command(session, say("first")).await.body["seq"].clone();
    ada.command(session, say("second")).await;
    let renamed = json!({"type": "rename", "title": "Later"});
    ada.command(session, renamed).await;

    let links = format!("/api/sessions/{session}/links");
    let wish = |role: &str, last: Value| json!({"role": role, "hours": 1, "span": {"first": 1, "last": last}});
    let driver = ada.post(&links, wish("driver", first.clone())).await;
    assert_eq!(driver.error(), (422, "bad_role", Some("role")));
    let future = ada.post(&links, wish("viewer", json!(1_000_000))).await;
    assert_eq!(future.error(), (422, "bad_span", Some("span")));
    let (_, secret) = link(&ada, session, wish("viewer", first)).await;

    let eve = comes(&stack, &secret, "Eve").await.unwrap();
    let past = eve.get("/api/share/past").await;
    assert_eq!(past.body["title"], "first");
    assert!(!past.body.to_string().contains("second"), "{past:?}");
    let live = eve.get(&format!("/api/sessions/{session}")).await;
    assert_eq!(live.error(), (404, "not_found", None));
    let events = eve.get(&format!("/api/sessions/{session}/events")).await;
    assert_eq!(events.error(), (404, "not_found", None));
}

#[tokio::test]
async fn who_is_signed_in_comes_as_themselves_and_loses_no_rights() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let (_, secret) = link(&ada, session, json!({"role": "viewer", "hours": 1})).await;
    let offer = ada.post("/api/share/look", json!({"secret": secret})).await;
    assert_eq!(offer.body["you"], "Ada");
    let taken = ada.post("/api/share", json!({"secret": secret})).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    assert_eq!(
        view["session"]["members"][ada.id.to_string()]["role"],
        "owner"
    );
    let links = ada
        .get(&format!("/api/sessions/{session}/links"))
        .await
        .body;
    assert_eq!(links[0]["uses"], 0);
}

#[tokio::test]
async fn links_are_made_by_owners_within_bounds() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let links = format!("/api/sessions/{session}/links");
    for (wish, error) in [
        (
            json!({"role": "owner", "hours": 1}),
            (422, "bad_role", Some("role")),
        ),
        (
            json!({"role": "king", "hours": 1}),
            (422, "bad_role", Some("role")),
        ),
        (
            json!({"role": "viewer", "hours": 0}),
            (422, "bad_hours", Some("hours")),
        ),
        (
            json!({"role": "viewer", "hours": 721}),
            (422, "bad_hours", Some("hours")),
        ),
        (
            json!({"role": "viewer", "hours": 1, "uses": 0}),
            (422, "bad_uses", Some("uses")),
        ),
        (
            json!({"role": "viewer", "hours": 1, "note": "x".repeat(101)}),
            (422, "bad_note", Some("note")),
        ),
    ] {
        let refused = ada.post(&links, wish.clone()).await;
        assert_eq!(refused.error(), error, "{wish}");
    }
    let (_, secret) = link(&ada, session, json!({"role": "driver", "hours": 1})).await;
    let eve = comes(&stack, &secret, "Eve").await.unwrap();
    let refused = eve
        .post(&links, json!({"role": "viewer", "hours": 1}))
        .await;
    assert_eq!(refused.error(), (403, "visitor", None));
}
