//! A stretch of a session's past, folded from its log.

use crate::app::App;
use crate::failure::Failure;
use duplex_domain::{Item, ItemKind, Picture, SessionId, UserId};
use duplex_wire::{SharedPast, Span};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// How many items of a stretch are shown at most: its last ones.
const MOST_ITEMS: usize = 1000;

/// Reads a stretch: what began in it, as it stood at its end. Nothing that came later is in the answer.
pub(crate) async fn read(app: &App, session: SessionId, span: Span) -> Result<SharedPast, Failure> {
    let frames = app.log.read(session, duplex_domain::Seq(0));
    let until = |frame: &Result<duplex_domain::Recorded, _>| {
        let inside = frame.as_ref().map_or(true, |frame| frame.seq <= span.last);
        std::future::ready(inside)
    };
    let mut frames = Box::pin(frames.take_while(until));
    let mut picture = Picture::new(session);
    let mut names = BTreeMap::new();
    while let Some(frame) = frames.try_next().await? {
        picture.apply(&frame);
        picture.transcript.keep_newest(MOST_ITEMS);
        for (user, member) in &picture.session.members {
            names.insert(*user, member.name.clone());
        }
    }
    let items = picture.transcript.items.into_iter();
    let items: Vec<Item> = items.filter(|item| span.has(item.place.seq)).collect();
    let people = items.iter().filter_map(author);
    let people = people.filter_map(|user| Some((user.to_string(), names.get(&user)?.clone())));
    Ok(SharedPast {
        session,
        title: picture.session.title,
        span,
        people: people.collect(),
        items,
    })
}

fn author(item: &Item) -> Option<UserId> {
    match &item.kind {
        ItemKind::Message { by, .. } => Some(*by),
        ItemKind::Again { by, .. } => *by,
        ItemKind::Tool { approval, .. } => approval.as_ref()?.by,
        _ => None,
    }
}
