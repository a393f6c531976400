//! Opening, reading and commanding sessions over HTTP.

use crate::stack::{Stack, said};
use duplex_domain::{Event, Lane, Role};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_session_opens_on_a_workspace_with_its_first_message() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;

    let body = json!({"workspace": workspace, "title": "Fix it", "model": "demo", "mode": "plan",
        "message": "Please."});
    let created = ada.post("/api/sessions", body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.body["id"].as_str().unwrap();

    let view = ada.get(&format!("/api/sessions/{id}")).await.body;
    assert_eq!(view["seq"], created.body["seq"]);
    let session = &view["session"];
    let shown = json!({
        "title": session["title"], "state": session["state"], "agent": session["agent"],
        "model": session["model"], "path": session["path"], "ended_at": session["ended_at"],
        "queue": session["queue"][0]["text"], "cost": session["cost"], "mode": session["mode"],
    });
    let expected = json!({
        "title": "Fix it", "state": "active", "agent": "duplex", "model": "demo", "path": "/srv/known",
        "ended_at": null, "queue": "Please.", "cost": {"pico": 0, "unpriced": 0}, "mode": "plan",
    });
    assert_eq!(shown, expected);
    assert_eq!(
        ada.get(&format!("/api/sessions/{id}/items")).await.body,
        json!({"items": []})
    );
}

#[tokio::test]
async fn a_session_that_cannot_run_is_not_opened() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let nobody = ada
        .post("/api/sessions", json!({"workspace": "/srv/any"}))
        .await;
    assert_eq!(nobody.error(), (503, "no_runner", None));

    let (workspace, _runner) = stack.runner().await;
    let unknown = Uuid::now_v7().as_simple().to_string();
    let long = "x".repeat(300 * 1024);
    let cases = [
        (json!({}), (422, "missing_field", Some("workspace"))),
        (
            json!({"workspace": workspace, "mode": "yolo"}),
            (422, "bad_mode", Some("mode")),
        ),
        (
            json!({"workspace": "relative/path"}),
            (422, "bad_path", Some("workspace")),
        ),
        (
            json!({"workspace": unknown}),
            (422, "unknown_workspace", Some("workspace")),
        ),
        (
            json!({"workspace": "/srv/bad"}),
            (422, "no_repository", Some("workspace")),
        ),
        (
            json!({"workspace": workspace, "agent": "other"}),
            (422, "unknown_agent", Some("agent")),
        ),
        (
            json!({"workspace": workspace, "model": "nonsense"}),
            (422, "unknown_model", Some("model")),
        ),
        (
            json!({"workspace": workspace, "model": "costly"}),
            (422, "model_unavailable", Some("model")),
        ),
        (
            json!({"workspace": workspace, "title": "a\u{7}b"}),
            (422, "bad_title", Some("title")),
        ),
        (
            json!({"workspace": workspace, "message": " "}),
            (422, "empty", Some("message")),
        ),
        (
            json!({"workspace": workspace, "message": long}),
            (413, "too_long", Some("message")),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(ada.post("/api/sessions", body).await.error(), expected);
    }
}

#[tokio::test]
async fn people_see_which_workspaces_and_models_there_are() {
    let stack = Stack::start().await;
    let (_, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let refused = ada
        .post("/api/workspaces", json!({"path": "/srv/bad"}))
        .await;
    assert_eq!(refused.error(), (422, "no_repository", Some("path")));
    let served = ada
        .post("/api/workspaces", json!({"path": "/srv/new"}))
        .await;
    assert_eq!(
        (served.status, &served.body["name"], &served.body["state"]),
        (201, &json!("new"), &json!("ready"))
    );
    let models = ada.get("/api/models").await.body;
    assert_eq!(models[0]["why_not"], "set a key first");
    let price =
        json!({"input": 5, "output": 25, "cache_write": 6, "cache_write_1h": 10, "cache_read": 1});
    assert_eq!(models[0]["price"], price);
    assert_eq!(
        models[1],
        json!({"id": "demo", "label": "DEMO", "provider": "demo", "available": true,
            "context": 1_000_000, "max_output": 128_000})
    );
}

#[tokio::test]
async fn a_strangers_session_does_not_exist() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, _, _) = stack.foreign_session(&[]).await;
    let unknown = Uuid::now_v7().as_simple().to_string();
    for id in [session.to_string(), unknown, "no-id".to_owned()] {
        let body = format!("/bodies/{}", "a".repeat(64));
        for path in ["", "/items", "/events", body.as_str()] {
            let answer = ada.get(&format!("/api/sessions/{id}{path}")).await;
            assert_eq!(answer.error(), (404, "not_found", None), "{path} of {id}");
        }
        for command in [
            json!({"type": "end"}),
            json!({"type": "choose_model", "model": "x"}),
        ] {
            let body = json!({"command": command});
            let answer = ada
                .post(&format!("/api/sessions/{id}/commands"), body)
                .await;
            assert_eq!(
                answer.error(),
                (404, "not_found", None),
                "a command to {id}"
            );
        }
    }
}

