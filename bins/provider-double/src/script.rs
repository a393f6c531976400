//! One reply, laid out in time.

mod writer;

use std::time::Duration;

use serde_json::{Value, json};

use crate::Options;
use crate::chat::Chunks;
use crate::conversation::Place;
use crate::directive::{Directive, Http};
use crate::encode::Wire;
use crate::text;
use writer::Writer;

/// What the double does with a request.
pub(crate) enum Reply {
    Http(Http),
    Html,
    Never,
    Stream(Box<Script>),
}

/// An answer to be streamed.
pub(crate) struct Script {
    pub steps: Vec<Step>,
    pub wire: Wire,
    /// Set where the answer goes out as chunks of the other format.
    pub chunks: Option<Chunks>,
    /// The tool calls' ids and the signatures of the thinking before them.
    pub calls: Vec<String>,
    pub signatures: Vec<String>,
    pub usage: Value,
}

/// Something to do, and when: measured from the beginning of the answer.
pub(crate) struct Step {
    pub at: Duration,
    pub what: What,
}

/// Kept small, and put into words only when its time has come: an answer may be very long.
pub(crate) enum What {
    Event(Box<Value>),
    Token {
        index: u32,
        piece: Piece,
    },
    /// The first half of an event.
    Half,
    /// Silence, the connection held open.
    Stall,
    /// A tidy end.
    End,
    /// The connection dropped.
    Cut,
}

/// A token, by its kind.
pub(crate) enum Piece {
    Said(u64),
    Utf8(u64),
    /// Says when it is sent.
    Clock,
    Thought(u64),
    Text(String),
    Json(String),
}

impl Piece {
    pub fn delta(&self) -> Value {
        match self {
            Self::Said(number) => json!({"type": "text_delta", "text": text::token(*number)}),
            Self::Utf8(number) => json!({"type": "text_delta", "text": text::utf8_token(*number)}),
            Self::Clock => json!({"type": "text_delta", "text": text::clock_token()}),
            Self::Thought(number) => {
                json!({"type": "thinking_delta", "thinking": text::thought(*number)})
            }
            Self::Text(text) => json!({"type": "text_delta", "text": text}),
            Self::Json(json) => json!({"type": "input_json_delta", "partial_json": json}),
        }
    }
}

pub(crate) fn delta(index: u32, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

/// Lays out the reply to a request. `number` makes its ids differ from all others.
pub(crate) fn reply(
    body: &Value,
    place: &Place,
    stages: &[Vec<Directive>],
    options: &Options,
    number: u64,
) -> Reply {
    let directives = match stages.get(place.replies) {
        Some(stage) if !stage.is_empty() => stage.clone(),
        _ if place.replies > 0 => vec![Directive::Text("Done.".to_owned())],
        _ => vec![Directive::Text(echo(&place.text))],
    };
    for directive in &directives {
        match directive {
            Directive::Http(http) => return Reply::Http(http.clone()),
            Directive::Html => return Reply::Html,
            Directive::Never => return Reply::Never,
            _ => {}
        }
    }
    Reply::Stream(Box::new(
        Writer::new(body, options, number).write(&directives),
    ))
}

fn echo(text: &str) -> String {
    format!("You said: {}", text.chars().take(200).collect::<String>())
}
