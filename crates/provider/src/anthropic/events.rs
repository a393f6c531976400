//! The events of a stream, read as chunks.

use std::collections::VecDeque;

use eventsource_stream::Event;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;

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
    usage: Option<Counts>,
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
    usage: Option<Counts>,
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
#[expect(clippy::struct_field_names, reason = "the provider's names")]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Reported {
    error: ReportedError,
}

#[derive(Deserialize)]
struct ReportedError {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

impl Reading {
    fn take(&mut self, data: &str) -> Result<(), Error> {
        let Kind { kind } = parse(data)?;
        match kind.as_ref() {
            "message_start" => self.start(&parse(data)?),
            "content_block_start" => self.open_block(parse(data)?),
            "content_block_delta" => self.delta(parse(data)?),
            "content_block_stop" => {
                let BlockStop { index } = parse(data)?;
                self.ready.push_back(Chunk::BlockClosed { index });
            }
            "message_delta" => self.end(&parse(data)?),
            "message_stop" => self.stop(),
            "error" => {
                let Reported {
                    error: ReportedError { kind, message },
                } = parse(data)?;
                return Err(Error::Reported { kind, message });
            }
            // `ping`, and whatever the provider adds after this was written.
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, start: &MessageStart) {
        self.count(start.message.usage.as_ref());
        self.ready.push_back(Chunk::Started { usage: self.usage });
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

    fn delta(&mut self, delta: BlockDelta) {
        let BlockDelta { index, delta } = delta;
        let chunk = match delta {
            Delta::Text { text } => Chunk::Text { index, text },
            Delta::Thinking { thinking: text } => Chunk::Thinking { index, text },
            Delta::Signature { signature } => Chunk::Signature { index, signature },
            Delta::InputJson { partial_json: json } => Chunk::ToolInput { index, json },
            Delta::Unknown => return,
        };
        if !says_nothing(&chunk) {
            self.ready.push_back(chunk);
        }
    }

    fn end(&mut self, delta: &MessageDelta) {
        if let Some(name) = &delta.delta.stop_reason {
            self.stop = Some(stop_reason(name, delta.delta.stop_details.as_ref()));
        }
        if delta.usage.is_some() {
            self.count(delta.usage.as_ref());
            self.ready.push_back(Chunk::Usage(self.usage));
        }
    }

    fn stop(&mut self) {
        self.whole = true;
        let reason = self
            .stop
            .take()
            .unwrap_or_else(|| StopReason::Other("none given".to_owned()));
        self.ready.push_back(Chunk::Stopped { reason });
    }

    fn count(&mut self, counts: Option<&Counts>) {
        let Some(counts) = counts else { return };
        let overwrite = |mine: &mut u64, theirs: Option<u64>| *mine = theirs.unwrap_or(*mine);
        overwrite(&mut self.usage.input, counts.input_tokens);
        overwrite(&mut self.usage.output, counts.output_tokens);
        overwrite(
            &mut self.usage.cache_write,
            counts.cache_creation_input_tokens,
        );
        overwrite(&mut self.usage.cache_read, counts.cache_read_input_tokens);
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
            let explanation = details.and_then(|details| details.get("explanation")?.as_str());
            StopReason::Refusal {
                explanation: explanation.map(str::to_owned),
            }
        }
        "model_context_window_exceeded" => StopReason::ContextWindow,
        other => StopReason::Other(other.to_owned()),
    }
}
