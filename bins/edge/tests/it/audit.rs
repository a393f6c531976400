//! What is written down of who did what.

use crate::feed::Socket;
use crate::money::projector;
use crate::stack::{Answer, PASSWORD, PATIENCE, Person, Stack};
use duplex_domain::audit::{Deed, How, Outcome, Record, check};
use duplex_domain::{Role, Seq, TeamId};
use duplex_eventlog::Log;
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Waits until the audit log says something, and gives all of it until then.
async fn records(log: &Log, says: impl Fn(&[Record]) -> bool) -> Vec<Record> {
    let audit = log.audit().await.unwrap();
    let mut follow = audit.follow(Seq(0)).await.unwrap();
    let mut records = Vec::new();
    let reading = async {
        while !says(&records) {
            for frame in follow.next().await.unwrap() {
                let lines = frame.lines.iter();
                records.extend(lines.map(|line| Record::read(line).unwrap()));
            }
        }
    };
    let read = tokio::time::timeout(PATIENCE, reading).await;
    assert!(read.is_ok(), "{records:#?}");
    records
}

/// All lines that are in the log now.
async fn lines(stack: &Stack, team: TeamId) -> Vec<String> {
    let audit = stack.log.audit().await.unwrap();
    let frames: Vec<_> = audit.read(Some(team), Seq(0)).collect().await;
    let frames = frames.into_iter().map(Result::unwrap);
    frames.flat_map(|frame| frame.lines).collect()
}

fn has(what: &'static str, outcome: Outcome) -> impl Fn(&[Record]) -> bool {
    move |records| find(records, what, outcome).is_some()
}

fn find(records: &[Record], what: &str, outcome: Outcome) -> Option<Deed> {
    let mut deeds = records.iter().map(|record| &record.deed);
    let found = deeds.find(|deed| deed.what == what && deed.outcome == outcome);
    found.cloned()
}

async fn budget(ada: &Person, pico: u64) -> Answer {
    let request = ada.request(Method::PUT, "/api/team/budget");
    let request = request.header("user-agent", "a browser");
    Answer::of(request.json(&json!({"pico": pico})).send().await.unwrap()).await
}

/// A server that listens to what an operator may tell JetStream.
async fn operator(stack: &Stack, verb: &str, body: &str) -> Value {
    let address = stack.nats_url.strip_prefix("nats://").unwrap();
    let (login, address) = address.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let hello = json!({"user": user, "pass": password, "verbose": false, "headers": false});
    let ask = format!(
        "CONNECT {hello}\r\nSUB answer 1\r\nPUB $JS.API.STREAM.{verb}.AUDIT answer {}\r\n{body}\r\n",
        body.len()
    );
    stream.write_all(ask.as_bytes()).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if let Some(head) = line.strip_prefix("MSG ") {
            let length: usize = head.trim().rsplit(' ').next().unwrap().parse().unwrap();
            let mut answer = vec![0; length];
            stream.read_exact(&mut answer).await.unwrap();
            return serde_json::from_slice(&answer).unwrap();
        }
    }
}

/// Lets the audit log hold so many messages; -1 for any number.
async fn limit(stack: &Stack, most: i64) {
    let info = operator(stack, "INFO", "").await;
    let mut config = info["config"].clone();
    config["max_msgs"] = most.into();
    let answer = operator(stack, "UPDATE", &config.to_string()).await;
    assert!(answer["error"].is_null(), "{answer}");
}

#[tokio::test]
async fn administration_is_answered_once_it_is_written_down() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let set = budget(&ada, 7).await;
    assert_eq!(set.status, 200, "{set:?}");

    let team = only_team(&stack).await;
    let written = lines(&stack, team).await;
    let last = Record::read(written.last().unwrap()).unwrap();
    assert_eq!(last.deed.what, "team.budget");
    assert_eq!(
        (last.deed.who.user, last.deed.who.how),
        (Some(ada.id), How::Cookie)
    );
    assert_eq!(last.deed.on.unwrap().id, team.to_string());
    assert_eq!(last.deed.detail["pico"], "7");
    assert_eq!(last.deed.from.agent, "a browser");
    assert_eq!(last.deed.from.address, "127.0.0.1");
    assert_eq!((last.deed.outcome, last.deed.count), (Outcome::Ok, 1));
    assert_eq!(check(written).unwrap().unwrap().n, last.n);
}

async fn only_team(stack: &Stack) -> TeamId {
    let records = records(&stack.log, has("account.setup", Outcome::Ok)).await;
    records[0].team.unwrap()
}

