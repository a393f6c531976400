//! Steering an agent, over HTTP and over the socket: the same commands, the same answers.

use crate::feed::{Socket, put_out};
use crate::stack::{PATIENCE, Person, Stack};
use duplex_domain::{
    CallId, ChangeSize, EndReason, Envelope, Event, Lane, Preview, Role, RunnerId, Seq, SessionId,
    ToolKind, TurnId,
};
use duplex_eventlog::Address;
use duplex_wire::Down;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const TURN: TurnId = TurnId(Uuid::from_u128(0x70));

/// A way to send commands; tells the code of a refusal.
enum Door {
    Http(Person),
    Socket(Box<Socket>),
}

/// A session of Bob's in which Ada may do everything, with what a runner says in it.
struct Scene {
    stack: Stack,
    ada: Person,
    door: Door,
    session: SessionId,
    address: Address,
}

impl Scene {
    async fn new(over_socket: bool) -> Self {
        // Large on the stack of every test that waits for it otherwise.
        let stack = Box::pin(Stack::start()).await;
        let ada = stack.ada().await;
        let (session, address, _) = stack.foreign_session(&[(ada.id, Role::Owner)]).await;
        let door = if over_socket {
            Door::Socket(Box::new(Socket::open(&ada).await))
        } else {
            Door::Http(ada.clone())
        };
        Self {
            stack,
            ada,
            door,
            session,
            address,
        }
    }

    async fn state(&self) -> Value {
        let view = self
            .ada
            .get(&format!("/api/sessions/{}", self.session))
            .await;
        view.body["session"].clone()
    }

    /// Puts facts of the runner into the log.
    async fn runs(&self, events: Vec<Event>) {
        let guard = Seq(self.state().await["fact"].as_u64().unwrap());
        let envelope = |event| Envelope {
            turn: Some(TURN),
            ..put_out(event)
        };
        let events: Vec<Envelope> = events.into_iter().map(envelope).collect();
        let name = Uuid::now_v7().to_string();
        let log = &self.stack.log;
        let appended = log.append(&self.address, Lane::Fact, guard, &name, &events);
        let seq = appended.await.unwrap();
        // The edge has taken it in once it shows it.
        let shown = async { while self.state().await["fact"].as_u64() < Some(seq.0) {} };
        tokio::time::timeout(PATIENCE, shown).await.unwrap();
    }

    /// The command's id, and the code of its refusal.
    async fn send(&mut self, command: Value) -> (String, Result<(), String>) {
        match &mut self.door {
            Door::Http(person) => {
                let id = Uuid::now_v7().as_simple().to_string();
                let path = format!("/api/sessions/{}/commands", self.session);
                let body = json!({"id": id, "command": command});
                let answer = person.post(&path, body).await;
                let outcome = match answer.status {
                    200 => Ok(()),
                    _ => Err(answer.error().1.to_owned()),
                };
                (id, outcome)
            }
            Door::Socket(socket) => {
                let id = socket.command(self.session, command).await;
                let outcome = match socket.down().await {
                    Down::Accepted { id: of, .. } if of == id => Ok(()),
                    Down::Refused { id: of, code, .. } if of == id => Err(code),
                    other => panic!("no answer to {id}: {other:?}"),
                };
                (id, outcome)
            }
        }
    }

    async fn does(&mut self, command: Value) -> String {
        let (id, outcome) = self.send(command.clone()).await;
        assert_eq!(outcome, Ok(()), "{command}");
        id
    }

    async fn refused(&mut self, command: Value, code: &str) {
        let (_, outcome) = self.send(command.clone()).await;
        assert_eq!(outcome, Err(code.to_owned()), "{command}");
    }
}

fn asks(call: &str) -> Event {
    Event::ApprovalRequested {
        call: CallId(call.into()),
        name: "bash".into(),
        tool: ToolKind::Run,
        preview: Preview::Run {
            argv: vec!["git".into(), "status".into()],
            cwd: "/w".into(),
        },
        rule: "bash(git *)".into(),
        people: 1,
    }
}

fn claimed() -> Event {
    Event::Claimed {
        runner: RunnerId::default(),
        sandbox: "bubblewrap".into(),
    }
}

fn started() -> Event {
    Event::TurnStarted {
        messages: vec![],
        model: "demo".into(),
        again: None,
    }
}

fn ended(reason: EndReason) -> Event {
    Event::TurnEnded {
        reason,
        problem: None,
    }
}

