//! A part of an answer, as it was written and as it is given back.

use super::text_block;
use duplex_domain::{BlockKind, CallId};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub block: u64,
    pub kind: BlockKind,
    pub written: String,
    pub signature: Option<String>,
    pub closed: bool,
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

impl Part {
    /// The part as the provider gave it; none if it must not be given back.
    pub fn block(&self) -> Option<Value> {
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
    pub fn call(&self) -> Option<Call> {
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
