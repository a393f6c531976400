//! One model call: what the provider says, piece by piece, becomes events.

use super::Turn;
use super::ends::{self, INTERRUPTED, Stop};
use super::report::{Report, Used};
use duplex_domain::{BlockKind, CallId, EndReason, Event, Level, Time, Usage as Tokens};
use duplex_provider::{Block, Chunk, Error, Request, StopReason, ToolSpec, Usage};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::Duration;

/// How often a call that failed before it said anything is made again.
const MOST_RETRIES: u32 = 4;
/// The longest answer asked for, in tokens.
const LONGEST_ANSWER: u32 = 32_000;
/// How many bytes are shown of what nobody here understands.
const LONGEST_UNKNOWN: usize = 2_000;

/// A model call in progress.
#[derive(Default)]
pub(super) struct ModelCall {
    step: u32,
    /// The numbers of its parts, by the provider's own index.
    blocks: HashMap<u32, u64>,
    signatures: HashMap<u32, String>,
    pub(super) usage: Option<Usage>,
    /// Bytes of text and input received, to estimate what an unfinished call used.
    pub(super) written: usize,
}

impl Turn {
    /// Asks the model; again, if it failed before it said anything and may work later.
    pub(super) async fn ask(&mut self, step: u32) -> Result<StopReason, Stop> {
        let mut tries = 0;
        loop {
            let first = self.next_block;
            let error = match self.call(step).await? {
                Ok(reason) => return Ok(reason),
                Err(error) => error,
            };
            let said_nothing = self.next_block == first;
            if said_nothing && error.is_too_large() {
                return Ok(StopReason::ContextWindow);
            }
            if !said_nothing || !error.retryable() || tries == MOST_RETRIES {
                return Err(Stop::Over(EndReason::Error, Some(ends::of_error(&error))));
            }
            tries += 1;
            self.wait_to_retry(&error, tries).await?;
        }
    }

    async fn call(&mut self, step: u32) -> Result<Result<StopReason, Error>, Stop> {
        let mut call = ModelCall {
            step,
            ..ModelCall::default()
        };
        let provider = self.providers.for_model(&self.model);
        let request = self.request().await?;
        let mut chunks = provider.stream(request);
        let outcome = loop {
            let chunk = tokio::select! {
                biased;
                () = self.cancel.cancelled() => break None,
                chunk = chunks.next() => chunk,
            };
            match chunk {
                Some(Ok(Chunk::Stopped { reason })) => break Some(Ok(reason)),
                Some(Ok(chunk)) => self.take(&mut call, chunk).await?,
                Some(Err(error)) => break Some(Err(error)),
                None => break Some(Err(Error::Incomplete)),
            }
        };
        // Closes the connection: the provider stops at once.
        drop(chunks);
        let finished = matches!(outcome, Some(Ok(_)));
        self.pay(&call, finished).await?;
        outcome.ok_or(INTERRUPTED)
    }

    /// What is sent: the same beginning every time, and what came since.
    pub(super) async fn request(&mut self) -> Result<Request, Stop> {
        let mut messages = self.history.messages();
        self.pictures
            .fill(&mut messages)
            .await
            .map_err(|_| Stop::Lost)?;
        let lineage = self.history.lineage();
        let tools = lineage.map_or(&[][..], |lineage| &lineage.tools);
        let tools = tools.iter().map(|tool| ToolSpec {
            name: tool.name.clone(),
            description: tool.description.clone(),
            input_schema: tool.input_schema.clone(),
        });
        Ok(Request {
            model: self.model.clone(),
            max_tokens: LONGEST_ANSWER,
            system: lineage.map_or_else(String::new, |lineage| lineage.system.clone()),
            tools: tools.collect(),
            messages,
            thinking: true,
        })
    }

    async fn take(&mut self, call: &mut ModelCall, chunk: Chunk) -> Result<(), Stop> {
        let event = match chunk {
            Chunk::Started { usage } | Chunk::Usage(usage) => {
                call.usage = Some(usage);
                return Ok(());
            }
            Chunk::BlockOpened { index, block } => Some(self.open_block(call, index, block)),
            Chunk::Signature { index, signature } => {
                call.signatures.insert(index, signature);
                return Ok(());
            }
            Chunk::Text { index, text } => call.delta(index, text, Delta::Text),
            Chunk::Thinking { index, text } => call.delta(index, text, Delta::Thinking),
            Chunk::ToolInput { index, json } => call.delta(index, json, Delta::ToolInput),
            Chunk::BlockClosed { index } => call.close(index),
            Chunk::Citation { citation: raw, .. } | Chunk::Unknown { raw, .. } => {
                Some(unknown(&raw))
            }
            Chunk::Stopped { .. } => None,
        };
        match event {
            Some(event) => self.write(event).await,
            None => Ok(()),
        }
    }

