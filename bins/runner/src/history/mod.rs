//! What the model is told of a conversation, folded from the session's events.
//!
//! Parts of answers are given back as they came. What an interrupt, an error or a lost runner left unfinished is
//! mended so that the provider accepts it: every tool call has exactly one result in the next message, results come
//! first, nothing is empty, and thinking without its signature is left out.

mod part;

use duplex_domain::{
    Again, BlockKind, Body, CallId, EndReason, Envelope, Event, MessageId, Session, ToolText,
    TurnId, Verdict,
};
use duplex_provider::{Message, Role};
pub use part::Call;
use part::Part;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the model is told about a turn that a person stopped.
const INTERRUPTED: &str = "[The user stopped the previous answer here.]";
/// What the model is told about a turn that broke off.
const BROKEN_OFF: &str = "[The previous answer broke off here because of a failure.]";
/// The result of a call that has none.
const NEVER_RAN: &str = "The call was stopped with its turn. It may have had effects.";
/// The result of a call that nobody had allowed yet.
const NOT_ALLOWED: &str = "The call did not run: its turn was stopped before anybody allowed it.";
/// What the model is told when somebody wants it to go on.
const CONTINUE: &str = "[Go on where you stopped.]";
/// What the model is told when somebody wants the same once more.
const RETRY: &str = "[That did not work out. Try the last request again.]";
/// What stands before a summary.
const SUMMED_UP: &str = "[The conversation so far was summed up to make room. The summary:]";
/// What the model asks itself when there is no more room.
pub const SUM_UP: &str = "[The conversation no longer fits and will be replaced by your summary. Write it now, \
without calling tools: what was asked, in the words that matter; what was decided and why; which files were read, \
changed or made, with their paths; commands that worked or failed; what is still to be done, next step first.]";

/// A conversation so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    results: HashMap<CallId, Outcome>,
    /// Standing instructions and tools, fixed since the conversation began; none before it did.
    lineage: Option<Lineage>,
    /// What the model was told last about each topic.
    notes: BTreeMap<String, String>,
    started: HashSet<CallId>,
    asked: HashSet<CallId>,
    verdicts: HashMap<CallId, Verdict>,
}

/// What stands before a conversation and never changes within it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    /// Standing instructions.
    pub system: String,
    /// The tools offered.
    pub tools: Vec<ToolText>,
}

/// What came of a call.
#[derive(Clone, Debug)]
struct Outcome {
    content: String,
    is_error: bool,
    images: Vec<Body>,
}

#[derive(Clone, Debug)]
enum Entry {
    /// A person's words, or a note of ours in their place.
    Said(String),
    /// One answer of the model.
    Answer {
        turn: Option<TurnId>,
        step: u32,
        parts: Vec<Part>,
    },
}

impl History {
    /// Takes in an event. `session` is the state before it.
    pub fn apply(&mut self, session: &Session, envelope: &Envelope) {
        if !session.heeds(envelope) {
            return;
        }
        match &envelope.event {
            Event::TurnStarted {
                messages, again, ..
            } => self.start_turn(session, messages, *again),
            Event::MessagesTaken { messages } => self.start_turn(session, messages, None),
            _ => {}
        }
        self.write(envelope);
    }

    /// Takes in messages that were slipped into the running turn.
    pub fn steer(&mut self, texts: Vec<String>) {
        self.entries.extend(texts.into_iter().map(Entry::Said));
    }

