//! One turn: the model is asked, its tools run, until it rests or is stopped.

use crate::history::{Call, History};
use crate::scribe::{Lost, Scribe};
use duplex_domain::{
    Blob, BlockKind, CallId, EndReason, Event, Level, Problem, TurnId, Usage as Tokens,
};
use duplex_provider::{
    Block, Chunk, Error, Providers, Request, StopReason, ToolSpec, Usage, price,
};
use duplex_workspace::tools::{self, Context, Outcome};
use futures_util::StreamExt;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many model calls one turn may make.
const MOST_STEPS: u32 = 100;
/// How often a call that failed before it said anything is made again.
const MOST_RETRIES: u32 = 4;
/// The longest answer asked for, in tokens.
const LONGEST_ANSWER: u32 = 32_000;
/// The largest piece of tool output in one event.
const OUTPUT_PIECE: usize = 32 * 1024;

/// What a turn tells the session's holder.
#[derive(Debug)]
pub enum Report {
    /// A model call was paid for.
    Used {
        /// The model.
        model: String,
        /// Tokens.
        usage: Tokens,
    },
    /// The turn is over, and all it wrote is in the log.
    Over {
        /// Which turn.
        turn: TurnId,
        /// Why.
        reason: EndReason,
        /// What went wrong.
        problem: Option<Problem>,
    },
}

/// A turn about to run.
pub struct Turn {
    /// Which turn.
    pub id: TurnId,
    /// The model.
    pub model: String,
    /// Standing instructions.
    pub system: String,
    /// The conversation, the messages of this turn included.
    pub history: History,
    /// The number of the next part of an answer.
    pub next_block: u64,
    /// Who answers.
    pub providers: Providers,
    /// What tools act on.
    pub tools: Context,
    /// Where it writes.
    pub output: Scribe,
    /// Where it reports.
    pub reports: mpsc::Sender<Report>,
    /// Stops it.
    pub cancel: CancellationToken,
}

/// Why a turn goes no further.
enum Stop {
    /// It is over.
    Over(EndReason, Option<Problem>),
    /// The session is somebody else's.
    Lost,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

/// A model call in progress.
#[derive(Default)]
struct ModelCall {
    step: u32,
    /// The numbers of its parts, by the provider's own index.
    blocks: HashMap<u32, u64>,
    signatures: HashMap<u32, String>,
    usage: Option<Usage>,
    /// Bytes of text and input received, to estimate what an unfinished call used.
    written: usize,
}

impl Turn {
    /// Runs until the end and reports it. If the session was lost it ends without a word.
    pub async fn run(mut self) {
        let Err(Stop::Over(reason, problem)) = self.steps().await else {
            return;
        };
        if self.output.flush().await.is_err() {
            return;
        }
        let turn = self.id;
        let over = Report::Over {
            turn,
            reason,
            problem,
        };
        // Without a holder there is nobody to tell.
        let _ = self.reports.send(over).await;
    }

    async fn steps(&mut self) -> Result<(), Stop> {
        for step in 0..MOST_STEPS {
            match self.ask(step).await? {
                StopReason::ToolUse => self.run_tools().await?,
                StopReason::PauseTurn => {}
                StopReason::EndTurn | StopReason::StopSequence => {
                    return Err(Stop::Over(EndReason::Complete, None));
                }
                StopReason::MaxTokens => return Err(Stop::Over(EndReason::Length, None)),
                StopReason::Refusal { explanation } => return Err(refused(explanation)),
                StopReason::ContextWindow => return Err(context_window()),
                StopReason::Other(reason) => return Err(unknown_stop(&reason)),
            }
        }
        let message = format!("the turn made {MOST_STEPS} model calls; say \"continue\" to go on");
        Err(over(EndReason::Length, "too_many_steps", message, false))
    }

    /// Asks the model; again, if it failed before it said anything and may work later.
    async fn ask(&mut self, step: u32) -> Result<StopReason, Stop> {
        let mut tries = 0;
        loop {
            let first = self.next_block;
            let error = match self.call(step).await? {
                Ok(reason) => return Ok(reason),
                Err(error) => error,
            };
            let said_nothing = self.next_block == first;
            if !said_nothing || !error.retryable() || tries == MOST_RETRIES {
                return Err(failed(&error));
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
        let mut chunks = provider.stream(self.request());
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
        self.report_usage(&call, finished).await;
        outcome.ok_or(Stop::Over(EndReason::Interrupted, None))
    }

    fn request(&self) -> Request {
        let tools = tools::catalogue(&self.tools)
            .into_iter()
            .map(|tool| ToolSpec {
                name: tool.name.to_owned(),
                description: tool.description.to_owned(),
                input_schema: tool.input_schema,
            });
        Request {
            model: self.model.clone(),
            max_tokens: LONGEST_ANSWER,
            system: self.system.clone(),
            tools: tools.collect(),
            messages: self.history.messages(),
            thinking: true,
        }
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
                call: CallId(id),
                name,
            },
            Block::Other(raw) => BlockKind::Other { raw },
        };
        let (block, step) = (self.next_block, call.step);
        self.next_block += 1;
        call.blocks.insert(index, block);
        Event::BlockOpened { block, step, kind }
    }

