//! Takes the key out of what a server sends back, also where it is split over several pieces.

use std::collections::{BTreeMap, VecDeque};

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use crate::{Block, Chunk, ChunkStream, Error, Secret};

/// What pieces of text belong to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Thinking,
    ToolInput,
}

/// The same stream without the key: in its errors, its texts, and what it does not understand.
///
/// A piece that ends like the beginning of the key waits for the next one. Thinking is signed as it was written, so
/// a server that thinks aloud about the key is not understood afterwards; that is better than to keep the key.
pub(crate) fn without(stream: ChunkStream, key: Option<Secret>) -> ChunkStream {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return stream;
    };
    let scrub = Scrub {
        key,
        held: BTreeMap::new(),
    };
    let state = (stream, scrub, VecDeque::new());
    stream::unfold(state, |(mut stream, mut scrub, mut ready)| async move {
        loop {
            if let Some(next) = ready.pop_front() {
                return Some((next, (stream, scrub, ready)));
            }
            ready.extend(scrub.take(stream.next().await)?);
        }
    })
    .boxed()
}

struct Scrub {
    key: Secret,
    /// The ends that may be the beginning of the key.
    held: BTreeMap<(u32, Kind), String>,
}

impl Scrub {
    /// What goes on; none at the end of all.
    fn take(
        &mut self,
        next: Option<Result<Chunk, Error>>,
    ) -> Option<VecDeque<Result<Chunk, Error>>> {
        let mut out = VecDeque::new();
        let (index, kind, text) = match next {
            Some(Ok(Chunk::Text { index, text })) => (index, Kind::Text, text),
            Some(Ok(Chunk::Thinking { index, text })) => (index, Kind::Thinking, text),
            Some(Ok(Chunk::ToolInput { index, json })) => (index, Kind::ToolInput, json),
            other => {
                out.extend(self.let_go().map(Ok));
                match other {
                    Some(Ok(chunk)) => out.push_back(Ok(self.clean(chunk))),
                    Some(Err(error)) => out.push_back(Err(error.scrubbed(&self.key))),
                    None if out.is_empty() => return None,
                    None => {}
                }
                return Some(out);
            }
        };
        let held = self.held.remove(&(index, kind)).unwrap_or_default();
        let mut text = self.key.scrub(&(held + &text));
        let end = text.split_off(text.len() - self.beginning(&text));
        if !end.is_empty() {
            self.held.insert((index, kind), end);
        }
        if !text.is_empty() {
            out.push_back(Ok(piece(index, kind, text)));
        }
        Some(out)
    }

    /// How many bytes at the end of a text are the beginning of the key.
    fn beginning(&self, text: &str) -> usize {
        let key = self.key.reveal();
        let ends = key.char_indices().map(|(at, _)| at).rev();
        ends.into_iter()
            .find(|length| text.ends_with(&key[..*length]))
            .unwrap_or_default()
    }

    /// What was held and is no key: something else follows.
    fn let_go(&mut self) -> impl Iterator<Item = Chunk> + use<> {
        let held = std::mem::take(&mut self.held).into_iter();
        held.map(|((index, kind), text)| piece(index, kind, text))
    }

    fn clean(&self, chunk: Chunk) -> Chunk {
        match chunk {
            Chunk::Unknown { index, raw } => {
                let raw = self.clean_value(raw);
                Chunk::Unknown { index, raw }
            }
            Chunk::Citation { index, citation } => {
                let citation = self.clean_value(citation);
                Chunk::Citation { index, citation }
            }
            Chunk::BlockOpened { index, block } => {
                let block = self.clean_block(block);
                Chunk::BlockOpened { index, block }
            }
            other => other,
        }
    }

    fn clean_block(&self, block: Block) -> Block {
        match block {
            Block::ToolUse { id, name } => Block::ToolUse {
                id: self.key.scrub(&id),
                name: self.key.scrub(&name),
            },
            other => other,
        }
    }

    fn clean_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.key.scrub(&text)),
            Value::Array(items) => {
                let items = items.into_iter();
                Value::Array(items.map(|item| self.clean_value(item)).collect())
            }
            Value::Object(fields) => {
                let fields = fields.into_iter();
                let clean = |(name, value): (String, Value)| {
                    (self.key.scrub(&name), self.clean_value(value))
                };
                Value::Object(fields.map(clean).collect())
            }
            other => other,
        }
    }
}

fn piece(index: u32, kind: Kind, text: String) -> Chunk {
    match kind {
        Kind::Text => Chunk::Text { index, text },
        Kind::Thinking => Chunk::Thinking { index, text },
        Kind::ToolInput => Chunk::ToolInput { index, json: text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-secret-sk-1";

    async fn scrubbed(chunks: Vec<Result<Chunk, Error>>) -> Vec<Result<Chunk, Error>> {
        let stream = stream::iter(chunks).boxed();
        without(stream, Some(Secret::new(KEY))).collect().await
    }

    fn text(text: &str) -> Chunk {
        let text = text.to_owned();
        Chunk::Text { index: 0, text }
    }

    fn joined(chunks: &[Result<Chunk, Error>]) -> String {
        let texts = chunks.iter().filter_map(|chunk| match chunk {
            Ok(Chunk::Text { text, .. }) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    #[tokio::test]
    async fn the_key_is_found_however_it_is_split() {
        let said = format!("It is sk-{KEY} and ssk-s, I sk");
        for one in 0..=said.len() {
            for two in one..=said.len() {
                let end = Ok(Chunk::BlockClosed { index: 0 });
                let pieces = [&said[..one], &said[one..two], &said[two..]];
                let mut chunks: Vec<_> = pieces.map(text).map(Ok).into();
                chunks.push(end.clone());

                let out = scrubbed(chunks).await;

                assert_eq!(
                    joined(&out),
                    "It is sk-[key] and ssk-s, I sk",
                    "{one} {two}"
                );
                assert_eq!(out.last(), Some(&end));
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_key_waits_for_nothing_but_its_end() {
        let pieces = ["a", "b sk-", "c", "sk"].map(text).map(Ok);
        let expected = ["a", "b ", "sk-c", "sk"].map(text).map(Ok);

        assert_eq!(scrubbed(pieces.into()).await, expected);
    }

    #[tokio::test]
    async fn no_other_chunk_and_no_error_shows_it() {
        let raw = serde_json::json!({ "a": [KEY], KEY: 1 });
        let name = format!("run {KEY}");
        let id = "1".to_owned();
        let out = scrubbed(vec![
            Ok(Chunk::Unknown { index: None, raw }),
            Ok(Chunk::BlockOpened {
                index: 1,
                block: Block::ToolUse { id, name },
            }),
            Ok(Chunk::ToolInput {
                index: 1,
                json: format!("{{\"k\":\"{KEY}\"}}"),
            }),
            Err(Error::Garbled(KEY.to_owned())),
        ])
        .await;

        assert_eq!(out.len(), 4);
        assert!(!format!("{out:?}").contains(KEY), "{out:?}");
    }
}