    /// Takes in an event of the turn that runs.
    pub fn write(&mut self, envelope: &Envelope) {
        match &envelope.event {
            Event::BlockOpened { block, step, kind } => {
                self.open(envelope.turn, *step, *block, kind);
            }
            Event::TextDelta { block, text } | Event::ThinkingDelta { block, text } => {
                self.push(*block, text);
            }
            Event::ToolInputDelta { block, json } => self.push(*block, json),
            Event::BlockClosed { block, signature } => {
                if let Some(part) = self.part(*block) {
                    part.closed = true;
                    part.signature.clone_from(signature);
                }
            }
            Event::ToolFinished {
                call,
                content,
                is_error,
                images,
                ..
            } => {
                let outcome = Outcome {
                    content: content.clone(),
                    is_error: *is_error,
                    images: images.clone(),
                };
                self.results.insert(call.clone(), outcome);
            }
            Event::ToolStarted { call, .. } => {
                self.started.insert(call.clone());
            }
            Event::ApprovalRequested { call, .. } => {
                self.asked.insert(call.clone());
            }
            Event::ApprovalDecided { call, verdict } => {
                let first = self.verdicts.entry(call.clone());
                first.or_insert_with(|| verdict.clone());
            }
            Event::LineageStarted { system, tools } => {
                let (system, tools) = (system.clone(), tools.clone());
                self.lineage = Some(Lineage { system, tools });
            }
            Event::ContextNoted { topic, text } => {
                self.notes.insert(topic.clone(), text.clone());
                self.entries.push(Entry::Said(text.clone()));
            }
            Event::Compacted { summary, .. } => self.compact(summary),
            Event::TurnEnded { reason, .. } => self.end_turn(*reason),
            _ => {}
        }
    }

    fn start_turn(&mut self, session: &Session, messages: &[MessageId], again: Option<Again>) {
        let queued = session.queue.iter();
        let taken = queued.filter(|queued| messages.contains(&queued.id));
        self.entries
            .extend(taken.map(|queued| Entry::Said(queued.text.clone())));
        let wish = match again {
            Some(Again::Continue) => CONTINUE,
            Some(Again::Retry) => RETRY,
            None => return,
        };
        self.entries.push(Entry::Said(wish.to_owned()));
    }

    /// A new conversation: the summary, and what was said since the last answer.
    fn compact(&mut self, summary: &str) {
        let answered = self.entries.iter().rposition(Entry::is_answer);
        let unanswered = self.entries.split_off(answered.map_or(0, |at| at + 1));
        self.entries = vec![Entry::Said(format!("{SUMMED_UP}\n{summary}"))];
        self.entries.extend(unanswered);
        self.results.clear();
        self.started.clear();
        self.lineage = None;
        self.notes.clear();
    }

    /// What stands before the conversation, once it has begun.
    #[must_use]
    pub fn lineage(&self) -> Option<&Lineage> {
        self.lineage.as_ref()
    }

    /// Whether the model was told exactly this about a topic, and nothing else since.
    #[must_use]
    pub fn knows(&self, topic: &str, text: &str) -> bool {
        self.notes.get(topic).is_some_and(|note| note == text)
    }

