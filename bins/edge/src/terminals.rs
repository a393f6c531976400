//! A person's terminals in all their sessions: which run, and how many may.

use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use duplex_domain::{SessionId, TerminalId, UserId};
use duplex_wire::{ErrorBody, OwnTerminal};
use uuid::Uuid;

/// The running terminals that the person opened, in all sessions.
#[utoipa::path(get, path = "/api/terminals", tag = "sessions",
    responses((status = 200, body = Vec<OwnTerminal>), (status = "default", body = ErrorBody)))]
pub(crate) async fn own(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<OwnTerminal>>, Failure> {
    let (team, user) = (signed_in.user.team, signed_in.user.id);
    Ok(Json(app.database.own_terminals(team, user).await?))
}

/// Whether a person may open one more terminal. The one they ask for may be there already, if they ask twice. Counted
/// are the views' rows, which may be a moment behind: the limit spares the machine, and is no wall.
pub(crate) async fn check(
    app: &App,
    session: SessionId,
    user: UserId,
    id: Uuid,
) -> Result<(), Failure> {
    // A stranger to the session is told that, whatever else they have.
    let team = app.live.picture(session, user).await?.picture.session.team;
    let own = app.database.own_terminals(team, user).await?;
    let again = own
        .iter()
        .any(|terminal| terminal.terminal == TerminalId(id));
    if own.len() >= app.terminals_per_person && !again {
        return Err(Failure::too_many_terminals(app.terminals_per_person));
    }
    Ok(())
}
