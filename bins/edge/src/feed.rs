//! The page's socket: one for each tab, all its sessions multiplexed.
//!
//! The reader takes what the page sends; a writer alone writes to the socket, from a bounded queue; each session
//! watched has a task that fills the queue. A queue that is full stops those tasks, they fall behind, and start over
//! from a snapshot: a slow page slows nobody.

mod allowance;
mod flow;
mod lanes;
mod message;
mod outbox;
mod show;
mod sockets;
mod tab;
mod watchers;

pub(crate) use sockets::Sockets;
pub(crate) use watchers::Watchers;

use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::{SignedIn, credential};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use duplex_wire::{Close, ErrorBody};
use std::time::Duration;
use tab::Tab;

/// The largest message a page may send, in bytes.
const LARGEST_MESSAGE: usize = 512 * 1024;
/// What is read of a message all the same, so that the page gets the code: unread bytes would reset the connection
/// before it arrives. Beyond this the connection just breaks.
const LARGEST_READ: usize = 4 * 1024 * 1024;
/// How long a page has to answer a close.
const GOODBYE: Duration = Duration::from_secs(2);

/// The page's WebSocket. It is always accepted, then closed with a code where it is refused, since a browser tells
/// its page nothing of a refused upgrade.
#[utoipa::path(get, path = "/api/feed", tag = "sessions",
    responses((status = 101, description = "the socket is open"), (status = "default", body = ErrorBody)))]
pub(crate) async fn feed(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let admitted = admit(&app, &headers).await;
    let Ok(upgrade) = upgrade else {
        return admitted
            .map_or_else(failure, |_| Failure::not_a_socket())
            .into_response();
    };
    let upgrade = upgrade
        .max_message_size(LARGEST_READ)
        .max_frame_size(LARGEST_READ);
    let served = app.sockets.served.clone();
    upgrade.on_upgrade(move |socket| served.track_future(serve(app, admitted, socket)))
}

/// Who opens the socket, if they may.
async fn admit(app: &App, headers: &HeaderMap) -> Result<SignedIn, Close> {
    if !app.site.allows(headers) {
        return Err(Close::WrongOrigin);
    }
    let credential = credential(headers).ok_or(Close::SignedOut)?;
    match SignedIn::behind(app, credential).await {
        Ok(signed_in) => signed_in.ok_or(Close::SignedOut),
        Err(error) => {
            tracing::warn!("a socket could not be admitted: {error}");
            Err(Close::Failed)
        }
    }
}

fn failure(close: Close) -> Failure {
    match close {
        Close::WrongOrigin => Failure::wrong_origin(),
        Close::Failed => Failure::internal(),
        _ => Failure::signed_out(),
    }
}

async fn serve(app: App, admitted: Result<SignedIn, Close>, socket: WebSocket) {
    // A seat is taken only once the socket is open, so that an upgrade that breaks off takes none.
    let seated = admitted.and_then(|person| Ok((app.sockets.seat(person.user.id)?, person)));
    match seated {
        Ok((_seat, person)) => Box::pin(Tab::open(app, person, socket)).await,
        Err(close) => refuse(socket, close).await,
    }
}

async fn refuse(mut socket: WebSocket, close: Close) {
    let goodbye = async {
        // A page that is gone already needs no goodbye.
        let _ = socket.send(Message::Close(Some(frame(close)))).await;
        while let Some(Ok(_)) = socket.recv().await {}
    };
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
}

fn frame(close: Close) -> CloseFrame {
    CloseFrame {
        code: close.code(),
        reason: close.reason().into(),
    }
}
