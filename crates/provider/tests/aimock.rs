//! A provider that others wrote (aimock) is understood, in both formats.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use duplex_provider::{
    Anthropic, AnthropicConfig, Block, Chunk, Error, Message, OpenAi, OpenAiConfig, Provider,
    Request, Role, Secret, StopReason, Thinking, ToolSpec, Tuning,
};
use futures_util::StreamExt as _;
use serde_json::json;

/// The server, and a client of each of its formats.
struct Mock {
    port: u16,
    process: Child,
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Mock {
    async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aimock");
        let program = folder.join("node_modules/@copilotkit/aimock/dist/cli.js");
        assert!(
            program.exists(),
            "aimock is not installed: run `make setup`"
        );
        // Free a moment ago; nobody else asks for ports in between as a rule.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let process = Command::new("node")
            .arg(program)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-f"])
            .arg(folder.join("fixtures"))
            .args(["--strict", "--validate-on-load", "--log-level", "silent"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mock = Self { port, process };
        mock.listens().await;
        mock
    }

    async fn listens(&self) {
        let trying = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_err()
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), trying)
            .await
            .unwrap();
    }

    fn clients(&self) -> [Provider; 2] {
        let anthropic = AnthropicConfig {
            base_url: format!("http://127.0.0.1:{}", self.port),
            api_key: Some(Secret::new("key")),
            ..AnthropicConfig::default()
        };
        let openai = OpenAiConfig::at(&format!("http://127.0.0.1:{}/v1", self.port));
        let tuning = Tuning {
            thinking: Thinking::Adaptive { effort: None },
            ..Tuning::default()
        };
        [
            Provider::Anthropic(Anthropic::new(anthropic).tuned(tuning)),
            Provider::OpenAi(OpenAi::new(openai, Tuning::default())),
        ]
    }
}

fn says(text: &str) -> Message {
    Message {
        role: Role::User,
        content: vec![json!({"type": "text", "text": text})],
    }
}

fn request(messages: Vec<Message>) -> Request {
    let tool = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "A tool".to_owned(),
        input_schema: json!({"type": "object"}),
    };
    Request {
        model: "claude-opus-5-5".to_owned(),
        max_tokens: 1000,
        system: "Be brief.".to_owned(),
        tools: vec![tool("bash"), tool("read")],
        messages,
        thinking: true,
    }
}

/// What a client made of an answer.
#[derive(Debug, Default)]
struct Heard {
    text: String,
    thinking: String,
    calls: Vec<(String, String)>,
    signed: bool,
    pieces: usize,
    stopped: Option<StopReason>,
    error: Option<Error>,
}

async fn hear(client: &Provider, messages: Vec<Message>) -> Heard {
    let mut heard = Heard::default();
    let mut chunks = client.stream(request(messages));
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => heard.take(chunk),
            Err(error) => heard.error = Some(error),
        }
    }
    heard
}

impl Heard {
    fn take(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Text { text, .. } => {
                self.text.push_str(&text);
                self.pieces += 1;
            }
            Chunk::Thinking { text, .. } => self.thinking.push_str(&text),
            Chunk::Signature { .. } => self.signed = true,
            Chunk::BlockOpened {
                block: Block::ToolUse { name, .. },
                ..
            } => self.calls.push((name, String::new())),
            Chunk::ToolInput { json, .. } => self.calls.last_mut().unwrap().1.push_str(&json),
            Chunk::Stopped { reason } => self.stopped = Some(reason),
            Chunk::Unknown { raw, .. } => panic!("not understood: {raw}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn text_comes_in_pieces_and_whole() {
    let mock = Mock::start().await;
    for client in mock.clients() {
        let heard = hear(&client, vec![says("say hello")]).await;

        assert_eq!(heard.text, "Grüße aus der Ferne: 🦀 done.");
        assert!(heard.pieces > 5, "{heard:?}");
        assert_eq!(
            (heard.stopped, heard.error),
            (Some(StopReason::EndTurn), None)
        );
    }
}

#[tokio::test]
async fn thinking_comes_before_the_text_and_is_signed_where_the_format_signs() {
    let mock = Mock::start().await;
    for (client, signs) in mock.clients().iter().zip([true, false]) {
        let heard = hear(client, vec![says("think first")]).await;

        assert_eq!(
            (heard.thinking.as_str(), heard.text.as_str()),
            ("Six by seven.", "Forty-two.")
        );
        assert_eq!((heard.signed, heard.error), (signs, None));
    }
}

#[tokio::test]
async fn calls_come_whole_and_their_results_are_understood() {
    let mock = Mock::start().await;
    for client in mock.clients() {
        let heard = hear(&client, vec![says("run it")]).await;
        let call = |name: &str, input: &str| (name.to_owned(), input.to_owned());
        assert_eq!(
            heard.calls,
            [
                call("bash", r#"{"command":"git status"}"#),
                call("read", r#"{"path":"a.txt"}"#)
            ]
        );
        assert_eq!(heard.stopped, Some(StopReason::ToolUse));

        let used =
            |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        let result =
            |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "fine"});
        let answered = Message {
            role: Role::Assistant,
            content: vec![used("c1", "bash"), used("c2", "read")],
        };
        let results = Message {
            role: Role::User,
            content: vec![result("c1"), result("c2")],
        };
        let heard = hear(&client, vec![says("run it"), answered, results]).await;
        assert_eq!((heard.text.as_str(), heard.error), ("It is clean.", None));
    }
}

#[tokio::test]
async fn a_refusal_says_how_long_to_wait() {
    let mock = Mock::start().await;
    for client in mock.clients() {
        let error = hear(&client, vec![says("too often")]).await.error.unwrap();
        let wait = Some(Duration::from_secs(1));
        assert!(
            matches!(&error, Error::RateLimited { message, retry_after, .. } if message == "slow down" && *retry_after == wait),
            "{error:?}"
        );
        let error = hear(&client, vec![says("too busy")]).await.error.unwrap();
        assert!(
            matches!(error, Error::Overloaded { status: 529, .. }),
            "{error:?}"
        );
        assert!(error.retryable());
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_keeps_what_came() {
    let mock = Mock::start().await;
    for client in mock.clients() {
        let heard = hear(&client, vec![says("break off")]).await;

        assert_eq!(
            (heard.error, heard.stopped),
            (Some(Error::Incomplete), None)
        );
        assert!(
            !heard.text.is_empty() && "one two three four five".starts_with(&heard.text),
            "{}",
            heard.text
        );
    }
}

#[tokio::test]
async fn a_slow_answer_and_a_cut_one_are_whole() {
    let mock = Mock::start().await;
    for client in mock.clients() {
        let slow = hear(&client, vec![says("take your time")]).await;
        assert_eq!((slow.text.as_str(), slow.error), ("slow but whole", None));
        let cut = hear(&client, vec![says("talk on")]).await;
        assert_eq!(
            (cut.text.as_str(), cut.stopped),
            ("and then", Some(StopReason::MaxTokens))
        );
    }
}
