//! The events of a stream, read as chunks.

use std::collections::VecDeque;

use eventsource_stream::Event;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Detail;
use crate::{Block, Chunk, ChunkStream, Error, StopReason, Usage};

/// Reads events until the provider says its answer is whole.
pub(super) fn read(events: BoxStream<'static, Result<Event, Error>>) -> ChunkStream {
    stream::try_unfold(
        (events, Reading::default()),
        |(mut events, mut reading)| async move {
            loop {
                if let Some(chunk) = reading.ready.pop_front() {
                    return Ok(Some((chunk, (events, reading))));
                }
                if reading.whole {
                    return Ok(None);
                }
                let event = events.next().await.ok_or(Error::Incomplete)??;
                reading.take(&event.data)?;
            }
        },
    )
    .boxed()
}

/// Where in an answer the reader is.
#[derive(Default)]
struct Reading {
    ready: VecDeque<Chunk>,
    usage: Usage,
    stop: Option<StopReason>,
    whole: bool,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct MessageStart {
    message: MessageHead,
}

#[derive(Deserialize)]
struct MessageHead {
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct BlockStart {
    index: u32,
    content_block: Value,
}

#[derive(Deserialize)]
struct BlockDelta {
    index: u32,
    delta: Delta,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(rename = "citations_delta")]
    Citation { citation: Value },
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
struct BlockStop {
    index: u32,
}

#[derive(Deserialize)]
struct MessageDelta {
    delta: Ending,
    #[serde(default)]
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Ending {
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_details: Option<Value>,
}

/// Cumulative counts; one that is absent or null says nothing.
#[derive(Deserialize)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<Writes>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct Writes {
    ephemeral_1h_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Reported {
    error: Detail,
}

impl Reading {
    fn take(&mut self, data: &str) -> Result<(), Error> {
        let Kind { kind } = parse(data)?;
        match kind.as_ref() {
            "message_start" => self.start(parse(data)?)?,
            "content_block_start" => self.open_block(parse(data)?),
            "content_block_delta" => self.delta(parse(data)?, data)?,
            "content_block_stop" => {
                let BlockStop { index } = parse(data)?;
                self.ready.push_back(Chunk::BlockClosed { index });
            }
            "message_delta" => self.end(parse(data)?)?,
            "message_stop" => self.stop(),
            "error" => {
                let Reported { error } = parse(data)?;
                return Err(error.reported());
            }
            "ping" => {}
            // Whatever the provider adds after this was written.
            _ => {
                let raw: Value = parse(data)?;
                let index = index_of(&raw);
                self.ready.push_back(Chunk::Unknown { index, raw });
            }
        }
        Ok(())
    }

    fn start(&mut self, start: MessageStart) -> Result<(), Error> {
        self.count(start.message.usage)?;
        let usage = self.usage.clone();
        self.ready.push_back(Chunk::Started { usage });
        Ok(())
    }

    fn open_block(&mut self, start: BlockStart) {
        let BlockStart {
            index,
            content_block,
        } = start;
        let first = first_piece(index, &content_block);
        self.ready.push_back(Chunk::BlockOpened {
            index,
            block: block(content_block),
        });
        self.ready.extend(first);
    }

    fn delta(&mut self, delta: BlockDelta, data: &str) -> Result<(), Error> {
        let BlockDelta { index, delta } = delta;
        let chunk = match delta {
            Delta::Text { text } => Chunk::Text { index, text },
            Delta::Thinking { thinking: text } => Chunk::Thinking { index, text },
            Delta::Signature { signature } => Chunk::Signature { index, signature },
            Delta::InputJson { partial_json: json } => Chunk::ToolInput { index, json },
            Delta::Citation { citation } => Chunk::Citation { index, citation },
            Delta::Unknown => Chunk::Unknown {
                index: Some(index),
                raw: parse(data)?,
            },
        };
        if !says_nothing(&chunk) {
            self.ready.push_back(chunk);
        }
        Ok(())
    }

