//! What a tool call came to, within bounds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::scrub::Scrub;
use crate::text::{cut, line};

/// The most bytes of text of one result.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// The most images of one result.
pub const IMAGES: usize = 8;
/// The most bytes of one image.
pub const IMAGE_BYTES: usize = 4 * 1024 * 1024;
/// The media types that models look at.
const SEEN: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// What a call came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOutcome {
    /// All texts, resources and links, a line in brackets for what is none; at most a little over [`TEXT_BYTES`].
    pub text: String,
    /// Images that a model can look at: media type and bytes.
    pub images: Vec<(String, Bytes)>,
    /// Whether the server says that the call failed; the text tells why.
    pub is_error: bool,
}

impl CallOutcome {
    pub(crate) fn new(result: CallToolResult, scrub: &Scrub) -> Self {
        let mut outcome = Self {
            is_error: result.is_error.unwrap_or(false),
            ..Self::default()
        };
        for block in result.content {
            outcome.block(block);
        }
        // It repeats in a program's form what the texts say; alone it is all there is.
        if let Some(value) = result
            .structured_content
            .filter(|_| outcome.text.is_empty())
        {
            outcome.say(&serde_json::to_string_pretty(&value).unwrap_or_default());
        }
        outcome.text = scrub.text(&outcome.text);
        let length = outcome.text.len();
        if length > TEXT_BYTES {
            let kept = cut(&outcome.text, TEXT_BYTES).len();
            outcome.text.truncate(kept);
            outcome.say(&format!("[{} more bytes are left out]", length - kept));
        }
        outcome
    }

    fn block(&mut self, block: ContentBlock) {
        match block {
            ContentBlock::Text(text) => self.say(&text.text),
            ContentBlock::Image(image) => self.image(&image.mime_type, &image.data),
            ContentBlock::Audio(audio) => {
                let kind = line(&audio.mime_type, 80);
                self.say(&format!("[sound of type {kind}: it cannot be heard here]"));
            }
            ContentBlock::Resource(resource) => self.resource(resource.resource),
            ContentBlock::ResourceLink(link) => {
                let about = link.description.map(|text| format!(": {text}"));
                let about = about.unwrap_or_default();
                self.say(&format!("[resource {} at {}{about}]", link.name, link.uri));
            }
            _ => self.say("[content of an unknown kind]"),
        }
    }

    fn resource(&mut self, resource: ResourceContents) {
        match resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                self.say(&format!("[resource {uri}]\n{text}"));
            }
            ResourceContents::BlobResourceContents {
                uri,
                mime_type,
                blob,
                ..
            } => {
                let kind = mime_type.unwrap_or_default();
                if kind.starts_with("image/") {
                    self.say(&format!("[resource {uri}]"));
                    self.image(&kind, &blob);
                } else {
                    let bytes = blob.len() / 4 * 3;
                    let kind = line(&kind, 80);
                    self.say(&format!(
                        "[resource {uri} of type {kind}: about {bytes} bytes]"
                    ));
                }
            }
            _ => self.say("[a resource of an unknown kind]"),
        }
    }

    fn image(&mut self, kind: &str, data: &str) {
        let left_out = if !SEEN.contains(&kind) {
            "it cannot be looked at"
        } else if self.images.len() == IMAGES {
            "there are too many"
        } else if data.len() / 4 * 3 > IMAGE_BYTES {
            "it is too large"
        } else if let Ok(bytes) = STANDARD.decode(data) {
            self.images.push((kind.to_owned(), bytes.into()));
            return;
        } else {
            "it is broken"
        };
        let kind = line(kind, 80);
        self.say(&format!("[image of type {kind} left out: {left_out}]"));
    }

    /// Adds a piece on a line of its own.
    fn say(&mut self, piece: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(piece);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn outcome(result: serde_json::Value) -> CallOutcome {
        let result = serde_json::from_value(result).unwrap();
        CallOutcome::new(result, &Scrub::new(["s3cret!".to_owned()]))
    }

    #[test]
    fn every_kind_of_content_is_told_of() {
        let seen = outcome(
            json!({"isError": true, "structuredContent": {"a": 1}, "content": [
                {"type": "text", "text": "one s3cret!"},
                {"type": "image", "mimeType": "image/png", "data": "AAEC"},
                {"type": "image", "mimeType": "image/tiff", "data": "AAEC"},
                {"type": "image", "mimeType": "image/png", "data": "?"},
                {"type": "audio", "mimeType": "audio/wav", "data": "AAEC"},
                {"type": "resource", "resource": {"uri": "a://1", "text": "two\n"}},
                {"type": "resource", "resource": {"uri": "a://2", "blob": "AAEC", "mimeType": "application/zip"}},
                {"type": "resource_link", "uri": "a://3", "name": "three", "description": "third"},
            ]}),
        );

        let text = [
            "one [secret]",
            "[image of type image/tiff left out: it cannot be looked at]",
            "[image of type image/png left out: it is broken]",
            "[sound of type audio/wav: it cannot be heard here]",
            "[resource a://1]",
            "two",
            "[resource a://2 of type application/zip: about 3 bytes]",
            "[resource three at a://3: third]",
        ];
        let expected = CallOutcome {
            text: text.join("\n"),
            images: vec![("image/png".to_owned(), Bytes::from_static(&[0, 1, 2]))],
            is_error: true,
        };
        assert_eq!(seen, expected);
    }

    #[test]
    fn structured_content_is_shown_when_it_is_all_there_is() {
        let seen = outcome(json!({"content": [], "structuredContent": {"a": 1}}));
        assert_eq!(seen.text, "{\n  \"a\": 1\n}");
    }

    #[test]
    fn long_text_and_many_images_are_bounded() {
        let image = json!({"type": "image", "mimeType": "image/png", "data": "AAEC"});
        let mut content = vec![image; IMAGES + 1];
        content.push(json!({"type": "text", "text": "猫".repeat(TEXT_BYTES / 2)}));

        let seen = outcome(json!({ "content": content }));

        assert_eq!(seen.images.len(), IMAGES);
        assert!(
            seen.text
                .starts_with("[image of type image/png left out: there are too many]\n猫")
        );
        assert!(seen.text.ends_with("bytes are left out]"));
        assert!(seen.text.len() < TEXT_BYTES + 64);
    }
}
