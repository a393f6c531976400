#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::{Block, Chunk, Message, Role, StopReason, Usage};

const FIXTURE: &str = include_str!("fixture.sse");

async fn read(text: &[u8], size: usize) -> (Vec<Chunk>, Option<Error>) {
    let pieces: Vec<_> = text
        .chunks(size)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let mut stream = events::read(transport::events(
        stream::iter(pieces),
        Duration::from_mins(1),
    ));
    let mut read = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(chunk) => read.push(chunk),
            Err(error) => return (read, Some(error)),
        }
    }
    (read, None)
}

fn call(id: &str) -> Block {
    Block::ToolUse {
        id: id.to_owned(),
        name: "bash".to_owned(),
    }
}

fn expected() -> Vec<Chunk> {
    let opened = |index, block| Chunk::BlockOpened { index, block };
    let input = |index, json: &str| Chunk::ToolInput {
        index,
        json: json.to_owned(),
    };
    vec![
        Chunk::Started {
            usage: Usage::default(),
        },
        opened(0, Block::Thinking),
        Chunk::Thinking {
            index: 0,
            text: "hö".to_owned(),
        },
        Chunk::Thinking {
            index: 0,
            text: "m".to_owned(),
        },
        Chunk::BlockClosed { index: 0 },
        opened(1, Block::Text),
        Chunk::Text {
            index: 1,
            text: "漢字".to_owned(),
        },
        Chunk::BlockClosed { index: 1 },
        opened(2, call("call_a")),
        input(2, "{\"command\":"),
        opened(3, call("call_1")),
        input(3, "{\"command\":\"pwd\"}"),
        input(2, "\"ls\"}"),
        Chunk::Usage(Usage {
            input: 30,
            output: 12,
            cache_read: 70,
            thinking: 5,
            raw: Some(json!({
                "prompt_tokens": 100, "completion_tokens": 12,
                "prompt_tokens_details": {"cached_tokens": 70},
                "completion_tokens_details": {"reasoning_tokens": 5},
            })),
            ..Usage::default()
        }),
        Chunk::BlockClosed { index: 2 },
        Chunk::BlockClosed { index: 3 },
        Chunk::Stopped {
            reason: StopReason::ToolUse,
        },
    ]
}

#[tokio::test]
async fn an_answer_reads_the_same_in_pieces_of_any_size() {
    for size in 1..200 {
        assert_eq!(
            read(FIXTURE.as_bytes(), size).await,
            (expected(), None),
            "{size}"
        );
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_keeps_what_came_and_is_incomplete() {
    for at in 0..FIXTURE.len() {
        let (chunks, error) = read(&FIXTURE.as_bytes()[..at], 50).await;

        assert_eq!(error, Some(Error::Incomplete), "{at}");
        assert_eq!(chunks, expected()[..chunks.len()], "{at}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_is_told_with_its_numeric_code() {
    let text =
        "data: {\"error\":{\"message\":\"busy\",\"code\":503,\"type\":\"unavailable_error\"}}\n\n";
    let error = Error::Reported {
        kind: "unavailable_error".to_owned(),
        message: "busy".to_owned(),
        retry_after: None,
        retryable: true,
    };

    assert_eq!(read(text.as_bytes(), 9).await, (Vec::new(), Some(error)));
}

#[tokio::test]
async fn a_context_that_is_full_is_an_error_of_its_own() {
    let text = "data: {\"error\":{\"message\":\"full\",\"code\":400,\"type\":\"exceed_context_size_error\"}}\n\n";
    let (_, error) = read(text.as_bytes(), 9).await;

    assert!(error.is_some_and(|error| error.is_too_large()));
}

#[test]
fn a_conversation_becomes_messages_with_a_result_for_each_call_in_order() {
    let block = |value: Value| serde_json::from_value::<Vec<Value>>(value).unwrap();
    let image = Message::image("image/png", "aGk=");
    let request = Request {
        model: "qwen".to_owned(),
        max_tokens: 100,
        system: "be brief".to_owned(),
        tools: Vec::new(),
        messages: vec![
            Message {
                role: Role::User,
                content: block(json!([{"type": "text", "text": "look"}, image])),
            },
            Message {
                role: Role::Assistant,
                content: block(json!([
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "tool_use", "id": "1", "name": "bash", "input": {"command": "ls"}},
                    {"type": "tool_use", "id": "2", "name": "read", "input": {}},
                ])),
            },
            Message {
                role: Role::User,
                content: block(json!([
                    {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": "a"}, image]},
                    {"type": "tool_result", "tool_use_id": "1", "content": "gone", "is_error": true},
                    {"type": "text", "text": "go on"},
                ])),
            },
        ],
        thinking: true,
    };
    let body: Value =
        serde_json::from_slice(&body::encode(&request, &Tuning::default()).unwrap()).unwrap();
    let url = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});

    assert_eq!(
        body,
        json!({
            "model": "qwen",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": [{"type": "text", "text": "look"}, url]},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "bash", "arguments": "{\"command\":\"ls\"}"}},
                    {"id": "2", "type": "function", "function": {"name": "read", "arguments": "{}"}},
                ]},
                {"role": "tool", "tool_call_id": "1", "content": "Error: gone"},
                {"role": "tool", "tool_call_id": "2", "content": "a[a picture follows]"},
                {"role": "user", "content": [url, {"type": "text", "text": "go on"}]},
            ],
            "max_tokens": 100,
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}
