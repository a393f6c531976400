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
mod presence;
mod show;
mod sockets;
mod tab;

pub(crate) use presence::Presence;
pub(crate) use sockets::Sockets;

use crate::app::App;
use crate::audit::{Caller, Noted};
use crate::client::Client;
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
    noted: Noted,
    client: Client,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let admitted = admit(&app, &headers).await;
    match &admitted {
        Ok(person) => noted.signed_in(person),
        Err(close) => noted.refused(word(*close)),
    }
    let Ok(upgrade) = upgrade else {
        return admitted
            .map_or_else(failure, |_| Failure::not_a_socket())
            .into_response();
    };
    let upgrade = upgrade
        .max_message_size(LARGEST_READ)
        .max_frame_size(LARGEST_READ);
    let served = app.sockets.served.clone();
    let serve = move |socket| served.track_future(serve(app, client, noted, admitted, socket));
    upgrade.on_upgrade(serve)
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

/// The word for a refusal.
fn word(close: Close) -> &'static str {
    match close {
        Close::WrongOrigin => "wrong_origin",
        Close::SignedOut => "signed_out",
        Close::TooMany => "too_many",
        _ => "failed",
    }
}

async fn serve(
    app: App,
    client: Client,
    noted: Noted,
    admitted: Result<SignedIn, Close>,
    socket: WebSocket,
) {
    // A seat is taken only once the socket is open, so that an upgrade that breaks off takes none.
    let person = match admitted {
        Ok(person) => person,
        Err(close) => return refuse(socket, close).await,
    };
    let caller = Caller::new(&person, &noted);
    match app.sockets.seat(person.user.id, client) {
        Ok(_seat) => Box::pin(Tab::open(app, person, caller, socket)).await,
        Err(close) => {
            caller.refused_socket(&app, word(close));
            refuse(socket, close).await;
        }
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
