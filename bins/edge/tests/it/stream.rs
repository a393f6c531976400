//! A session's log over HTTP.

use crate::stack::{Person, Stack};
use duplex_domain::SessionId;
use duplex_wire::Frame;
use futures_util::StreamExt;
use reqwest::{Method, Response};
use serde_json::json;
use std::time::Duration;

async fn lines(person: &Person, session: SessionId, query: &str) -> Vec<Frame> {
    let path = format!("/api/sessions/{session}/events{query}");
    let answer = person.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let text = answer.text().await.unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Reads on until the text so far satisfies.
async fn read_until(answer: Response, enough: impl Fn(&str) -> bool) -> String {
    let mut body = answer.bytes_stream();
    let mut text = String::new();
    let reading = async {
        while !enough(&text) {
            text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap();
    text
}

async fn with_three_names(stack: &Stack) -> (Person, SessionId, Vec<Frame>) {
    let (workspace, _runner) = stack.runner().await;
    let ada = stack.ada().await;
    let session = ada.open(workspace).await;
    for title in ["one", "two", "three"] {
        assert_eq!(
            ada.command(session, json!({"type": "rename", "title": title}))
                .await
                .status,
            200
        );
    }
    let all = lines(&ada, session, "").await;
    assert_eq!(all.len(), 4);
    (ada, session, all)
}

#[tokio::test]
async fn any_span_can_be_read() {
    let stack = Stack::start().await;
    let (ada, session, all) = with_three_names(&stack).await;
    let span = format!("?after={}&until={}", all[0].seq, all[2].seq);
    assert_eq!(lines(&ada, session, &span).await, all[1..3]);
    assert_eq!(lines(&ada, session, "?limit=2").await, all[..2]);
    assert_eq!(lines(&ada, session, "?lanes=output,input").await, []);
    let odd = ada
        .get(&format!("/api/sessions/{session}/events?lanes=nonsense"))
        .await;
    assert_eq!(odd.error(), (422, "bad_lanes", Some("lanes")));
}

#[tokio::test]
async fn a_cut_event_stream_goes_on_where_it_was() {
    let stack = Stack::start().await;
    let (ada, session, all) = with_three_names(&stack).await;
    let path = format!("/api/sessions/{session}/events?follow=true");
    let request = ada
        .request(Method::GET, &path)
        .header("accept", "text/event-stream");
    let answer = request
        .header("last-event-id", all[1].seq.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");

    ada.command(session, json!({"type": "rename", "title": "four"}))
        .await;
    let text = read_until(answer, |text| {
        text.contains("four") && text.ends_with("\n\n")
    })
    .await;

    let ids: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .collect();
    let datas = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let frames: Vec<Frame> = datas
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(frames[..2], all[2..]);
    assert_eq!(frames.len(), 3);
    assert_eq!(
        ids,
        frames
            .iter()
            .map(|frame| frame.seq.to_string())
            .collect::<Vec<_>>()
    );
}
