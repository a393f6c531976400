//! The answer of a tool that is none of these, bounded and kept like theirs.

use std::fmt::Write as _;

use bytes::Bytes;

use super::read::picture;
use super::{Context, Image, Outcome};
use crate::record::Record;

/// An answer for the model: at most 2000 lines and 50 KB of the text, the whole of it in a file that it can read on, and
/// those of the pictures that models can see.
pub async fn elsewhere(
    context: &Context,
    text: &str,
    pictures: Vec<Bytes>,
    is_error: bool,
) -> Outcome {
    let mut record = Record::new(&context.worktree.home, context.limits.room());
    record.push(text.as_bytes()).await;
    let count = pictures.len();
    let seen = pictures.into_iter().filter_map(|bytes| {
        let media_type = picture(&bytes)?;
        Some(Image { media_type, bytes })
    });
    let images: Vec<Image> = seen.collect();
    let mut read = record.text().await;
    let unseen = count - images.len();
    if unseen > 0 {
        let _ = write!(read, "\n[{unseen} pictures of a kind that cannot be shown]");
    }
    Outcome {
        content: read,
        is_error,
        images,
        ..Outcome::default()
    }
}