#[tokio::test]
async fn a_command_is_done_once_and_seen_at_once() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let path = format!("/api/sessions/{session}/commands");
    let body = json!({
        "id": Uuid::now_v7().as_simple().to_string(),
        "command": {"type": "post_message", "text": "Hello"},
    });
    let first = ada.post(&path, body.clone()).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(ada.post(&path, body).await, first);
    let view = ada.get(&format!("/api/sessions/{session}")).await.body;
    assert_eq!(view["session"]["queue"].as_array().unwrap().len(), 1);
    assert_eq!(view["session"]["title"], "Hello");

    let ended = ada.command(session, json!({"type": "end"})).await;
    assert_eq!(ada.command(session, json!({"type": "end"})).await, ended);
    let over = ada
        .command(session, json!({"type": "post_message", "text": "More"}))
        .await;
    assert_eq!(over.error(), (409, "session_ended", None));
    assert_eq!(
        ada.command(session, json!({"type": "reopen"})).await.status,
        200
    );
}

#[tokio::test]
async fn bad_commands_are_refused_with_a_word() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    let long = "x".repeat(257 * 1024);
    let nowhere = Uuid::now_v7().as_simple().to_string();
    let cases = [
        (
            json!({"type": "dance"}),
            (422, "unknown_type", Some("type")),
        ),
        (
            json!({"type": "post_message"}),
            (422, "missing_field", Some("text")),
        ),
        (
            json!({"type": "post_message", "text": ""}),
            (422, "empty", Some("text")),
        ),
        (
            json!({"type": "post_message", "text": long}),
            (413, "too_long", Some("text")),
        ),
        (
            json!({"type": "rename", "title": ""}),
            (422, "bad_title", Some("title")),
        ),
        (
            json!({"type": "choose_model", "model": "x"}),
            (422, "unknown_model", Some("model")),
        ),
        (
            json!({"type": "type", "terminal": nowhere, "data": "bHM="}),
            (409, "no_terminal", None),
        ),
    ];
    for (command, expected) in cases {
        assert_eq!(ada.command(session, command).await.error(), expected);
    }
    let body = json!({"id": "7", "command": {"type": "end"}});
    let answer = ada
        .post(&format!("/api/sessions/{session}/commands"), body)
        .await;
    assert_eq!(answer.error(), (422, "bad_id", Some("id")));
}

#[tokio::test]
async fn a_guest_does_what_the_role_allows() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (session, address, seq) = stack.foreign_session(&[(ada.id, Role::Viewer)]).await;
    let path = format!("/api/sessions/{session}");
    assert_eq!(ada.get(&path).await.status, 200);
    let post = json!({"type": "post_message", "text": "May I?"});
    assert_eq!(
        ada.command(session, post).await.error(),
        (403, "role_too_small", None)
    );
    assert_eq!(
        ada.get(&format!("{path}/events?lanes=input")).await.error(),
        (422, "bad_lanes", Some("lanes"))
    );

    let removed = [said(Event::MemberRemoved { user: ada.id })];
    stack
        .log
        .append(&address, Lane::Fact, seq, "removed", &removed)
        .await
        .unwrap();
    let gone = async { while ada.get(&path).await.status != 404 {} };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_kept_for_a_session_is_for_its_people_alone() {
    let stack = Stack::start().await;
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let created = ada
        .post(
            "/api/sessions",
            json!({"workspace": workspace, "model": "demo"}),
        )
        .await;
    let own = created.body["id"].as_str().unwrap().to_owned();
    let (foreign, _, _) = stack.foreign_session(&[]).await;
    let png: bytes::Bytes = b"\x89PNG\r\n\x1a\n".as_slice().into();
    let kept = stack
        .log
        .put_body(own.parse().unwrap(), png.clone(), "text/html");
    let hash = kept.await.unwrap().hash;
    stack
        .log
        .put_body(foreign, png.clone(), "image/png")
        .await
        .unwrap();

    let get = |session: String, hash: String| {
        let address = format!("{}/api/sessions/{session}/bodies/{hash}", stack.base);
        stack.http.get(address).header("cookie", &ada.cookie).send()
    };
    let shown = get(own.clone(), hash.clone()).await.unwrap();

    assert_eq!(shown.status(), 200);
    assert_eq!(shown.headers()["content-type"], "image/png");
    assert_eq!(shown.headers()["x-content-type-options"], "nosniff");
    assert!(
        shown.headers()["cache-control"]
            .to_str()
            .unwrap()
            .starts_with("private")
    );
    assert_eq!(shown.bytes().await.unwrap(), png);
    let nothing = get(own, "b".repeat(64)).await.unwrap();
    assert_eq!(nothing.status(), 404);
    let foreign = get(foreign.to_string(), hash).await.unwrap();
    assert_eq!(foreign.status(), 404);
}
