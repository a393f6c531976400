#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::{FutureExt as _, TryStreamExt as _};
use serde_json::json;

use super::*;
use crate::{Message, Role, ToolSpec};

fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: String::new(),
        input_schema: json!({"type": "object"}),
    }
}

fn request(text: &str, tools: &[&str]) -> Request {
    Request {
        model: "demo".to_owned(),
        max_tokens: 1000,
        system: String::new(),
        tools: tools.iter().map(|name| tool(name)).collect(),
        messages: vec![Message {
            role: Role::User,
            content: vec![json!({"type": "text", "text": text})],
        }],
        thinking: true,
    }
}

async fn play(request: &Request) -> Vec<Chunk> {
    Demo {
        pace: Duration::ZERO,
    }
    .stream(request)
    .try_collect()
    .await
    .unwrap()
}

fn text(chunks: &[Chunk]) -> String {
    let texts = chunks.iter().filter_map(|chunk| {
        if let Chunk::Text { text, .. } = chunk {
            Some(text.as_str())
        } else {
            None
        }
    });
    texts.collect()
}

/// Name, id and input of the calls made.
fn calls(chunks: &[Chunk]) -> Vec<(String, String, Value)> {
    let mut calls = Vec::new();
    for chunk in chunks {
        if let Chunk::BlockOpened {
            index: call,
            block: Block::ToolUse { id, name },
        } = chunk
        {
            let pieces = chunks.iter().filter_map(|chunk| match chunk {
                Chunk::ToolInput { index, json } if index == call => Some(json.as_str()),
                _ => None,
            });
            let input = serde_json::from_str(&pieces.collect::<String>()).unwrap();
            calls.push((name.clone(), id.clone(), input));
        }
    }
    calls
}

/// Adds what the demonstration said and what its tools answered to the conversation.
fn go_on(request: &mut Request, chunks: &[Chunk], failed: bool) {
    let calls = calls(chunks);
    let uses = calls
        .iter()
        .map(
            |(name, id, input)| json!({"type": "tool_use", "id": id, "name": name, "input": input}),
        )
        .collect();
    let results = calls.iter().map(|(_, id, _)| json!({"type": "tool_result", "tool_use_id": id, "content": "ok", "is_error": failed})).collect();
    request.messages.push(Message {
        role: Role::Assistant,
        content: uses,
    });
    request.messages.push(Message {
        role: Role::User,
        content: results,
    });
}

#[tokio::test]
async fn it_says_what_it_is_and_how_to_get_a_real_model() {
    let said = text(&play(&request("hi", &["bash"])).await);

    assert!(
        said.starts_with("**This is the demonstration provider.**"),
        "{said}"
    );
    assert!(said.contains("DUPLEX_ANTHROPIC_API_KEY"), "{said}");
}

#[tokio::test]
async fn it_thinks_lists_writes_and_ends_with_a_table_and_code() {
    let mut request = request("hi", &["read", "write", "edit", "bash"]);

    let first = play(&request).await;
    assert!(
        first
            .iter()
            .any(|chunk| matches!(chunk, Chunk::Thinking { .. }))
    );
    let listing = calls(&first);
    assert_eq!(
        (listing[0].0.as_str(), &listing[0].2),
        ("bash", &json!({"command": "ls -la"}))
    );
    assert_eq!(
        first.last(),
        Some(&Chunk::Stopped {
            reason: StopReason::ToolUse
        })
    );

    go_on(&mut request, &first, false);
    let second = play(&request).await;
    let writing = calls(&second);
    assert_eq!(
        (writing[0].0.as_str(), &writing[0].2["path"]),
        ("write", &json!("HELLO.md"))
    );
    assert_ne!(writing[0].1, listing[0].1);

    go_on(&mut request, &second, false);
    let third = play(&request).await;
    assert_eq!(
        third.last(),
        Some(&Chunk::Stopped {
            reason: StopReason::EndTurn
        })
    );
    assert!(text(&third).contains("```rust") && text(&third).contains("|---|"));
}

#[tokio::test]
async fn it_only_calls_tools_it_was_given() {
    assert_eq!(calls(&play(&request("hi", &[])).await), []);
    assert_eq!(calls(&play(&request("hi", &["write"])).await)[0].0, "write");
}

#[tokio::test]
async fn it_notices_that_a_tool_failed() {
    let mut request = request("hi", &["bash"]);
    let first = play(&request).await;
    go_on(&mut request, &first, true);

    assert!(text(&play(&request).await).starts_with("The tool did not do what I asked"));
}

#[tokio::test]
async fn asked_for_something_long_it_streams_about_400_tokens() {
    let chunks = play(&request("Something LONG, please", &["bash"])).await;
    let tokens = chunks.iter().filter(|chunk| is_token(chunk)).count();

    assert!((350..=450).contains(&tokens), "{tokens}");
    assert!(text(&chunks).contains("30. This is line 30"));
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let request = request("hi", &["bash"]);

    assert_eq!(play(&request).await, play(&request).await);
}

#[tokio::test]
async fn it_waits_before_every_token_as_long_as_it_was_told() {
    let pace = Duration::from_hours(1);
    let mut stream = Demo { pace }.stream(&request("hi", &["bash"]));
    let mut come = Vec::new();
    while let Some(Some(chunk)) = stream.next().now_or_never() {
        come.push(chunk.unwrap());
    }

    let opened = Chunk::BlockOpened {
        index: 0,
        block: Block::Thinking,
    };
    assert!(
        matches!(&come[..], [Chunk::Started { .. }, last] if *last == opened),
        "{come:?}"
    );
}
