//! A scripted server that speaks HTTP by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "shared by tests"
)]

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// What it does with every request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Unauthorized,
    Page,
    Garbage,
    HangUp,
    /// To another origin.
    Redirect(String),
    /// To another path of this one, and there this.
    Nearby(Box<Reply>),
    /// Behaves: lists tools, and answers every call with this text.
    Tools {
        tools: Vec<Value>,
        answer: String,
        sse: bool,
    },
}

impl Reply {
    pub fn tools(tools: &[Value]) -> Self {
        Self::Tools {
            tools: tools.to_vec(),
            answer: String::new(),
            sse: false,
        }
    }
}

pub struct Web {
    pub url: String,
    heads: mpsc::UnboundedReceiver<String>,
    _task: AbortOnDropHandle<()>,
}

impl Web {
    pub async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (told, heads) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, reply.clone(), told.clone()));
            }
        });
        Self {
            url,
            heads,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// The heads of all requests so far.
    pub fn asked(&mut self) -> Vec<String> {
        let mut heads = Vec::new();
        while let Ok(head) = self.heads.try_recv() {
            heads.push(head);
        }
        heads
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, told: mpsc::UnboundedSender<String>) {
    while let Some((head, body)) = request(&mut stream).await {
        let _ = told.send(head.clone());
        let answer = answer(&head, &body, &reply);
        if answer.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = serde_json::from_slice(&bytes[end + 4..]).unwrap_or(Value::Null);
    Some((head, body))
}

fn answer(head: &str, body: &Value, reply: &Reply) -> String {
    match reply {
        Reply::Status(status) => http(*status, "", "sorry s3cret-token"),
        Reply::Unauthorized => http(
            401,
            "www-authenticate: Bearer realm=\"s3cret-token\"\r\n",
            "",
        ),
        Reply::Page => http(200, "content-type: text/html\r\n", "<h1>hello</h1>"),
        Reply::Garbage => http(
            200,
            "content-type: application/json\r\n",
            "{\"s3cret-token\"",
        ),
        Reply::HangUp => String::new(),
        Reply::Redirect(url) => http(307, &format!("location: {url}\r\n"), ""),
        Reply::Nearby(reply) if head.contains(" /mcp/there") => answer(head, body, reply),
        Reply::Nearby(_) => http(308, "location: /mcp/there\r\n", ""),
        Reply::Tools { tools, answer, sse } => behave(head, body, tools, answer, *sse),
    }
}

fn behave(head: &str, body: &Value, tools: &[Value], answer: &str, sse: bool) -> String {
    if !head.starts_with("POST ") {
        // No stream of its own; and yes, the session may end.
        return http(if head.starts_with("GET ") { 405 } else { 200 }, "", "");
    }
    let content = json!([{"type": "text", "text": answer}]);
    let result = match body["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "web", "version": "1"},
        }),
        Some("tools/list") => json!({ "tools": tools }),
        Some("tools/call") if answer.is_empty() => json!({"content": []}),
        Some("tools/call") => json!({ "content": content }),
        _ => return http(202, "", ""),
    };
    let message = json!({"jsonrpc": "2.0", "id": body["id"], "result": result}).to_string();
    let session = "mcp-session-id: one\r\n";
    if sse {
        let head = format!("content-type: text/event-stream\r\n{session}");
        http(200, &head, &format!("data: {message}\n\n"))
    } else {
        http(
            200,
            &format!("content-type: application/json\r\n{session}"),
            &message,
        )
    }
}

fn http(status: u16, head: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} So\r\n{head}content-length: {length}\r\n\r\n{body}")
}
