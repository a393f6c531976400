//! What the demonstration says, chosen by how far the conversation is.

use serde_json::{Value, json};

use super::Part;
use crate::{Message, Request, Role};

const THINKING: &str = "The person wants to see what a session looks like. I am not a model, so I cannot really \
think, but this is where a model's thinking appears while it streams. I will introduce myself and then use the tools.";

const INTRODUCTION: &str = "**This is the demonstration provider.** No model is behind it: what you read is a fixed \
script, played at the speed of a real one, and it costs nothing.\n\nTo talk with a real model, set \
`DUPLEX_ANTHROPIC_API_KEY` in the environment or the key in the configuration file, start again, and choose one of the \
Claude models.\n\n";

const LOOKING: &str = "Let me look at the workspace first.";
const WRITING: &str = "That is the workspace. Now I will write a small file into it.";
const REFUSED: &str =
    "The tool did not do what I asked; a model would read its answer and try something else.\n\n";

const NO_TOOLS: &str = "This session offers me no tools, so there is nothing more to show.";

const GOODBYE: &str = "Here is what a turn is made of:

| part | where you saw it |
|---|---|
| thinking | folded, above the first text |
| text | as it streams, token by token |
| tools | with their input and output |
| cost | counted live; here it stays at zero |

And a piece of code, as a model would write it:

```rust
fn main() {
    println!(\"hello from the demonstration\");
}
```

Try these next: ask for something **long** and press Esc in the middle of it, or reload the page while it streams. \
Nothing is lost either way.";

const HELLO: &str = "# Hello\n\nThe demonstration provider wrote this file.\n";

/// The next reply to this conversation.
pub(super) fn parts(request: &Request) -> Vec<Part> {
    let question = question(&request.messages);
    let replies = replies_after(&request.messages, question);
    let text = request
        .messages
        .get(question)
        .map(text_of)
        .unwrap_or_default();
    if wants_length(&text) {
        return vec![Part::Text(long())];
    }
    match replies {
        0 => beginning(request),
        _ => continuing(request, replies),
    }
}

fn beginning(request: &Request) -> Vec<Part> {
    let mut parts = Vec::new();
    if request.thinking {
        parts.push(Part::Thinking(THINKING.to_owned()));
    }
    match call(request, 0) {
        Some(call) => parts.extend([Part::Text(format!("{INTRODUCTION}{LOOKING}")), call]),
        None => parts.push(Part::Text(format!("{INTRODUCTION}{NO_TOOLS}\n\n{GOODBYE}"))),
    }
    parts
}

fn continuing(request: &Request, replies: usize) -> Vec<Part> {
    let refused = if last_result_failed(&request.messages) {
        REFUSED
    } else {
        ""
    };
    match call(request, replies) {
        Some(call) => vec![Part::Text(format!("{refused}{WRITING}")), call],
        None => vec![Part::Text(format!("{refused}{GOODBYE}"))],
    }
}

/// The tool call of the reply with this number, of those whose tool is there.
fn call(request: &Request, reply: usize) -> Option<Part> {
    let plan = [
        ("bash", json!({"command": "ls -la"})),
        ("write", json!({"path": "HELLO.md", "content": HELLO})),
    ];
    let offered = |name: &str| request.tools.iter().any(|tool| tool.name == name);
    let (name, input) = plan
        .into_iter()
        .filter(|(name, _)| offered(name))
        .nth(reply)?;
    let id = format!("toolu_demo_{}_{name}", request.messages.len());
    Some(Part::Tool {
        id,
        name: name.to_owned(),
        input,
    })
}

/// Where the last message is that a person wrote. A message that brings results is none, even if more was typed after them.
fn question(messages: &[Message]) -> usize {
    let asks =
        |message: &Message| message.role == Role::User && !message.content.iter().any(is_result);
    messages.iter().rposition(asks).unwrap_or(0)
}

fn replies_after(messages: &[Message], question: usize) -> usize {
    messages
        .iter()
        .skip(question)
        .filter(|message| message.role == Role::Assistant)
        .count()
}

fn text_of(message: &Message) -> String {
    let texts: Vec<_> = message
        .content
        .iter()
        .filter_map(|block| block.get("text")?.as_str())
        .collect();
    texts.join(" ")
}

fn is_result(block: &Value) -> bool {
    block.get("type").and_then(Value::as_str) == Some("tool_result")
}

fn last_result_failed(messages: &[Message]) -> bool {
    let results = messages
        .last()
        .into_iter()
        .flat_map(|message| &message.content)
        .filter(|block| is_result(block));
    results
        .into_iter()
        .any(|block| block.get("is_error") == Some(&Value::Bool(true)))
}

fn wants_length(text: &str) -> bool {
    let mut words = text
        .split(|letter: char| !letter.is_alphabetic())
        .map(str::to_lowercase);
    words.any(|word| matches!(word.as_str(), "long" | "longer" | "lengthy"))
}

/// About 400 tokens, whose lines are numbered so that a gap would show.
fn long() -> String {
    let lines = (1..=30).map(|line| {
        format!("{line}. This is line {line} of a long answer from the demonstration provider.\n")
    });
    let lines: String = lines.collect();
    format!(
        "This is the demonstration provider, counting to thirty. Interrupt it, or reload the page.\n\n{lines}\nThat was all of it."
    )
}