#[tokio::test]
async fn who_comes_and_goes_is_written_down_without_any_secret() {
    let stack = Stack::start().await;
    let secret = stack.setup_secret();
    let wrong = json!({"secret": "guessed", "name": "Eve", "email": "eve@example.org", "password": PASSWORD});
    assert_eq!(stack.post("/api/setup", wrong).await.status(), 403);
    let ada = stack.ada().await;
    let wrong = |email: &str| json!({"email": email, "password": "wrong horse battery"});
    stack.post("/api/login", wrong("ada@example.org")).await;
    stack.post("/api/login", wrong("nobody@example.org")).await;
    let again = stack.login().await;
    assert_eq!(again.post("/api/logout", Value::Null).await.status, 204);

    let all = records(&stack.log, has("account.logout", Outcome::Ok)).await;
    let told: Vec<_> = all
        .iter()
        .map(|record| {
            let deed = &record.deed;
            let on = deed.on.as_ref().map(|on| on.id.clone());
            (deed.what.as_str(), deed.code.as_str(), deed.who.user, on)
        })
        .collect();
    let hers = Some(ada.id.to_string());
    let expected = [
        ("account.setup", "wrong_secret", None, None),
        ("account.setup", "", Some(ada.id), None),
        ("account.login", "wrong_login", None, hers),
        ("account.login", "wrong_login", None, None),
        ("account.login", "", Some(ada.id), None),
        ("account.logout", "", Some(ada.id), None),
    ];
    assert_eq!(told, expected);
    assert_eq!(all[0].team, None, "nobody had a team yet");
    let text = format!("{all:?}");
    let (_, cookie) = again.cookie.split_once('=').unwrap();
    for secret in [
        &secret,
        PASSWORD,
        "wrong horse",
        "guessed",
        cookie,
        "nobody@",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_flood_of_equal_refusals_is_two_records() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    for _ in 0..200 {
        let request = stack.http.put(format!("{}/api/team/budget", stack.base));
        let request = request.header("cookie", &ada.cookie);
        let request = request.header("origin", "https://evil.example");
        let refused = request.json(&json!({"pico": 1})).send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    let Stack { edge, log, .. } = stack;
    edge.stop();
    edge.stopped().await.unwrap();
    let all = records(&log, |records| {
        let refused = records
            .iter()
            .filter(|record| record.deed.code == "wrong_origin");
        refused.map(|record| record.deed.count).sum::<u64>() == 200
    })
    .await;
    let refused = all
        .iter()
        .filter(|record| record.deed.code == "wrong_origin");
    let counts: Vec<_> = refused
        .map(|record| (record.deed.count, record.deed.who.user))
        .collect();
    assert_eq!(counts, [(1, None), (199, None)]);
}

#[tokio::test]
async fn what_is_asked_of_sessions_is_written_down_where_it_matters() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _serving) = stack.runner().await;
    let session = ada.open(workspace).await;
    let bob = stack.bob(&ada, "member").await;
    let member = json!({"type": "set_member", "user": bob.id, "name": "Bob", "role": "driver"});
    assert_eq!(ada.command(session, member).await.status, 200);
    let said = json!({"type": "post_message", "text": "the secret plan"});
    assert_eq!(ada.command(session, said).await.status, 200);
    let (foreign, ..) = stack.foreign_session(&[(ada.id, Role::Viewer)]).await;
    let mut socket = Socket::open(&ada).await;
    socket
        .command(
            foreign,
            json!({"type": "post_message", "text": "the secret plan"}),
        )
        .await;

    let all = records(&stack.log, has("session.post_message", Outcome::Refused)).await;
    let refused = find(&all, "session.post_message", Outcome::Refused).unwrap();
    assert_eq!(refused.code, "role_too_small");
    assert_eq!(refused.on.unwrap().id, foreign.to_string());
    let opened = find(&all, "session.open", Outcome::Ok).unwrap();
    assert_eq!(opened.on.unwrap().id, session.to_string());
    let set = find(&all, "session.set_member", Outcome::Ok).unwrap();
    assert_eq!(set.detail["role"], "driver");
    assert_eq!(set.detail["person"], bob.id.to_string());
    assert!(find(&all, "feed.open", Outcome::Ok).is_some());
    assert!(find(&all, "session.post_message", Outcome::Ok).is_none());
    assert!(!format!("{all:?}").contains("secret plan"));
}

