//! The calls of an answer: asked for where they have to be, then run one after the other.

use super::Turn;
use super::ends::{self, INTERRUPTED, Stop};
use super::report::{Answer, Question, Report};
use crate::desk;
use crate::history::Call;
use crate::servers::Servers;
use bytes::Bytes;
use duplex_domain::{Blob, CallId, Event, Preview, ToolKind, Verdict};
use duplex_workspace::tools::{self, Outcome};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// The largest piece of tool output in one event.
const OUTPUT_PIECE: usize = 32 * 1024;
/// What the model reads of a call that its mode forbids.
const PLAN_MODE: &str = "The session is in plan mode: only reading is allowed. Work out a plan and hand it in with \
exit_plan; once somebody approves it, you may go on.";

/// A call, what was shown of it, and the answer on its way.
type Asked = (Call, Option<Preview>, oneshot::Receiver<Answer>);

impl Turn {
    /// Runs the calls of the newest answer that have no result yet. All are asked for first, so that people can answer
    /// them together.
    pub(super) async fn run_tools(&mut self) -> Result<(), Stop> {
        let calls = self.history.open_calls();
        if calls.is_empty() {
            return Err(ends::bad_call());
        }
        // The answer stands in the log before anybody is asked about it.
        self.output.flush().await?;
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            asked.push(self.ask_for(call).await?);
        }
        for asked in asked {
            self.run_asked(asked).await?;
        }
        if self.cancel.is_cancelled() {
            return Err(INTERRUPTED);
        }
        Ok(())
    }

    async fn ask_for(&mut self, call: Call) -> Result<Asked, Stop> {
        let (reply, answer) = oneshot::channel();
        let Some(preview) = self.preview(&call).await else {
            // Nobody is asked about what cannot be done: running it tells the model why, and does nothing.
            let _ = reply.send(Answer::Free);
            return Ok((call, None, answer));
        };
        let (tool, outside) = self.kind(&call.name).await;
        let question = Question {
            call: call.id.clone(),
            name: call.name.clone(),
            tool,
            outside,
            subject: self.subject(&call),
            preview: preview.clone(),
        };
        self.report(Report::Ask(Box::new(question), reply)).await?;
        Ok((call, Some(preview), answer))
    }

    async fn run_asked(&mut self, (call, shown, answer): Asked) -> Result<(), Stop> {
        let waiting = Instant::now();
        let answer = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(INTERRUPTED),
            answer = answer => answer.map_err(|_| Stop::Lost)?,
        };
        self.so_far.waited += waiting.elapsed();
        match answer {
            Answer::Free => self.run_tool(call).await,
            Answer::AnotherMode => self.refuse(call.id, PLAN_MODE.to_owned()).await,
            Answer::Decided(Verdict::Deny { reason }) => {
                self.refuse(call.id, denied(&reason)).await
            }
            Answer::Decided(Verdict::Allow | Verdict::AllowAlways { .. }) => {
                // An earlier call of the same answer may have changed the file that was shown.
                if self.preview(&call).await != shown {
                    let changed = "The file changed between being shown and being allowed; nothing was done. \
Read it and try again.";
                    return self.refuse(call.id, changed.to_owned()).await;
                }
                self.run_tool(call).await
            }
        }
    }

    /// What a tool does to the world, and whether it does it outside the sandbox.
    async fn kind(&self, name: &str) -> (ToolKind, bool) {
        if let Some(kind) = tools::kind(name) {
            return (crate::previews::kind(kind), false);
        }
        if desk::has(name) {
            return desk::KIND;
        }
        let kind = self.servers.kind(name).await;
        kind.unwrap_or((ToolKind::Foreign, true))
    }

    /// What rules are held against.
    fn subject(&self, call: &Call) -> String {
        if desk::has(&call.name) {
            return desk::subject(&call.input);
        }
        tools::subject(&self.tools, &call.name, &call.input)
    }

    async fn preview(&self, call: &Call) -> Option<Preview> {
        if desk::has(&call.name) {
            return self.desk.preview(&call.name, &call.input);
        }
        let preview = tools::preview(&self.tools, &call.name, &call.input).await;
        crate::previews::preview(preview)
    }

    /// A call that does not run has a result all the same.
    async fn refuse(&mut self, call: CallId, content: String) -> Result<(), Stop> {
        let outcome = Outcome {
            content,
            is_error: true,
            ..Outcome::default()
        };
        self.finish(call, outcome, Duration::ZERO).await
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
        if let Some(items) = &outcome.plan {
            let items = crate::previews::plan(items);
            self.write(Event::PlanChanged { items }).await?;
        }
        let touched = tools::touched(&call.name, &call.input).map(str::to_owned);
        self.finish(call.id, outcome, began.elapsed()).await?;
        match touched {
            Some(path) => self.note_instructions_for(&path).await,
            None => Ok(()),
        }
    }

    async fn finish(&mut self, call: CallId, outcome: Outcome, took: Duration) -> Result<(), Stop> {
        let mut images = Vec::with_capacity(outcome.images.len());
        for image in outcome.images {
            let kept = self.pictures.keep(image.bytes, image.media_type).await;
            images.push(kept.map_err(|_| Stop::Lost)?);
        }
        let finished = Event::ToolFinished {
            call,
            content: outcome.content,
            is_error: outcome.is_error,
            took: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            diff: outcome.diff,
            images,
        };
        self.write(finished).await
    }

    async fn outcome(&mut self, call: &Call) -> Result<Outcome, Stop> {
        let (send, mut pieces) = mpsc::channel(16);
        let (context, cancel) = (self.tools.clone(), self.cancel.clone());
        let (name, input) = (call.name.clone(), call.input.clone());
        let (servers, desk) = (self.servers.clone(), self.desk.clone());
        let running = async move {
            if desk::has(&name) {
                return desk.call(&name, &input, cancel).await;
            }
            match duplex_mcp::parts(&name) {
                Some(_) => elsewhere(&context, &servers, &name, &input, send, cancel).await,
                None => tools::run(&context, &name, &input, send, cancel).await,
            }
        };
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

/// Has a tool server do it. What it says meanwhile is shown as output.
async fn elsewhere(
    context: &tools::Context,
    servers: &Servers,
    name: &str,
    input: &Value,
    output: mpsc::Sender<Bytes>,
    cancel: CancellationToken,
) -> Outcome {
    let (say, mut said) = mpsc::channel::<String>(16);
    let calling = servers.call(name, input, cancel, say);
    let showing = async {
        while let Some(line) = said.recv().await {
            let _ = output.send(Bytes::from(line + "\n")).await;
        }
    };
    let (called, ()) = tokio::join!(calling, showing);
    tools::elsewhere(context, &called.text, called.images, called.is_error).await
}

fn denied(reason: &str) -> String {
    match reason.trim() {
        "" => {
            "A person denied this call. Ask what they want instead, or go another way.".to_owned()
        }
        reason => format!("A person denied this call: {reason}"),
    }
}
