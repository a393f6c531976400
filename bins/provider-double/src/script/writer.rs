//! Lays a reply out step by step.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Piece, Script, Step, What, delta};
use crate::conversation::Prompt;
use crate::directive::{Directive, Fault, Spoken};
use crate::encode::{self, Wire};
use crate::{Options, text};

/// A script in the making.
pub(super) struct Writer<'a> {
    body: &'a Value,
    number: u64,
    prompt: Prompt,
    rate: Option<u64>,
    clock: Duration,
    steps: Vec<Step>,
    blocks: u32,
    tokens: u64,
    limit: u64,
    calls: Vec<String>,
    signatures: Vec<String>,
}

impl<'a> Writer<'a> {
    pub fn new(body: &'a Value, options: &Options, number: u64) -> Self {
        Self {
            body,
            number,
            prompt: Prompt::of(body),
            rate: options.rate.map(u64::from),
            clock: Duration::ZERO,
            steps: Vec::new(),
            blocks: 0,
            tokens: 0,
            limit: body["max_tokens"].as_u64().unwrap_or(u64::MAX),
            calls: Vec::new(),
            signatures: Vec::new(),
        }
    }

    pub fn write(mut self, directives: &[Directive]) -> Script {
        let limits = directives.iter().filter_map(|directive| {
            if let Directive::MaxTokens(limit) = directive {
                *limit
            } else {
                None
            }
        });
        self.limit = limits.fold(self.limit, u64::min);
        self.begin();
        for directive in directives {
            if self.tokens < self.limit {
                self.say(directive);
            }
        }
        let usage = self.prompt.usage(self.tokens);
        self.finish(directives, &usage);
        for directive in directives {
            self.spoil(directive);
        }
        Script {
            steps: self.steps,
            wire: wire(directives),
            chunks: None,
            calls: self.calls,
            signatures: self.signatures,
            usage,
        }
    }

    fn begin(&mut self) {
        let id = format!(
            "msg_{:08x}{}",
            text::hash(self.body.to_string().as_bytes()),
            self.number
        );
        let mut usage = self.prompt.usage(1);
        usage["service_tier"] = json!("standard");
        let message = json!({
            "id": id, "type": "message", "role": "assistant", "model": self.body["model"], "content": [],
            "stop_reason": null, "stop_sequence": null, "usage": usage,
        });
        self.event(json!({"type": "message_start", "message": message}));
        self.event(json!({"type": "ping"}));
    }

    fn say(&mut self, directive: &Directive) {
        match directive {
            Directive::Say(spoken) => self.spoken(*spoken, Piece::Said),
            Directive::SayUtf8(spoken) => self.spoken(*spoken, Piece::Utf8),
            Directive::Clock(spoken) => self.spoken(*spoken, |_| Piece::Clock),
            Directive::Think(spoken) => self.think(*spoken),
            Directive::Text(text) => {
                let pieces = text
                    .split_inclusive(' ')
                    .map(|piece| Piece::Text(piece.to_owned()));
                self.block(
                    &json!({"type": "text", "text": ""}),
                    pieces,
                    self.rate,
                    None,
                );
            }
            Directive::Tool { name, input } => self.call(name, input),
            Directive::Strange => self.strange(),
            Directive::MaxTokens(_)
            | Directive::Stop(_)
            | Directive::Http(_)
            | Directive::Fault { .. }
            | Directive::Html
            | Directive::Never
            | Directive::CutAtByte(_)
            | Directive::Bytes(_)
            | Directive::Bom
            | Directive::Crlf => {}
        }
    }

    fn spoken(&mut self, spoken: Spoken, piece: fn(u64) -> Piece) {
        self.block(
            &json!({"type": "text", "text": ""}),
            (0..spoken.tokens).map(piece),
            spoken.rate.or(self.rate),
            None,
        );
    }

    /// Thinks as it was asked to: not at all, in silence, or aloud.
    fn think(&mut self, spoken: Spoken) {
        let thinking = &self.body["thinking"];
        if !matches!(thinking["type"].as_str(), Some("adaptive" | "enabled")) {
            return;
        }
        let aloud = thinking["display"] == "summarized" || thinking["type"] == "enabled";
        let tokens = if aloud {
            spoken.tokens.min(self.limit - self.tokens)
        } else {
            0
        };
        let signature = text::signature(&text::expected_thought(tokens));
        self.signatures.push(signature.clone());
        let start = json!({"type": "thinking", "thinking": "", "signature": ""});
        let end = json!({"type": "signature_delta", "signature": signature});
        self.block(
            &start,
            (0..tokens).map(Piece::Thought),
            spoken.rate.or(self.rate),
            Some(&end),
        );
    }

