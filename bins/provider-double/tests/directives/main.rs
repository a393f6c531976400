//! Every directive, read over a real connection by the project's own client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod answers;
mod connections;
mod faults;

use std::time::Duration;

use duplex_provider::{
    Anthropic, AnthropicConfig, Block, Chunk, Error, Message, Request, Role, Secret, StopReason,
    ToolSpec,
};
use duplex_provider_double::{Handle, Options, start};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(20);

fn client(double: &Handle) -> Anthropic {
    Anthropic::new(AnthropicConfig {
        base_url: double.base_url(),
        api_key: Some(Secret::new("any")),
        ..AnthropicConfig::default()
    })
}

fn user(content: Vec<Value>) -> Message {
    Message {
        role: Role::User,
        content,
    }
}

fn request(text: &str) -> Request {
    Request {
        model: "claude-opus-5-5".to_owned(),
        max_tokens: 10_000,
        system: "be a double".to_owned(),
        tools: vec![ToolSpec {
            name: "bash".to_owned(),
            description: "runs".to_owned(),
            input_schema: json!({"type": "object"}),
        }],
        messages: vec![user(vec![json!({"type": "text", "text": text})])],
        thinking: true,
    }
}

/// What came of a request: the blocks as they must be echoed, the reason it stopped, and the error if there was one.
#[derive(Debug, Default, PartialEq)]
struct Answer {
    content: Vec<Value>,
    tool_json: String,
    stop: Option<StopReason>,
    error: Option<Error>,
}

impl Answer {
    fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(|block| block["text"].as_str())
            .collect()
    }

    fn take(&mut self, chunk: Chunk) {
        let append = |block: Option<&mut Value>, name: &str, text: &str| {
            let block = block.expect("a block is open");
            block[name] = json!(block[name].as_str().unwrap_or("").to_owned() + text);
        };
        match chunk {
            Chunk::BlockOpened { block, .. } => self.content.push(match block {
                Block::Text => json!({"type": "text", "text": ""}),
                Block::Thinking => json!({"type": "thinking", "thinking": ""}),
                Block::RedactedThinking { data } => {
                    json!({"type": "redacted_thinking", "data": data})
                }
                Block::ToolUse { id, name } => {
                    json!({"type": "tool_use", "id": id, "name": name, "input": {}})
                }
                Block::Other(raw) => raw,
            }),
            Chunk::Text { text, .. } => append(self.content.last_mut(), "text", &text),
            Chunk::Thinking { text, .. } => append(self.content.last_mut(), "thinking", &text),
            Chunk::Signature { signature, .. } => {
                append(self.content.last_mut(), "signature", &signature);
            }
            Chunk::ToolInput { json, .. } => self.tool_json += &json,
            Chunk::BlockClosed { .. } => {
                let json = std::mem::take(&mut self.tool_json);
                if let Some(block) = self.content.last_mut().filter(|_| !json.is_empty()) {
                    block["input"] = serde_json::from_str(&json).unwrap_or(Value::Null);
                }
            }
            Chunk::Started { .. }
            | Chunk::Usage(_)
            | Chunk::Citation { .. }
            | Chunk::Unknown { .. } => {}
            Chunk::Stopped { reason } => self.stop = Some(reason),
        }
    }
}

async fn ask(client: &Anthropic, request: &Request) -> Answer {
    let mut stream = client.stream(request.clone());
    let mut answer = Answer::default();
    while let Some(next) = tokio::time::timeout(DEADLINE, stream.next())
        .await
        .expect("an answer in time")
    {
        match next {
            Ok(chunk) => answer.take(chunk),
            Err(error) => answer.error = Some(error),
        }
    }
    answer
}

/// Asks a fresh double once.
async fn told(text: &str) -> Answer {
    let double = start(Options::default()).await.unwrap();
    let answer = ask(&client(&double), &request(text)).await;
    assert_eq!(double.violations(), Vec::<String>::new());
    answer
}