    fn end(&mut self, delta: MessageDelta) -> Result<(), Error> {
        if let Some(name) = &delta.delta.stop_reason {
            self.stop = Some(stop_reason(name, delta.delta.stop_details.as_ref()));
        }
        if delta.usage.is_some() {
            self.count(delta.usage)?;
            self.ready.push_back(Chunk::Usage(self.usage.clone()));
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.whole = true;
        let reason = self
            .stop
            .take()
            .unwrap_or_else(|| StopReason::Other("none given".to_owned()));
        self.ready.push_back(Chunk::Stopped { reason });
    }

    fn count(&mut self, raw: Option<Value>) -> Result<(), Error> {
        let Some(raw) = raw else { return Ok(()) };
        let counts =
            Counts::deserialize(&raw).map_err(|error| Error::Garbled(error.to_string()))?;
        let overwrite = |mine: &mut u64, theirs: Option<u64>| *mine = theirs.unwrap_or(*mine);
        overwrite(&mut self.usage.input, counts.input_tokens);
        overwrite(&mut self.usage.output, counts.output_tokens);
        overwrite(
            &mut self.usage.cache_write,
            counts.cache_creation_input_tokens,
        );
        overwrite(&mut self.usage.cache_read, counts.cache_read_input_tokens);
        let hour = counts
            .cache_creation
            .and_then(|writes| writes.ephemeral_1h_input_tokens);
        overwrite(&mut self.usage.cache_write_1h, hour);
        let thinking = counts
            .output_tokens_details
            .and_then(|details| details.thinking_tokens);
        overwrite(&mut self.usage.thinking, thinking);
        overlay(self.usage.raw.get_or_insert(Value::Null), raw);
        Ok(())
    }
}

fn index_of(raw: &Value) -> Option<u32> {
    raw.get("index")?.as_u64()?.try_into().ok()
}

/// Lays later counts over earlier ones; null says nothing.
fn overlay(kept: &mut Value, newer: Value) {
    match (kept, newer) {
        (_, Value::Null) => {}
        (Value::Object(kept), Value::Object(newer)) => {
            for (name, value) in newer {
                match kept.get_mut(&name) {
                    Some(old) => overlay(old, value),
                    None => {
                        kept.insert(name, value);
                    }
                }
            }
        }
        (kept, newer) => *kept = newer,
    }
}

fn parse<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, Error> {
    serde_json::from_str(data).map_err(|error| Error::Garbled(error.to_string()))
}

/// The first piece of a tool's input is often empty; an empty piece would only cost an event.
fn says_nothing(chunk: &Chunk) -> bool {
    match chunk {
        Chunk::Text { text, .. } | Chunk::Thinking { text, .. } => text.is_empty(),
        Chunk::ToolInput { json, .. } => json.is_empty(),
        _ => false,
    }
}

fn block(raw: Value) -> Block {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
    let known = match raw.get("type").and_then(Value::as_str) {
        Some("text") => Some(Block::Text),
        Some("thinking") => Some(Block::Thinking),
        Some("redacted_thinking") => text("data").map(|data| Block::RedactedThinking { data }),
        Some("tool_use") => text("id")
            .zip(text("name"))
            .map(|(id, name)| Block::ToolUse { id, name }),
        _ => None,
    };
    known.unwrap_or(Block::Other(raw))
}

/// Some compatible servers send the first piece of a block, or all of it, with its start.
fn first_piece(index: u32, raw: &Value) -> Option<Chunk> {
    let text = |name: &str| {
        raw.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let chunk = match raw.get("type").and_then(Value::as_str)? {
        "text" => Chunk::Text {
            index,
            text: text("text"),
        },
        "thinking" => Chunk::Thinking {
            index,
            text: text("thinking"),
        },
        "tool_use" => {
            let input = raw
                .get("input")?
                .as_object()
                .filter(|input| !input.is_empty())?;
            Chunk::ToolInput {
                index,
                json: serde_json::to_string(input).ok()?,
            }
        }
        _ => return None,
    };
    (!says_nothing(&chunk)).then_some(chunk)
}

fn stop_reason(name: &str, details: Option<&Value>) -> StopReason {
    match name {
        "end_turn" => StopReason::EndTurn,
        "tool_use" => StopReason::ToolUse,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "pause_turn" => StopReason::PauseTurn,
        "refusal" => {
            let part = |name: &str| details.and_then(|details| details.get(name)?.as_str());
            let explanation = match (part("explanation"), part("category")) {
                (Some(words), Some(category)) => Some(format!("{words} ({category})")),
                (words, category) => words.or(category).map(str::to_owned),
            };
            StopReason::Refusal { explanation }
        }
        "model_context_window_exceeded" => StopReason::ContextWindow,
        other => StopReason::Other(other.to_owned()),
    }
}
