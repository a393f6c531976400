//! What the model is told of a conversation, folded from the session's events.
//!
//! Parts of answers are given back as they came. What an interrupt, an error or a lost runner left unfinished is
//! mended so that the provider accepts it: every tool call has exactly one result in the next message, results come
//! first, nothing is empty, and thinking without its signature is left out.

use duplex_domain::{BlockKind, CallId, EndReason, Envelope, Event, MessageId, Session, TurnId};
use duplex_provider::{Message, Role};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What the model is told about a turn that a person stopped.
const INTERRUPTED: &str = "[The user stopped the previous answer here.]";
/// What the model is told about a turn that broke off.
const BROKEN_OFF: &str = "[The previous answer broke off here because of a failure.]";
/// The result of a call that has none.
const NEVER_RAN: &str = "The call was stopped with its turn. It may have had effects.";

/// A conversation so far.
#[derive(Clone, Debug, Default)]
pub struct History {
    entries: Vec<Entry>,
    results: HashMap<CallId, (String, bool)>,
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

#[derive(Clone, Debug)]
struct Part {
    block: u64,
    kind: BlockKind,
    written: String,
    signature: Option<String>,
    closed: bool,
}

/// A tool call that the model has finished writing.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The call.
    pub id: CallId,
    /// The tool.
    pub name: String,
    /// Its input.
    pub input: Value,
}

