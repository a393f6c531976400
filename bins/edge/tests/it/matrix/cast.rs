//! Everybody there is: each role in a session and in a team, strangers, visitors, and who was shut out.

use super::CALLERS;
use crate::stack::{Person, Stack};
use duplex_domain::{SessionId, UserId, WorkspaceId};
use duplex_edge::Limited;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

const OTHER_TEAM: &str = "0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6077";

/// One column of the tables.
pub struct Caller {
    pub name: &'static str,
    pub person: Person,
}

/// A server with a session, and everybody.
pub struct Cast {
    _stack: Stack,
    pub session: SessionId,
    pub workspace: WorkspaceId,
    /// A link of the session that nobody has used.
    pub link: String,
    pub callers: Vec<Caller>,
    _runner: AbortOnDropHandle<()>,
}

impl Caller {
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let mut request = self.person.request(method.clone(), path);
        if method != Method::GET {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        if answer
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind == "text/event-stream")
        {
            return (status, Value::Null);
        }
        let said = answer.text().await.unwrap();
        (status, serde_json::from_str(&said).unwrap_or_default())
    }
}

impl Cast {
    pub async fn assemble() -> Self {
        Box::pin(assembled()).await
    }
}

async fn assembled() -> Cast {
    let stack = Stack::start_as(|config| {
        config.limits = Limited {
            requests_per_network: 100_000,
            requests_per_person: 100_000,
            ..Limited::default()
        };
    })
    .await;
    let (workspace, runner) = stack.runner().await;
    let ada = stack.ada().await;
    // Each team has one more owner, so that everybody may leave.
    stack.joins(&ada, "Adam", "owner").await;
    let olga = stack.joins(&ada, "Olga", "member").await;
    let session = olga.open(workspace).await;
    let joined = async |name: &str, in_team: &str, role: &str| {
        let person = stack.joins(&ada, name, in_team).await;
        let add = json!({"type": "set_member", "user": person.id, "name": "", "role": role});
        let done = olga.command(session, add).await;
        assert_eq!(done.status, 200, "{done:?}");
        person
    };
    let past = json!({"role": "viewer", "hours": 2, "span": {"first": 1, "last": 1}});
    let people = [
        nobody(&stack),
        joined("Vera", "member", "viewer").await,
        joined("Cora", "member", "commenter").await,
        joined("Dora", "member", "driver").await,
        olga.clone(),
        stack.joins(&ada, "Mona", "member").await,
        ada.clone(),
        joined("Gina", "guest", "viewer").await,
        stranger(&stack, &ada).await,
        visitor(
            &stack,
            &olga,
            session,
            json!({"role": "commenter", "hours": 2}),
        )
        .await,
        visitor(&stack, &olga, session, past).await,
        shut_out(&ada, joined("Zoe", "member", "driver").await).await,
    ];
    let spare = json!({"role": "viewer", "hours": 2});
    let (link, _) = shared(&olga, session, spare).await;
    let callers = CALLERS.into_iter().zip(people);
    let callers = callers.map(|(name, person)| Caller { name, person });
    Cast {
        session,
        workspace,
        link,
        callers: callers.collect(),
        _runner: runner,
        _stack: stack,
    }
}

async fn shut_out(ada: &Person, person: Person) -> Person {
    let path = format!("/api/team/people/{}/disabled", person.id);
    let shut = ada
        .request(Method::PUT, &path)
        .json(&json!({"disabled": true}));
    assert_eq!(shut.send().await.unwrap().status(), 204);
    person
}

fn nobody(stack: &Stack) -> Person {
    Person {
        id: UserId::default(),
        cookie: String::new(),
        base: stack.base.clone(),
        http: stack.http.clone(),
    }
}

/// An owner of another team on the same server.
async fn stranger(stack: &Stack, ada: &Person) -> Person {
    let xena = stack.joins(ada, "Xena", "owner").await;
    stack.joins(ada, "Xeno", "owner").await;
    let moved = format!(
        "INSERT INTO account.team (id, name) VALUES ('{OTHER_TEAM}', 'Others');
         UPDATE account.person SET team = '{OTHER_TEAM}' WHERE name IN ('Xena', 'Xeno')"
    );
    stack.sql(&moved).await;
    xena
}

/// A link's id and secret.
async fn shared(owner: &Person, session: SessionId, wish: Value) -> (String, String) {
    let links = format!("/api/sessions/{session}/links");
    let made = owner.post(&links, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let (_, secret) = made.body["url"].as_str().unwrap().split_once('#').unwrap();
    let id = made.body["link"]["id"].as_str().unwrap();
    (id.to_owned(), secret.to_owned())
}

/// Somebody who came by a link and has no account.
async fn visitor(stack: &Stack, owner: &Person, session: SessionId, wish: Value) -> Person {
    let (_, secret) = shared(owner, session, wish).await;
    let taken = stack
        .post("/api/share", json!({"secret": secret, "name": "Lina"}))
        .await;
    assert_eq!(taken.status(), 200);
    let cookies = taken.headers().get_all("set-cookie").iter();
    let mut cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned());
    let visit = cookies
        .find(|cookie| cookie.starts_with("duplex_visit="))
        .unwrap();
    let cookie = visit.split(';').next().unwrap().to_owned();
    Person {
        cookie,
        ..nobody(stack)
    }
}