    fn call(&mut self, name: &str, input: &Value) {
        let conversation = text::hash(self.body["messages"].to_string().as_bytes());
        let id = format!("toolu_{conversation:016x}_{}_{}", self.number, self.blocks);
        self.calls.push(id.clone());
        let start = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        // Like the real one: the first piece is empty.
        let pieces = std::iter::once(String::new())
            .chain(cut(&input.to_string(), 12))
            .map(Piece::Json);
        self.block(&start, pieces, self.rate, None);
    }

    fn strange(&mut self) {
        let index = self.blocks;
        self.blocks += 1;
        self.event(json!({"type": "weather", "delta": "sunny"}));
        self.event(json!({"type": "content_block_start", "index": index, "content_block": {"type": "hologram", "beams": 3}}));
        self.event(delta(
            index,
            &json!({"type": "aroma_delta", "aroma": "coffee"}),
        ));
        self.event(json!({"type": "content_block_stop", "index": index}));
    }

    fn block(
        &mut self,
        start: &Value,
        pieces: impl Iterator<Item = Piece>,
        rate: Option<u64>,
        end: Option<&Value>,
    ) {
        let index = self.blocks;
        self.blocks += 1;
        self.event(json!({"type": "content_block_start", "index": index, "content_block": start}));
        let interval = rate.map_or(Duration::ZERO, |rate| {
            Duration::from_secs(1) / u32::try_from(rate).unwrap_or(u32::MAX)
        });
        for piece in pieces {
            if self.tokens == self.limit {
                break;
            }
            self.tokens += 1;
            self.clock += interval;
            self.step(What::Token { index, piece });
        }
        if let Some(end) = end {
            self.event(delta(index, end));
        }
        self.event(json!({"type": "content_block_stop", "index": index}));
    }

    fn finish(&mut self, directives: &[Directive], usage: &Value) {
        let reason = self.stop_reason(directives);
        let details = json!({"type": "refusal", "category": "general_harms", "explanation": "the double was told to refuse"});
        let details = if reason == "refusal" {
            details
        } else {
            Value::Null
        };
        let delta = json!({"stop_reason": reason, "stop_sequence": null, "stop_details": details});
        self.event(json!({"type": "message_delta", "delta": delta, "usage": usage}));
        self.event(json!({"type": "message_stop"}));
    }

    fn stop_reason(&self, directives: &[Directive]) -> String {
        let told = directives.iter().find_map(|directive| match directive {
            Directive::Stop(reason) => Some(reason.as_str()),
            Directive::MaxTokens(None) => Some("max_tokens"),
            _ => None,
        });
        let own = match (self.tokens == self.limit, self.calls.is_empty()) {
            (true, _) => "max_tokens",
            (false, true) => "end_turn",
            (false, false) => "tool_use",
        };
        told.unwrap_or(own).to_owned()
    }

    /// Lets the answer go wrong after so many tokens, or at the end of its content if it has fewer.
    fn spoil(&mut self, directive: &Directive) {
        let Directive::Fault { fault, after } = directive else {
            return;
        };
        let mut tokens = (0..)
            .zip(&self.steps)
            .filter(|(_, step)| matches!(step.what, What::Token { .. }))
            .map(|(place, _)| place + 1);
        let place = match after
            .checked_sub(1)
            .map(|skip| tokens.nth(usize::try_from(skip).unwrap_or(usize::MAX)))
        {
            None => 2,
            Some(Some(place)) => place,
            Some(None) => self.steps.len().saturating_sub(2),
        };
        self.steps.truncate(place);
        self.clock = self.steps.last().map_or(Duration::ZERO, |step| step.at);
        if *fault == Fault::Cut {
            self.step(What::Half);
        }
        self.step(match fault {
            Fault::Error(status) => What::Event(Box::new(encode::error(
                *status,
                &encode::message(*status),
                None,
            ))),
            Fault::Stall => What::Stall,
            Fault::End => What::End,
            Fault::Cut => What::Cut,
        });
    }

    fn event(&mut self, event: Value) {
        self.step(What::Event(Box::new(event)));
    }

    fn step(&mut self, what: What) {
        self.steps.push(Step {
            at: self.clock,
            what,
        });
    }
}

fn wire(directives: &[Directive]) -> Wire {
    let mut wire = Wire::default();
    for directive in directives {
        match directive {
            Directive::Bytes(size) => wire.piece = usize::try_from(*size).ok(),
            Directive::CutAtByte(byte) => wire.cut_at = Some(*byte),
            Directive::Bom => wire.bom = true,
            Directive::Crlf => wire.crlf = true,
            _ => {}
        }
    }
    wire
}

/// Pieces of so many letters.
fn cut(text: &str, letters: usize) -> Vec<String> {
    let all: Vec<_> = text.chars().collect();
    all.chunks(letters)
        .map(|piece| piece.iter().collect())
        .collect()
}