fn no_change() -> ChangeSize {
    ChangeSize {
        files: 0,
        added: 0,
        removed: 0,
        body: None,
    }
}

async fn answers_decide_once(over_socket: bool) {
    let mut scene = Scene::new(over_socket).await;
    scene.runs(vec![claimed()]).await;
    let calls = vec![started(), asks("one"), asks("two"), asks("three")];
    scene.runs(calls).await;

    let allow = |call: &str| json!({"type": "decide", "call": call, "verdict": "allow"});
    scene.refused(allow("none"), "not_pending").await;
    scene.does(allow("one")).await;
    scene.refused(allow("one"), "not_pending").await;
    let always = |rule: &str| json!({"type": "decide", "call": "two", "verdict": "allow_always", "rule": rule});
    scene.refused(always("bash("), "bad_rule").await;
    scene.does(always("bash(git *)")).await;
    let deny = |reason: &str| json!({"type": "decide", "call": "three", "verdict": "deny", "reason": reason});
    scene.refused(deny(&"x".repeat(5000)), "too_long").await;
    scene.does(deny("not today")).await;
    scene
        .does(json!({"type": "add_rule", "rule": "write(src/*)"}))
        .await;
    scene
        .does(json!({"type": "remove_rule", "rule": "write(src/*)"}))
        .await;
    scene
        .refused(json!({"type": "add_rule", "rule": ""}), "bad_rule")
        .await;
    scene
        .does(json!({"type": "choose_mode", "mode": "plan"}))
        .await;

    let state = scene.state().await;
    let found = (&state["approvals"], &state["rules"], &state["mode"]);
    assert_eq!(found, (&json!({}), &json!(["bash(git *)"]), &json!("plan")));
}

async fn the_queue_can_be_put_in_order(over_socket: bool) {
    let mut scene = Scene::new(over_socket).await;
    scene.runs(vec![claimed()]).await;
    scene.runs(vec![started()]).await;
    let post = |text: &str, delivery: &str| json!({"type": "post_message", "text": text, "delivery": delivery});
    let now = scene.does(post("now", "steer")).await;
    let later = scene.does(post("later", "queue")).await;
    let gone = scene.does(post("gone", "queue")).await;
    scene
        .does(json!({"type": "move_message", "message": later, "before": now}))
        .await;
    scene
        .does(json!({"type": "choose_delivery", "message": later, "delivery": "steer"}))
        .await;
    scene
        .does(json!({"type": "edit_message", "message": now, "text": "right now"}))
        .await;
    scene
        .does(json!({"type": "withdraw_message", "message": gone}))
        .await;
    let nowhere = json!({"type": "choose_delivery", "message": gone, "delivery": "queue"});
    scene.refused(nowhere, "not_queued").await;

    let state = scene.state().await;
    let queue = state["queue"].as_array().unwrap().iter();
    let queue: Vec<Value> = queue
        .map(|queued| json!([queued["text"], queued["delivery"]]))
        .collect();
    assert_eq!(
        queue,
        [json!(["later", "steer"]), json!(["right now", "steer"])]
    );
}

async fn a_turn_can_be_run_again_and_money_runs_out(over_socket: bool) {
    let mut scene = Scene::new(over_socket).await;
    let retry = || json!({"type": "again", "again": "retry"});
    scene.refused(retry(), "nothing_again").await;
    scene
        .refused(json!({"type": "compact"}), "nothing_again")
        .await;
    scene.runs(vec![claimed()]).await;
    scene.runs(vec![started()]).await;
    scene.refused(retry(), "busy").await;
    scene
        .refused(json!({"type": "commit", "message": "all of it"}), "busy")
        .await;
    scene.does(json!({"type": "compact"})).await;
    scene.runs(vec![ended(EndReason::Error)]).await;
    scene.does(retry()).await;
    scene.does(json!({"type": "set_budget", "pico": 0})).await;
    scene
        .refused(json!({"type": "again", "again": "continue"}), "budget")
        .await;
    scene
        .refused(json!({"type": "post_message", "text": "more"}), "budget")
        .await;
    scene.does(json!({"type": "set_budget"})).await;
    scene
        .does(json!({"type": "set_budget", "pico": null}))
        .await;
    scene
        .does(json!({"type": "again", "again": "continue"}))
        .await;

    let state = scene.state().await;
    let found = (&state["again"], &state["compacting"], &state["budget"]);
    assert_eq!(found, (&json!("continue"), &json!(true), &Value::Null));
}

