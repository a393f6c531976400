//! What a team spends, and what happens once it has spent what it may. A real projector folds the costs.

use crate::stack::{Answer, PATIENCE, Person, Stack, said};
use duplex_domain::{Envelope, Event, Lane, Seq, SessionId, Time, Usage};
use duplex_eventlog::Address;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::process::{Child, Command};
use uuid::Uuid;

/// The projector as it is shipped; built with the other programs before tests run.
pub fn projector(stack: &Stack) -> Child {
    let test = std::env::current_exe().unwrap();
    let built: PathBuf = test.parent().unwrap().parent().unwrap().to_owned();
    Command::new(built.join("duplex-projector"))
        .args(["--nats-url", &stack.nats_url])
        .args(["--postgres-url", &stack.postgres_url])
        .kill_on_drop(true)
        .spawn()
        .expect("the projector is not built; run `cargo build -p duplex-projector`")
}

fn now() -> Time {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    Time(i64::try_from(since.as_millis()).unwrap())
}

/// A model call of this moment.
fn paid(pico: Option<u64>) -> Envelope {
    let usage = Usage {
        input: 100,
        output: 20,
        ..Usage::default()
    };
    Envelope {
        at: now(),
        ..said(Event::UsageRecorded {
            model: "demo".into(),
            usage,
            prices: None,
            pico,
            raw: None,
            finished: true,
        })
    }
}

/// Puts a model call into a session's log.
async fn pays(stack: &Stack, ada: &Person, session: SessionId, pico: Option<u64>) {
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    let team = view["session"]["team"].as_str().unwrap().parse().unwrap();
    let guard = Seq(view["session"]["fact"].as_u64().unwrap());
    let address = Address { team, session };
    let name = Uuid::now_v7().to_string();
    let events = [paid(pico)];
    let appended = stack
        .log
        .append(&address, Lane::Fact, guard, &name, &events);
    appended.await.unwrap();
}

async fn limit(person: &Person, body: Value) -> Answer {
    let request = person.request(Method::PUT, "/api/team/budget").json(&body);
    Answer::of(request.send().await.unwrap()).await
}

/// Asks until the answer is as it should be.
async fn until(person: &Person, path: &str, there: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        loop {
            let answer = person.get(path).await;
            if there(&answer.body) {
                return answer.body;
            }
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, asking).await;
    outcome.expect("it never came to be")
}

#[tokio::test]
async fn a_team_that_has_spent_its_money_starts_nothing_new() {
    let stack = Stack::start().await;
    let _projector = projector(&stack);
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let post = |text: &str| json!({"type": "post_message", "text": text});
    let id = Uuid::now_v7().as_simple().to_string();
    let before = json!({"id": id, "command": post("before")});
    let path = format!("/api/sessions/{session}/commands");
    assert_eq!(ada.post(&path, before.clone()).await.status, 200);

    let set = limit(&ada, json!({"pico": 1_000})).await;
    assert_eq!((set.status, &set.body["pico"]), (200, &json!(1_000)));
    pays(&stack, &ada, session, Some(800)).await;
    pays(&stack, &ada, session, None).await;
    let warned = |body: &Value| body["spent"] == json!({"pico": 800, "unpriced": 1});
    let budget = until(&ada, "/api/team/budget", warned).await;
    let month = budget["month"].as_str().unwrap();
    let expected = json!({"pico": 1_000, "month": month, "spent": {"pico": 800, "unpriced": 1},
        "warning": true, "reached": false, "may_set": true});
    assert_eq!(budget, expected);
    assert_eq!(ada.command(session, post("still")).await.status, 200);

    pays(&stack, &ada, session, Some(200)).await;
    until(&ada, "/api/team/budget", |body| body["reached"] == true).await;
    let costly = [
        post("no more"),
        json!({"type": "again", "again": "retry"}),
        json!({"type": "compact"}),
    ];
    for command in costly {
        let refused = ada.command(session, command).await;
        assert_eq!(refused.error(), (409, "team_budget", None));
    }
    let opening = json!({"workspace": workspace, "message": "nor here"});
    let refused = ada.post("/api/sessions", opening).await;
    assert_eq!(refused.error(), (409, "team_budget", None));
    // What costs nothing goes on, and what was accepted stays accepted.
    ada.open(workspace).await;
    let rename = json!({"type": "rename", "title": "dear"});
    assert_eq!(ada.command(session, rename).await.status, 200);
    assert_eq!(ada.post(&path, before).await.status, 200);

    assert_eq!(limit(&ada, json!({"pico": null})).await.status, 200);
    assert_eq!(ada.command(session, post("go on")).await.status, 200);
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    assert_eq!(view["session"]["queue"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn costs_add_up_over_sessions() {
    let stack = Stack::start().await;
    let _projector = projector(&stack);
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let (one, two) = (ada.open(workspace).await, ada.open(workspace).await);
    pays(&stack, &ada, one, Some(7)).await;
    pays(&stack, &ada, two, Some(30)).await;
    pays(&stack, &ada, two, None).await;

    let all = |body: &Value| body["total"]["calls"] == 3;
    let costs = until(&ada, "/api/costs?by=session", all).await;

    let usage = |calls: u64| {
        json!({"input": 100 * calls, "output": 20 * calls, "cache_write": 0,
            "cache_write_1h": 0, "cache_read": 0})
    };
    let expected = json!({
        "by": "session", "more": false,
        "rows": [
            {"key": two, "label": "", "calls": 2, "usage": usage(2), "cost": {"pico": 30, "unpriced": 1}},
            {"key": one, "label": "", "calls": 1, "usage": usage(1), "cost": {"pico": 7, "unpriced": 0}},
        ],
        "total": {"calls": 3, "usage": usage(3), "cost": {"pico": 37, "unpriced": 1}},
    });
    assert_eq!(costs, expected);
    // The stored total of each session is the same, to the last digit.
    let listed = ada.get("/api/sessions").await.body;
    let cost = |row: &Value| (row["id"].clone(), row["cost"].clone());
    let rows = listed["sessions"].as_array().unwrap();
    let rows: Vec<_> = rows.iter().map(cost).collect();
    let of = |pico: u64, unpriced: u64| json!({"pico": pico, "unpriced": unpriced});
    assert_eq!(rows, [(json!(two), of(30, 1)), (json!(one), of(7, 0))]);

    for by in ["person", "workspace", "model", "day"] {
        let costs = ada.get(&format!("/api/costs?by={by}")).await.body;
        assert_eq!(costs["rows"].as_array().unwrap().len(), 1, "{by}");
        assert_eq!(costs["rows"][0]["cost"], of(37, 1), "{by}");
    }
    let later = now().0 + 60_000;
    let later = ada.get(&format!("/api/costs?from={later}")).await.body;
    assert_eq!((&later["by"], &later["rows"]), (&json!("day"), &json!([])));
}

#[tokio::test]
async fn what_cannot_be_asked_of_the_costs_is_refused_by_its_field() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let refused = ada.get("/api/costs?by=mood").await;
    assert_eq!(refused.error(), (422, "bad_by", Some("by")));
    let refused = ada.get("/api/costs?from=yesterday").await;
    assert_eq!(refused.error(), (422, "bad_from", Some("from")));
    let forgotten = limit(&ada, json!({})).await;
    assert_eq!(forgotten.error(), (422, "missing_field", Some("pico")));
    let huge = limit(&ada, json!({"pico": u64::MAX})).await;
    assert_eq!(huge.error(), (422, "bad_budget", Some("pico")));
}