#[tokio::test]
async fn without_an_audit_log_nothing_is_administered_and_sessions_go_on() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    let (workspace, _serving) = stack.runner().await;
    let session = ada.open(workspace).await;
    assert_eq!(budget(&ada, 7).await.status, 200);
    records(&stack.log, has("session.open", Outcome::Ok)).await;
    limit(&stack, 1).await;

    let refused = budget(&ada, 8).await;
    assert_eq!(refused.error(), (503, "audit_unavailable", None));
    assert_eq!(ada.get("/api/team/budget").await.body["pico"], 7);
    let take = json!({"type": "take_control"});
    let renamed = json!({"type": "rename", "title": "Goes on"});
    assert_eq!(ada.command(session, take).await.status, 200);
    assert_eq!(ada.command(session, renamed).await.status, 200);
    let metrics = ada.get("/metrics").await;
    let text = metrics.body.as_str().unwrap();
    assert!(text.contains("duplex_edge_audit_failing 1"), "{text}");

    limit(&stack, -1).await;
    records(&stack.log, has("session.take_control", Outcome::Ok)).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while budget(&ada, 9).await.status != 200 {
        assert!(tokio::time::Instant::now() < deadline);
    }
    assert_eq!(ada.get("/api/team/budget").await.body["pico"], 9);
}

#[tokio::test]
async fn only_owners_read_the_audit_log() {
    let stack = Stack::start().await;
    let ada = stack.ada().await;
    stack.sql("UPDATE account.person SET role = 'member'").await;
    for path in ["", "/words", "/chain", "/export", "/table"] {
        let refused = ada.get(&format!("/api/team/audit{path}")).await;
        assert_eq!(refused.error(), (403, "not_the_owner", None), "{path}");
    }
}

#[tokio::test]
async fn an_owner_looks_through_the_audit_log_and_takes_it_away() {
    let stack = Stack::start().await;
    let _projector = projector(&stack);
    let ada = stack.ada().await;
    for pico in 1..=5 {
        assert_eq!(budget(&ada, pico).await.status, 200);
    }
    let team = only_team(&stack).await;
    let shown = page(&ada, "?what=team&limit=3", 3).await;
    let numbers = |page: &Value| -> Vec<u64> {
        let records = page["records"].as_array().unwrap().iter();
        records
            .map(|record| record["n"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&shown), [6, 5, 4]);
    let cursor = shown["cursor"].as_str().unwrap();
    let rest = page(&ada, &format!("?what=team&limit=3&cursor={cursor}"), 2).await;
    assert_eq!(numbers(&rest), [3, 2]);
    assert!(rest["cursor"].is_null());
    for (query, count) in [
        (format!("?who={}", ada.id), 6),
        ("?outcome=refused".to_owned(), 0),
        ("?q=A%20BROWSER".to_owned(), 5),
        ("?until=5".to_owned(), 0),
        ("?what=account.setup".to_owned(), 1),
    ] {
        assert_eq!(
            numbers(&page(&ada, &query, count).await).len(),
            count,
            "{query}"
        );
    }
    assert_eq!(
        ada.get("/api/team/audit?outcome=odd").await.error().1,
        "bad_outcome"
    );
    assert_eq!(
        ada.get("/api/team/audit?cursor=odd").await.error().1,
        "bad_cursor"
    );
    let words = ada.get("/api/team/audit/words").await.body;
    assert_eq!(words["what"], json!(["account.setup", "team.budget"]));
    assert_eq!(words["people"], json!([{"user": ada.id, "name": "Ada"}]));

    let chain = ada.get("/api/team/audit/chain").await.body;
    let exported = ada.get("/api/team/audit/export").await.body;
    let exported: Vec<String> = exported
        .as_str()
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let head = check(exported[..6].to_vec()).unwrap().unwrap();
    assert_eq!((head.team, head.n), (Some(team), 6));
    assert_eq!(chain["unbroken"], 6);
    assert_eq!(chain["hash"], head.hash.0);
    assert!(chain["broken"].is_null());
}

#[tokio::test]
async fn a_table_holds_the_records_that_match() {
    let stack = Stack::start().await;
    let _projector = projector(&stack);
    let ada = stack.ada().await;
    for pico in 1..=5 {
        assert_eq!(budget(&ada, pico).await.status, 200);
    }
    page(&ada, "?what=team", 5).await;

    let table = ada.get("/api/team/audit/table?what=team").await.body;
    let rows: Vec<&str> = table.as_str().unwrap().lines().collect();
    assert!(
        rows[0].starts_with("number,time_utc,who,person,how,what,"),
        "{rows:?}"
    );
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert!(rows[1].starts_with("6,2"), "{rows:?}");
    assert!(rows[1].contains(",cookie,team.budget,team,"), "{rows:?}");
}

/// A page, once the projector has made rows of so many records.
async fn page(ada: &Person, query: &str, count: usize) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = ada.get(&format!("/api/team/audit{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        if page.body["records"].as_array().unwrap().len() >= count {
            return page.body;
        }
        assert!(tokio::time::Instant::now() < deadline, "{page:?}");
    }
}
