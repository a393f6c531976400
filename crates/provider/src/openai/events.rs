//! The pieces of a chat completion, read as chunks.

use std::collections::VecDeque;

use eventsource_stream::Event;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;

use super::usage;
use crate::failure::Detail;
use crate::{Block, Chunk, ChunkStream, Error, StopReason, Usage};

/// Reads events until `[DONE]`. A stream that ends before it was cut, also behind the reason why the model stopped:
/// what it used comes last.
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
                match events.next().await {
                    Some(event) => reading.take(&event?.data)?,
                    None => return Err(Error::Incomplete),
                }
            }
        },
    )
    .boxed()
}

/// Where in an answer the reader is.
#[derive(Default)]
struct Reading {
    ready: VecDeque<Chunk>,
    started: bool,
    blocks: u32,
    /// The block of text or thinking in progress.
    open: Option<(u32, Kind)>,
    calls: Vec<Call>,
    finish: Option<String>,
    whole: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Thinking,
}

/// A tool call in progress; it opens once its name is known.
struct Call {
    place: Option<u64>,
    id: Option<String>,
    index: Option<u32>,
    name: String,
    held: String,
}

impl Reading {
    fn take(&mut self, data: &str) -> Result<(), Error> {
        let data = data.trim();
        if data == "[DONE]" {
            return self.finish();
        }
        let raw: Value =
            serde_json::from_str(data).map_err(|error| Error::Garbled(error.to_string()))?;
        if let Some(error) = raw.get("error").filter(|error| !error.is_null()) {
            let detail: Detail = serde_json::from_value(error.clone())
                .unwrap_or_else(|_| Detail::Bare(error.to_string()));
            return Err(detail.reported());
        }
        let Some(choices) = raw.get("choices").and_then(Value::as_array) else {
            self.ready.push_back(Chunk::Unknown { index: None, raw });
            return Ok(());
        };
        self.start();
        if let Some(choice) = choices.first() {
            self.choice(choice);
        }
        let counts = raw.get("usage").filter(|counts| !counts.is_null());
        if let Some(usage) = counts.cloned().and_then(usage::read) {
            self.ready.push_back(Chunk::Usage(usage));
        }
        Ok(())
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.started, true) {
            let usage = Usage::default();
            self.ready.push_back(Chunk::Started { usage });
        }
    }

    fn choice(&mut self, choice: &Value) {
        let delta = &choice["delta"];
        let text = |name: &str| delta[name].as_str().filter(|text| !text.is_empty());
        // llama.cpp and older vLLM write the first name, newer vLLM the second.
        if let Some(piece) = text("reasoning_content").or_else(|| text("reasoning")) {
            let index = self.block(Kind::Thinking);
            let text = piece.to_owned();
            self.ready.push_back(Chunk::Thinking { index, text });
        }
        for piece in [text("content"), text("refusal")].into_iter().flatten() {
            let index = self.block(Kind::Text);
            let text = piece.to_owned();
            self.ready.push_back(Chunk::Text { index, text });
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.call(call);
        }
        let finish = choice["finish_reason"].as_str();
        if let Some(reason) = finish.filter(|reason| !reason.is_empty()) {
            self.finish = Some(reason.to_owned());
        }
    }

    /// The open block of a kind, opened if need be.
    fn block(&mut self, kind: Kind) -> u32 {
        match self.open {
            Some((index, open)) if open == kind => index,
            _ => {
                self.close();
                let block = match kind {
                    Kind::Text => Block::Text,
                    Kind::Thinking => Block::Thinking,
                };
                let index = self.open_block(block);
                self.open = Some((index, kind));
                index
            }
        }
    }

    fn open_block(&mut self, block: Block) -> u32 {
        let index = self.blocks;
        self.blocks += 1;
        self.ready.push_back(Chunk::BlockOpened { index, block });
        index
    }

    fn close(&mut self) {
        if let Some((index, _)) = self.open.take() {
            self.ready.push_back(Chunk::BlockClosed { index });
        }
    }

    fn call(&mut self, raw: &Value) {
        self.close();
        let place = self.find(raw);
        let function = &raw["function"];
        let call = &mut self.calls[place];
        call.name
            .push_str(function["name"].as_str().unwrap_or_default());
        match &function["arguments"] {
            Value::String(piece) => call.held.push_str(piece),
            Value::Null => {}
            // Whole, and not even as text.
            whole => call.held.push_str(&whole.to_string()),
        }
        self.say(place);
    }

    /// Which call a piece belongs to: by index; but some servers number all calls 0 and tell them apart by id.
    fn find(&mut self, raw: &Value) -> usize {
        let number = raw["index"].as_u64();
        let id = raw["id"].as_str().filter(|id| !id.is_empty());
        let same = self.calls.iter().rposition(|call| {
            let same_place = number.is_none() || call.place == number;
            let same_id = id.is_none() || call.id.as_deref() == id;
            let names_another =
                number.is_none() && id.is_none() && !raw["function"]["name"].is_null();
            same_place && same_id && !names_another
        });
        same.unwrap_or_else(|| {
            self.calls.push(Call {
                place: number,
                id: id.map(str::to_owned),
                index: None,
                name: String::new(),
                held: String::new(),
            });
            self.calls.len() - 1
        })
    }

    /// Passes on what a call holds, once it has a name.
    fn say(&mut self, place: usize) {
        let call = &self.calls[place];
        if call.name.is_empty() {
            return;
        }
        let index = call.index.unwrap_or_else(|| {
            let id = self.calls[place].id.clone();
            let id = id.unwrap_or_else(|| format!("call_{place}"));
            let name = self.calls[place].name.clone();
            self.open_block(Block::ToolUse { id, name })
        });
        let call = &mut self.calls[place];
        call.index = Some(index);
        let json = std::mem::take(&mut call.held);
        if !json.is_empty() {
            self.ready.push_back(Chunk::ToolInput { index, json });
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        let reason = self.finish.take().ok_or(Error::Incomplete)?;
        self.close();
        let calls: Vec<_> = self.calls.iter().filter_map(|call| call.index).collect();
        self.ready.extend(
            calls
                .iter()
                .map(|index| Chunk::BlockClosed { index: *index }),
        );
        let reason = stop_reason(&reason, !calls.is_empty());
        self.ready.push_back(Chunk::Stopped { reason });
        self.whole = true;
        Ok(())
    }
}

/// Some servers say `stop` though they have called a tool.
fn stop_reason(name: &str, calls: bool) -> StopReason {
    match name {
        "stop" | "tool_calls" | "function_call" if calls => StopReason::ToolUse,
        "stop" | "tool_calls" | "function_call" => StopReason::EndTurn,
        "length" => StopReason::MaxTokens,
        "content_filter" => StopReason::Refusal { explanation: None },
        other => StopReason::Other(other.to_owned()),
    }
}