async fn files_are_put_back_after_a_look(over_socket: bool) {
    let mut scene = Scene::new(over_socket).await;
    let taken = Event::CheckpointTaken {
        number: 0,
        commit: "c0".into(),
        change: no_change(),
        since_start: no_change(),
    };
    scene.runs(vec![claimed()]).await;
    scene.runs(vec![taken]).await;
    let look = |checkpoint: u32| json!({"type": "restore", "checkpoint": checkpoint});
    let confirm = |tree: &str| json!({"type": "restore", "checkpoint": 0, "tree": tree});
    let prepared = |conflicts: Vec<String>| Event::RestorePrepared {
        checkpoint: 0,
        tree: "t1".into(),
        change: no_change(),
        conflicts,
    };
    scene.refused(look(9), "no_checkpoint").await;
    scene.refused(confirm("t1"), "not_prepared").await;
    scene.does(look(0)).await;
    scene.runs(vec![prepared(vec!["a.txt".into()])]).await;
    scene.refused(confirm("t1"), "conflicts").await;
    scene.does(json!({"type": "cancel_restore"})).await;
    scene.does(look(0)).await;
    scene.runs(vec![prepared(vec![])]).await;
    scene.refused(confirm("t0"), "not_prepared").await;
    scene.does(confirm("t1")).await;
    scene.refused(look(0), "busy").await;
    scene
        .refused(json!({"type": "commit", "message": " "}), "empty")
        .await;
    scene
        .does(json!({"type": "commit", "message": "all of it"}))
        .await;

    let state = scene.state().await;
    let found = (&state["restore"]["stage"], &state["committing"]["message"]);
    assert_eq!(found, (&json!("confirmed"), &json!("all of it")));
}

#[tokio::test]
async fn answers_over_http_decide_once() {
    answers_decide_once(false).await;
}

#[tokio::test]
async fn answers_over_the_socket_decide_once() {
    answers_decide_once(true).await;
}

#[tokio::test]
async fn the_queue_can_be_put_in_order_over_http() {
    the_queue_can_be_put_in_order(false).await;
}

#[tokio::test]
async fn the_queue_can_be_put_in_order_over_the_socket() {
    the_queue_can_be_put_in_order(true).await;
}

#[tokio::test]
async fn a_turn_can_be_run_again_over_http_until_money_runs_out() {
    a_turn_can_be_run_again_and_money_runs_out(false).await;
}

#[tokio::test]
async fn a_turn_can_be_run_again_over_the_socket_until_money_runs_out() {
    a_turn_can_be_run_again_and_money_runs_out(true).await;
}

#[tokio::test]
async fn files_are_put_back_over_http_after_a_look() {
    files_are_put_back_after_a_look(false).await;
}

#[tokio::test]
async fn files_are_put_back_over_the_socket_after_a_look() {
    files_are_put_back_after_a_look(true).await;
}

#[tokio::test]
async fn refusals_have_their_status_and_field() {
    let mut scene = Scene::new(false).await;
    let cases = [
        (
            json!({"type": "decide", "call": "c", "verdict": "allow"}),
            (409, "not_pending", None),
        ),
        (
            json!({"type": "decide", "call": "c", "verdict": "maybe"}),
            (422, "bad_verdict", Some("verdict")),
        ),
        (
            json!({"type": "choose_mode", "mode": "yolo"}),
            (422, "bad_mode", Some("mode")),
        ),
        (
            json!({"type": "add_rule", "rule": "a b"}),
            (422, "bad_rule", Some("rule")),
        ),
        (
            json!({"type": "again", "again": "retry"}),
            (409, "nothing_again", None),
        ),
        (
            json!({"type": "restore", "checkpoint": 3}),
            (404, "no_checkpoint", Some("checkpoint")),
        ),
        (
            json!({"type": "set_budget", "pico": -1}),
            (422, "bad_request", None),
        ),
    ];
    for (command, expected) in cases {
        let answer = scene.ada.command(scene.session, command).await;
        assert_eq!(answer.error(), expected);
    }
    scene.does(json!({"type": "set_budget", "pico": 0})).await;
    let spent = json!({"type": "post_message", "text": "more"});
    let answer = scene.ada.command(scene.session, spent).await;
    assert_eq!(answer.error(), (409, "budget", None));
    let listed = scene
        .ada
        .request(Method::GET, "/api/openapi.json")
        .send()
        .await
        .unwrap();
    assert!(listed.text().await.unwrap().contains("\"choose_delivery\""));
}