    /// Whether something was said that the model did not answer.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        matches!(self.entries.last(), Some(Entry::Said(text)) if text == CONTINUE || text == RETRY)
    }

    /// Whether the model was told anything about a topic.
    #[must_use]
    pub fn has_note(&self, topic: &str) -> bool {
        self.notes.contains_key(topic)
    }

    /// What was answered to a call.
    #[must_use]
    pub fn verdict(&self, call: &CallId) -> Option<&Verdict> {
        self.verdicts.get(call)
    }

    /// Whether the turn only waited for somebody's answer, so that another runner can go on with it: its answer is
    /// complete, nothing of it was running, and a call of it was asked for.
    #[must_use]
    pub fn only_waits(&self) -> bool {
        let open = self.open_calls();
        let running = open.iter().any(|call| self.started.contains(&call.id));
        !running && open.iter().any(|call| self.asked.contains(&call.id))
    }

    /// Whether a call of this name was made before.
    #[must_use]
    pub fn has_call(&self, call: &CallId) -> bool {
        self.results.contains_key(call) || self.started.contains(call) || self.asked.contains(call)
    }

    fn open(&mut self, turn: Option<TurnId>, step: u32, block: u64, kind: &BlockKind) {
        let part = Part {
            block,
            kind: kind.clone(),
            written: String::new(),
            signature: None,
            closed: false,
        };
        match self.entries.last_mut() {
            Some(Entry::Answer {
                turn: this,
                step: at,
                parts,
            }) if *this == turn && *at == step => parts.push(part),
            _ => self.entries.push(Entry::Answer {
                turn,
                step,
                parts: vec![part],
            }),
        }
    }

    /// A part of the newest answer.
    fn part(&mut self, block: u64) -> Option<&mut Part> {
        match self.entries.last_mut() {
            Some(Entry::Answer { parts, .. }) => parts.iter_mut().find(|part| part.block == block),
            _ => None,
        }
    }

    fn push(&mut self, block: u64, more: &str) {
        if let Some(part) = self.part(block) {
            part.written.push_str(more);
        }
    }

    fn end_turn(&mut self, reason: EndReason) {
        let note = match reason {
            EndReason::Interrupted | EndReason::Ended => INTERRUPTED,
            EndReason::Error | EndReason::RunnerLost | EndReason::Budget => BROKEN_OFF,
            EndReason::Complete
            | EndReason::Length
            | EndReason::Steps
            | EndReason::Time
            | EndReason::Refused => return,
        };
        self.entries.push(Entry::Said(note.to_owned()));
    }

    /// The calls of the newest answer, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        match self.entries.last() {
            Some(Entry::Answer { parts, .. }) => parts.iter().filter_map(Part::call).collect(),
            _ => Vec::new(),
        }
    }

    /// Calls of the newest answer that have no result, in order.
    #[must_use]
    pub fn open_calls(&self) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| !self.results.contains_key(&call.id));
        calls
    }

    /// The conversation as the provider wants it.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for entry in &self.entries {
            match entry {
                Entry::Said(text) => add(&mut messages, Role::User, text_block(text)),
                Entry::Answer { parts, .. } => {
                    for block in parts.iter().filter_map(Part::block) {
                        add(&mut messages, Role::Assistant, Some(block));
                    }
                    for call in parts.iter().filter_map(Part::call) {
                        add(&mut messages, Role::User, Some(self.result(&call)));
                    }
                }
            }
        }
        messages
    }

    /// The conversation with a last wish, and with long results clipped to some bytes where even that is too much.
    #[must_use]
    pub fn messages_for_summary(&self, wish: &str, clipped: Option<usize>) -> Vec<Message> {
        let mut whole = self.clone();
        if let Some(most) = clipped {
            for outcome in whole.results.values_mut() {
                let cut = outcome.content.floor_char_boundary(most);
                outcome.content.truncate(cut);
            }
        }
        whole.entries.push(Entry::Said(wish.to_owned()));
        whole.messages()
    }

    fn result(&self, call: &Call) -> Value {
        let result = self.results.get(&call.id);
        let (content, is_error) = match result {
            Some(outcome) => (outcome.content.as_str(), outcome.is_error),
            None if self.asked.contains(&call.id) && !self.started.contains(&call.id) => {
                (NOT_ALLOWED, true)
            }
            None => (NEVER_RAN, true),
        };
        let images = result.map_or(&[][..], |outcome| &outcome.images);
        let content = if images.is_empty() {
            json!(content)
        } else {
            let text = text_block(content).into_iter();
            let images = images.iter().map(image_block);
            Value::Array(text.chain(images).collect())
        };
        json!({
            "type": "tool_result",
            "tool_use_id": call.id,
            "content": content,
            "is_error": is_error,
        })
    }
}

impl Entry {
    fn is_answer(&self) -> bool {
        matches!(self, Self::Answer { .. })
    }
}

/// A picture by its hash; its bytes are put in just before the request is sent.
fn image_block(image: &Body) -> Value {
    json!({ "type": "image", "source": { "type": "body", "hash": image.hash, "media_type": image.media_type } })
}

fn text_block(text: &str) -> Option<Value> {
    let empty = text.trim().is_empty();
    (!empty).then(|| json!({ "type": "text", "text": text }))
}

/// Adds a block to the newest message if it has the same role, else to a new one.
fn add(messages: &mut Vec<Message>, role: Role, block: Option<Value>) {
    let Some(block) = block else { return };
    match messages.last_mut() {
        Some(message) if message.role == role => message.content.push(block),
        _ => messages.push(Message {
            role,
            content: vec![block],
        }),
    }
}

#[cfg(test)]
mod tests;