impl History {
    /// Takes in an event. `session` is the state before it.
    pub fn apply(&mut self, session: &Session, envelope: &Envelope) {
        if !session.heeds(envelope) {
            return;
        }
        if let Event::TurnStarted { messages, .. } = &envelope.event {
            self.start_turn(session, messages);
        }
        self.write(envelope);
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
                ..
            } => {
                self.results
                    .insert(call.clone(), (content.clone(), *is_error));
            }
            Event::TurnEnded { reason, .. } => self.end_turn(*reason),
            _ => {}
        }
    }

    fn start_turn(&mut self, session: &Session, messages: &[MessageId]) {
        let queued = session.queue.iter();
        let taken = queued.filter(|queued| messages.contains(&queued.id));
        self.entries
            .extend(taken.map(|queued| Entry::Said(queued.text.clone())));
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

    /// Calls that were begun and have no result, in order.
    #[must_use]
    pub fn open_calls(&self) -> Vec<CallId> {
        let unanswered = |call: &Call| !self.results.contains_key(&call.id);
        let calls = self.calls().into_iter();
        calls.filter(unanswered).map(|call| call.id).collect()
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

    fn result(&self, call: &Call) -> Value {
        let result = self.results.get(&call.id);
        let (content, is_error) = result.map_or((NEVER_RAN, true), |(content, is_error)| {
            (content.as_str(), *is_error)
        });
        json!({
            "type": "tool_result",
            "tool_use_id": call.id,
            "content": content,
            "is_error": is_error,
        })
    }
}

impl Part {
    /// The part as the provider gave it; none if it must not be given back.
    fn block(&self) -> Option<Value> {
        match &self.kind {
            BlockKind::Text => text_block(&self.written),
            BlockKind::Thinking => self.signature.as_ref().map(|signature| {
                json!({ "type": "thinking", "thinking": self.written, "signature": signature })
            }),
            BlockKind::Redacted { data } => {
                Some(json!({ "type": "redacted_thinking", "data": data }))
            }
            BlockKind::Tool { .. } => {
                let Call { id, name, input } = self.call()?;
                Some(json!({ "type": "tool_use", "id": id, "name": name, "input": input }))
            }
            BlockKind::Other { raw } => Some(raw.clone()),
        }
    }

    /// The call, if this is one that the model finished writing and that is JSON.
    fn call(&self) -> Option<Call> {
        let BlockKind::Tool { call, name } = &self.kind else {
            return None;
        };
        let input = match self.written.trim() {
            "" => json!({}),
            written => serde_json::from_str(written).ok()?,
        };
        (self.closed && input.is_object()).then(|| Call {
            id: call.clone(),
            name: name.clone(),
            input,
        })
    }
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use duplex_domain::{
        Delivery, Recorded, Role as MemberRole, Seq, SessionId, Time, UserId, Writer,
    };
    use duplex_domain::{TeamId, WorkspaceId, codec};
    use uuid::Uuid;

    const ADA: UserId = UserId(Uuid::from_u128(0xADA));
    const TURN: TurnId = TurnId(Uuid::from_u128(70));

    /// A conversation told event by event.
    struct Story {
        session: Session,
        history: History,
        messages: u128,
    }

    impl Story {
        fn new() -> Self {
            let mut story = Self {
                session: Session::new(SessionId::default()),
                history: History::default(),
                messages: 0,
            };
            story.tell(Event::Opened {
                team: TeamId::default(),
                workspace: WorkspaceId::default(),
                path: String::new(),
                name: "Ada".into(),
                title: String::new(),
                agent: "duplex".into(),
                model: "demo".into(),
                mode: duplex_domain::Mode::default(),
                sandbox: String::new(),
            });
            assert_eq!(story.session.role_of(ADA), Some(MemberRole::Owner));
            story
        }

        fn tell(&mut self, event: Event) -> &mut Self {
            let envelope = Envelope {
                v: codec::CURRENT,
                at: Time(0),
                by: Writer::User(ADA),
                epoch: None,
                turn: Some(TURN),
                event,
            };
            self.history.apply(&self.session, &envelope);
            let frame = Recorded {
                session: self.session.id,
                seq: Seq(self.session.seq.0 + 1),
                lane: envelope.event.lane(),
                events: vec![envelope],
            };
            self.session.apply(&frame);
            self
        }

        fn ask(&mut self, text: &str) -> &mut Self {
            self.messages += 1;
            let message = MessageId(Uuid::from_u128(self.messages));
            let (text, delivery) = (text.to_owned(), Delivery::Queue);
            self.tell(Event::MessagePosted {
                message,
                text,
                delivery,
            });
            let (messages, model) = (vec![message], "demo".to_owned());
            self.tell(Event::TurnStarted {
                messages,
                model,
                again: None,
            })
        }

        fn open(&mut self, step: u32, block: u64, kind: BlockKind) -> &mut Self {
            self.tell(Event::BlockOpened { block, step, kind })
        }

        fn text(&mut self, step: u32, block: u64, text: &str) -> &mut Self {
            self.open(step, block, BlockKind::Text);
            let text = text.to_owned();
            self.tell(Event::TextDelta { block, text })
        }

        fn think(&mut self, step: u32, block: u64, text: &str) -> &mut Self {
            self.open(step, block, BlockKind::Thinking);
            let text = text.to_owned();
            self.tell(Event::ThinkingDelta { block, text })
        }

        fn call(&mut self, step: u32, block: u64, id: &str, json: &str) -> &mut Self {
            let (call, name) = (CallId(id.into()), "bash".to_owned());
            self.open(step, block, BlockKind::Tool { call, name });
            let json = json.to_owned();
            self.tell(Event::ToolInputDelta { block, json })
        }

        fn close(&mut self, block: u64, signature: Option<&str>) -> &mut Self {
            let signature = signature.map(str::to_owned);
            self.tell(Event::BlockClosed { block, signature })
        }

        fn result(&mut self, id: &str, content: &str) -> &mut Self {
            self.tell(Event::ToolFinished {
                call: CallId(id.into()),
                content: content.to_owned(),
                is_error: false,
                took: 1,
                diff: None,
                images: Vec::new(),
            })
        }

        fn end(&mut self, reason: EndReason) -> &mut Self {
            self.tell(Event::TurnEnded {
                reason,
                problem: None,
            })
        }

        /// The conversation as JSON, after checking what every provider demands of it.
        fn messages(&self) -> Value {
            let messages = self.history.messages();
            check(&messages);
            serde_json::to_value(messages).unwrap()
        }
    }

    /// Roles alternate from the user to the user; nothing is empty; each call has one result, first in the next message.
    fn check(messages: &[Message]) {
        for (n, message) in messages.iter().enumerate() {
            let expected = if n % 2 == 0 {
                Role::User
            } else {
                Role::Assistant
            };
            assert_eq!(message.role, expected, "message {n}");
            assert!(!message.content.is_empty());
            let calls = ids(&message.content, "tool_use", "id");
            let next = messages.get(n + 1).map(|next| next.content.as_slice());
            let next = next.unwrap_or_default();
            let head = &next[..calls.len().min(next.len())];
            assert_eq!(ids(head, "tool_result", "tool_use_id"), calls);
        }
        assert_eq!(messages.last().unwrap().role, Role::User);
    }

    fn ids(content: &[Value], kind: &str, name: &str) -> Vec<String> {
        let blocks = content.iter().filter(|block| block["type"] == kind);
        blocks
            .map(|block| block[name].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn parts_of_an_answer_are_given_back_as_they_came() {
        let mut story = Story::new();
        story
            .ask("list files")
            .think(0, 0, "hm")
            .close(0, Some("sig"));
        story.text(0, 1, "I look.").close(1, None);
        story
            .call(0, 2, "c1", r#"{"z":1,"command":"ls"}"#)
            .close(2, None);
        story.result("c1", "README.md");

        assert_eq!(
            story.messages(),
            json!([
                {"role": "user", "content": [{"type": "text", "text": "list files"}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "bash", "input": {"z": 1, "command": "ls"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "README.md", "is_error": false},
                ]},
            ])
        );
    }

    #[test]
    fn an_interrupt_in_text_keeps_the_text_and_says_so() {
        let mut story = Story::new();
        story
            .ask("tell")
            .text(0, 0, "Once upon")
            .end(EndReason::Interrupted);
        story.ask("go on");

        let messages = story.messages();

        assert_eq!(messages[1]["content"][0]["text"], "Once upon");
        assert_eq!(messages[2]["content"][0]["text"], INTERRUPTED);
        assert_eq!(messages[2]["content"][1]["text"], "go on");
    }

    #[test]
    fn an_interrupt_in_thinking_drops_what_was_not_signed() {
        let mut story = Story::new();
        story
            .ask("tell")
            .think(0, 0, "hm")
            .end(EndReason::Interrupted);
        story.ask("go on");

        assert_eq!(story.messages().as_array().unwrap().len(), 1);
    }

    #[test]
    fn an_interrupt_in_a_tool_s_input_drops_the_call() {
        let mut story = Story::new();
        story.ask("tell").text(0, 0, "I look.").close(0, None);
        story
            .call(0, 1, "c1", r#"{"comm"#)
            .end(EndReason::Interrupted);
        story.ask("go on");

        assert_eq!(story.messages()[1]["content"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_call_that_was_stopped_has_a_result_that_says_so() {
        let mut story = Story::new();
        story.ask("tell").call(0, 0, "c1", "{}").close(0, None);
        story
            .call(0, 1, "c2", "{}")
            .close(1, None)
            .result("c1", "one");
        story.end(EndReason::RunnerLost);
        story.ask("go on");

        let results = &story.messages()[2]["content"];

        assert_eq!(results[0]["content"], "one");
        assert_eq!(results[1]["content"], NEVER_RAN);
        assert_eq!(results[1]["is_error"], true);
    }

    #[test]
    fn an_empty_answer_is_not_given_back() {
        let mut story = Story::new();
        story
            .ask("tell")
            .text(0, 0, "")
            .close(0, None)
            .end(EndReason::Complete);
        story.ask("go on");

        assert_eq!(story.messages().as_array().unwrap().len(), 1);
    }
}
