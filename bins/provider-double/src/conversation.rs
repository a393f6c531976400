//! What a request says: what the double is told, how far it is, and how much it costs.

use serde_json::{Value, json};

/// The text that tells the double what to do, and how many replies it has had.
pub(crate) struct Place {
    pub text: String,
    pub replies: usize,
}

/// Finds the last thing a person typed. Text that came along with tool results counts only if it has directives:
/// without, it is a note, and the script goes on.
pub(crate) fn place(body: &Value) -> Place {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let mut replies = 0;
    for message in messages.iter().rev() {
        if message["role"] == "assistant" {
            replies += 1;
        } else if let Some(text) = typed(&message["content"]) {
            return Place { text, replies };
        }
    }
    Place {
        text: String::new(),
        replies,
    }
}

fn typed(content: &Value) -> Option<String> {
    if let Some(text) = content.as_str() {
        return Some(text.to_owned());
    }
    let blocks = content.as_array()?;
    let texts: Vec<_> = blocks
        .iter()
        .filter_map(|block| block["text"].as_str())
        .collect();
    let directing = texts.iter().rev().find(|text| text.contains("[["));
    let brings_results = blocks.iter().any(|block| block["type"] == "tool_result");
    let last = if brings_results { None } else { texts.last() };
    directing.or(last).map(|text| (*text).to_owned())
}

/// Prompt tokens as the provider counts them; rough, but the same for the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub input: u64,
    pub cache_write: u64,
    pub cache_read: u64,
}

impl Prompt {
    /// A request with a cache mark writes what is new to the cache and reads what an earlier reply was given.
    pub fn of(body: &Value) -> Self {
        let total = size(body);
        if !body.to_string().contains("\"cache_control\"") {
            return Self {
                input: total,
                cache_write: 0,
                cache_read: 0,
            };
        }
        let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let last_reply = messages
            .iter()
            .rposition(|message| message["role"] == "assistant");
        let new: u64 =
            last_reply.map_or(total, |place| messages.iter().skip(place).map(weigh).sum());
        Self {
            input: 3,
            cache_write: new,
            cache_read: total.saturating_sub(new),
        }
    }

    pub fn usage(self, output: u64) -> Value {
        json!({
            "input_tokens": self.input,
            "cache_creation_input_tokens": self.cache_write,
            "cache_read_input_tokens": self.cache_read,
            "output_tokens": output,
        })
    }
}

/// All prompt tokens of a request.
pub(crate) fn size(body: &Value) -> u64 {
    ["system", "tools", "messages"]
        .iter()
        .map(|part| weigh(&body[*part]))
        .sum::<u64>()
        .max(1)
}

fn weigh(value: &Value) -> u64 {
    value.to_string().len() as u64 / 4
}
