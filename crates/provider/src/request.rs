//! What is asked of a provider.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One call to a model: everything it is to know, since a provider remembers nothing.
///
/// Keep `system` and `tools` the same for the life of a conversation and only add to `messages`: current models sign
/// their thinking over all that came before it, and refuse a history that was rewritten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The model's id, as in [`crate::ModelInfo::id`].
    pub model: String,
    /// Most tokens to write, thinking included.
    pub max_tokens: u32,
    /// Standing instructions; may be empty.
    pub system: String,
    /// The tools the model may call.
    pub tools: Vec<ToolSpec>,
    /// The conversation so far; the last message is the user's.
    pub messages: Vec<Message>,
    /// Whether to ask for summaries of the model's thinking.
    pub thinking: bool,
}

/// A tool as the model is told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// The name the model calls it by.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// A JSON schema of type object.
    pub input_schema: Value,
}

/// One message of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// Content blocks as the provider's own JSON, echoed untouched.
    pub content: Vec<Value>,
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person, and the results of tools.
    User,
    /// The model.
    Assistant,
}

impl Message {
    /// A picture as a content block of a user's message or of a tool's result.
    #[must_use]
    pub fn image(media_type: &str, bytes_in_base64: &str) -> Value {
        json!({
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": bytes_in_base64},
        })
    }
}