    fn open_block(&mut self, call: &mut ModelCall, index: u32, block: Block) -> Event {
        let kind = match block {
            Block::Text => BlockKind::Text,
            Block::Thinking => BlockKind::Thinking,
            Block::RedactedThinking { data } => BlockKind::Redacted { data },
            Block::ToolUse { id, name } => BlockKind::Tool {
                call: self.own_name(id),
                name,
            },
            Block::Other(raw) => BlockKind::Other { raw },
        };
        let (block, step) = (self.next_block, call.step);
        self.next_block += 1;
        call.blocks.insert(index, block);
        Event::BlockOpened { block, step, kind }
    }

    /// Local servers begin to count their calls anew with every answer; a session needs different names.
    fn own_name(&self, id: String) -> CallId {
        let taken = id.is_empty() || self.history.has_call(&CallId(id.clone()));
        if taken {
            return CallId(format!("{id}_{}", self.next_block));
        }
        CallId(id)
    }

    /// Interrupted, failed and repeated calls cost as well.
    pub(super) async fn pay(&mut self, call: &ModelCall, finished: bool) -> Result<(), Stop> {
        let Some(mut usage) = call.usage.clone() else {
            return Ok(());
        };
        if !finished {
            // The provider counts at the end; about four bytes are a token.
            usage.output = usage.output.max(call.written as u64 / 4);
        }
        let model = self.model.clone();
        let (pico, prices) = self.providers.cost(&model, &usage);
        self.so_far.pico = self.so_far.pico.saturating_add(pico.unwrap_or_default());
        let raw = usage.raw.clone();
        let usage = tokens(&usage);
        self.context = usage.total();
        let used = Used {
            model,
            usage,
            pico,
            prices,
            raw,
            finished,
        };
        self.report(Report::Used(Box::new(used))).await
    }

    async fn wait_to_retry(&mut self, error: &Error, tries: u32) -> Result<(), Stop> {
        let backoff = Duration::from_millis(500 * (1 << tries.min(5)));
        let pause = error.retry_after().unwrap_or(backoff);
        let now = crate::clock::now();
        let wait = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let scheduled = Event::RetryScheduled {
            until: Time(now.0.saturating_add(wait)),
            attempt: tries + 1,
            problem: ends::of_error(error),
        };
        self.write(scheduled).await?;
        tokio::select! {
            () = self.cancel.cancelled() => Err(INTERRUPTED),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }
}

/// What nobody here understands is shown as it came.
fn unknown(raw: &serde_json::Value) -> Event {
    let text = raw.to_string();
    let cut = text.floor_char_boundary(LONGEST_UNKNOWN);
    Event::Notice {
        level: Level::Info,
        code: "unknown_chunk".to_owned(),
        text: format!(
            "the provider sent something this version does not know: {}",
            &text[..cut]
        ),
    }
}

/// Which event a piece of an answer becomes.
#[derive(Clone, Copy)]
enum Delta {
    Text,
    Thinking,
    ToolInput,
}

impl ModelCall {
    fn delta(&mut self, index: u32, text: String, delta: Delta) -> Option<Event> {
        self.written += text.len();
        let block = *self.blocks.get(&index)?;
        let json = text;
        (!json.is_empty()).then_some(match delta {
            Delta::Text => Event::TextDelta { block, text: json },
            Delta::Thinking => Event::ThinkingDelta { block, text: json },
            Delta::ToolInput => Event::ToolInputDelta { block, json },
        })
    }

    fn close(&mut self, index: u32) -> Option<Event> {
        let block = *self.blocks.get(&index)?;
        let signature = self.signatures.remove(&index);
        Some(Event::BlockClosed { block, signature })
    }
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        input: usage.input,
        output: usage.output,
        cache_write: usage.cache_write,
        cache_write_1h: usage.cache_write_1h,
        cache_read: usage.cache_read,
    }
}
