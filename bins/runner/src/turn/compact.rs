//! Makes room in the model's window: the model sums the conversation up and goes on with the summary.

use super::Turn;
use super::call::ModelCall;
use super::ends::{self, INTERRUPTED, Stop};
use crate::history::SUM_UP;
use crate::pictures::leave_out;
use duplex_domain::{EndReason, Event};
use duplex_provider::{Chunk, Error, StopReason};
use futures_util::StreamExt;

/// How much of a window may be filled before the conversation is summed up, in percent.
const FULL: u64 = 80;
/// How many bytes of each tool result are kept where even the summary's request does not fit.
const CLIPPED: usize = 2_000;

impl Turn {
    /// Whether the next answer may not fit.
    pub(super) fn is_nearly_full(&self) -> bool {
        let window = self.providers.window(&self.model);
        window.is_some_and(|window| self.context > window / 100 * FULL)
    }

    /// Has the conversation summed up. What was said since the last answer stays as it is.
    pub(super) async fn compact(&mut self) -> Result<(), Stop> {
        let before = self.context;
        let summary = match self.summary(None).await? {
            Some(summary) => summary,
            None => self
                .summary(Some(CLIPPED))
                .await?
                .ok_or_else(ends::no_room)?,
        };
        self.write(Event::Compacted { summary, before }).await?;
        self.context = 0;
        Ok(())
    }

    /// One model call on the side: its words are the summary, and no part of the transcript. None if it does not fit.
    async fn summary(&mut self, clipped: Option<usize>) -> Result<Option<String>, Stop> {
        let mut request = self.request().await?;
        request.messages = self.history.messages_for_summary(SUM_UP, clipped);
        leave_out(&mut request.messages);
        let provider = self.providers.for_model(&self.model);
        let mut chunks = provider.stream(request);
        let (mut call, mut summary) = (ModelCall::default(), String::new());
        let outcome = loop {
            let chunk = tokio::select! {
                biased;
                () = self.cancel.cancelled() => break None,
                chunk = chunks.next() => chunk,
            };
            match chunk {
                Some(Ok(Chunk::Started { usage } | Chunk::Usage(usage))) => {
                    call.usage = Some(usage);
                }
                Some(Ok(Chunk::Text { text, .. })) => {
                    call.written += text.len();
                    summary.push_str(&text);
                }
                Some(Ok(Chunk::Stopped {
                    reason: StopReason::ContextWindow,
                })) => break Some(Ok(false)),
                Some(Ok(Chunk::Stopped { .. })) => break Some(Ok(true)),
                Some(Ok(_)) => {}
                Some(Err(error)) => break Some(Err(error)),
                None => break Some(Err(Error::Incomplete)),
            }
        };
        drop(chunks);
        self.pay(&call, matches!(outcome, Some(Ok(_)))).await?;
        let fits = match outcome.ok_or(INTERRUPTED)? {
            Ok(fits) => fits,
            Err(error) if error.is_too_large() => false,
            Err(error) => return Err(Stop::Over(EndReason::Error, Some(ends::of_error(&error)))),
        };
        let summary = summary.trim().to_owned();
        Ok((fits && !summary.is_empty()).then_some(summary))
    }
}
