//! How far somebody has read, and what happened since.

use crate::app::App;
use crate::body::InPath;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use duplex_domain::{Digest, Item, Seq, SessionId, TeamId};
use duplex_wire::{CatchUp, ErrorBody};
use std::time::Duration;
use tokio::sync::watch;

/// How many items one look at the views brings.
const PAGE: usize = 500;
/// How many items are counted at most: the newest.
const MOST: usize = 5_000;
/// The least time between two notes of how far somebody has read.
const BREATH: Duration = Duration::from_secs(1);

/// What happened in a session since the person last looked at it.
#[utoipa::path(get, path = "/api/sessions/{id}/digest", tag = "sessions",
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 200, body = CatchUp), (status = "default", body = ErrorBody)))]
pub(crate) async fn digest(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
) -> Result<Json<CatchUp>, Failure> {
    let (team, user) = (signed_in.user.team, signed_in.user.id);
    app.live.role_of(session, user).await?;
    let Some(read) = app.database.read_position(team, user, session).await? else {
        return Ok(Json(CatchUp {
            read: None,
            read_at: None,
            digest: Digest::default(),
            whole: true,
        }));
    };
    let (items, whole) = behind(&app, team, session, read.seq).await?;
    Ok(Json(CatchUp {
        read: Some(read.seq),
        read_at: Some(read.at),
        digest: Digest::of(&items, read.seq),
        whole,
    }))
}

/// The items that began behind a frame, the oldest first, and whether these are all.
async fn behind(
    app: &App,
    team: TeamId,
    session: SessionId,
    seen: Seq,
) -> Result<(Vec<Item>, bool), Failure> {
    let mut pages = Vec::new();
    let (mut before, mut count) = (None, 0);
    while count < MOST {
        let page = app.database.items(team, session, before, PAGE).await?;
        let reached = page.items.first().is_none_or(|item| item.place.seq <= seen);
        count += page.items.len();
        pages.push(page.items);
        before = page.before;
        if reached || before.is_none() {
            return Ok((pages.into_iter().rev().flatten().collect(), true));
        }
    }
    Ok((pages.into_iter().rev().flatten().collect(), false))
}

/// Keeps how far a person has read, as often as a database likes; ends when nothing more can come.
pub(crate) async fn keep(
    app: App,
    reader: SignedIn,
    session: SessionId,
    mut read: watch::Receiver<Seq>,
) {
    while read.changed().await.is_ok() {
        let seq = *read.borrow_and_update();
        let (team, user) = (reader.user.team, reader.user.id);
        let kept = app.database.set_read_position(team, user, session, seq);
        if let Err(error) = kept.await {
            // The next note says more than this one did.
            tracing::debug!("how far somebody has read is not kept: {error}");
        }
        tokio::time::sleep(BREATH).await;
    }
}