    async fn write(&mut self, event: Event) -> Result<(), Stop> {
        let envelope = self.output.write(Some(self.id), event).await?;
        self.history.write(&envelope);
        Ok(())
    }

    async fn report_usage(&self, call: &ModelCall, finished: bool) {
        let Some(mut usage) = call.usage else { return };
        if !finished {
            // The provider counts at the end; about four bytes are a token.
            usage.output = usage.output.max(call.written as u64 / 4);
        }
        let model = self.model.clone();
        let usage = tokens(usage);
        // Without a holder nobody keeps accounts.
        let _ = self.reports.send(Report::Used { model, usage }).await;
    }

    async fn wait_to_retry(&mut self, error: &Error, tries: u32) -> Result<(), Stop> {
        let backoff = Duration::from_millis(500 * (1 << tries.min(5)));
        let pause = error.retry_after().unwrap_or(backoff);
        let seconds = pause.as_secs_f32();
        let notice = Event::Notice {
            level: Level::Warning,
            code: error.code().to_owned(),
            text: format!("{error}; trying again in {seconds:.1} s"),
        };
        self.write(notice).await?;
        tokio::select! {
            () = self.cancel.cancelled() => Err(Stop::Over(EndReason::Interrupted, None)),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    async fn run_tools(&mut self) -> Result<(), Stop> {
        let calls = self.history.calls();
        if calls.is_empty() {
            let message = "the model asked for a tool in a way that cannot be read";
            return Err(over(
                EndReason::Error,
                "bad_tool_call",
                message.into(),
                true,
            ));
        }
        for call in calls {
            self.run_tool(call).await?;
        }
        if self.cancel.is_cancelled() {
            return Err(Stop::Over(EndReason::Interrupted, None));
        }
        Ok(())
    }

    /// Runs one call. That it began is in the log before it can have any effect.
    async fn run_tool(&mut self, call: Call) -> Result<(), Stop> {
        let started = Event::ToolStarted {
            call: call.id.clone(),
            name: call.name.clone(),
        };
        self.write(started).await?;
        self.output.flush().await?;
        let began = Instant::now();
        let outcome = self.outcome(&call).await?;
        let finished = Event::ToolFinished {
            call: call.id,
            content: outcome.content,
            is_error: outcome.is_error,
            took: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            diff: outcome.diff,
            images: Vec::new(),
        };
        self.write(finished).await
    }

    async fn outcome(&mut self, call: &Call) -> Result<Outcome, Stop> {
        let (send, mut pieces) = mpsc::channel(16);
        let (context, cancel) = (self.tools.clone(), self.cancel.clone());
        let (name, input) = (call.name.clone(), call.input.clone());
        let running = async move { tools::run(&context, &name, &input, send, cancel).await };
        let mut running = std::pin::pin!(running);
        let mut offset = 0;
        loop {
            tokio::select! {
                biased;
                Some(piece) = pieces.recv() => self.put_out(&call.id, &mut offset, &piece).await?,
                outcome = &mut running => {
                    while let Ok(piece) = pieces.try_recv() {
                        self.put_out(&call.id, &mut offset, &piece).await?;
                    }
                    return Ok(outcome);
                }
            }
        }
    }

    async fn put_out(&mut self, call: &CallId, offset: &mut u64, out: &[u8]) -> Result<(), Stop> {
        for piece in out.chunks(OUTPUT_PIECE) {
            let event = Event::ToolOutput {
                call: call.clone(),
                offset: *offset,
                bytes: Blob::from(piece),
            };
            *offset += piece.len() as u64;
            self.write(event).await?;
        }
        Ok(())
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

fn tokens(usage: Usage) -> Tokens {
    Tokens {
        input: usage.input,
        output: usage.output,
        cache_write: usage.cache_write,
        cache_write_1h: 0,
        cache_read: usage.cache_read,
    }
}

/// What a call cost in picodollars, and by which prices.
#[must_use]
pub fn cost(model: &str, usage: Tokens) -> (Option<u64>, Option<String>) {
    let usage = Usage {
        input: usage.input,
        output: usage.output,
        cache_write: usage.cache_write,
        cache_read: usage.cache_read,
    };
    let pico = price::cost(model, usage);
    (pico, pico.map(|_| price::TABLE.to_owned()))
}

fn over(reason: EndReason, code: &str, message: String, retryable: bool) -> Stop {
    let code = code.to_owned();
    let problem = Problem {
        code,
        message,
        retryable,
    };
    Stop::Over(reason, Some(problem))
}

fn failed(error: &Error) -> Stop {
    over(
        EndReason::Error,
        error.code(),
        error.to_string(),
        error.retryable(),
    )
}

fn refused(explanation: Option<String>) -> Stop {
    let message = explanation.unwrap_or_else(|| "the model declined to answer".to_owned());
    over(EndReason::Refused, "refused", message, false)
}

fn context_window() -> Stop {
    let message = "the conversation no longer fits the model's window; open a new session";
    over(
        EndReason::Length,
        "context_window",
        message.to_owned(),
        false,
    )
}

fn unknown_stop(reason: &str) -> Stop {
    let message = format!("the provider stopped for a reason unknown here: {reason}");
    over(EndReason::Error, "unknown_stop", message, true)
}
