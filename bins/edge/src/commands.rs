//! Commands, on their way to a session.

use crate::app::App;
use crate::body::{Body, InPath};
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use crate::{models, team, terminals};
use axum::Json;
use axum::extract::State;
use duplex_domain::{Command, Seq, SessionId, UserId};
use duplex_wire::{Accepted, ErrorBody, PostCommand};
use metrics::counter;
use uuid::Uuid;

/// Asks something of a session.
#[utoipa::path(post, path = "/api/sessions/{id}/commands", tag = "sessions", request_body = PostCommand,
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 200, body = Accepted), (status = "default", body = ErrorBody)))]
pub(crate) async fn post(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
    Body(PostCommand { id, command }): Body<PostCommand>,
) -> Result<Json<Accepted>, Failure> {
    let id = id.map_or_else(|| Ok(Uuid::now_v7()), |id| parse_id(&id))?;
    let seq = submit(&app, session, signed_in.user.id, id, command).await?;
    Ok(Json(Accepted { seq }))
}

/// A command's id as its sender wrote it.
pub(crate) fn parse_id(id: &str) -> Result<Uuid, Failure> {
    let wrong = |_| Failure::field("id", "bad_id", "a command's id is 32 hexadecimal digits");
    Uuid::try_parse(id).map_err(wrong)
}

/// Hands a command to its session.
pub(crate) async fn submit(
    app: &App,
    session: SessionId,
    user: UserId,
    id: Uuid,
    command: Command,
) -> Result<Seq, Failure> {
    if let Command::ChooseModel { model } = &command {
        // A stranger learns nothing, not even whether there is such a model.
        app.live.role_of(session, user).await?;
        models::choose(app, Some(model.clone())).await?;
    }
    team::check_command(app, session, user, id, &command).await?;
    if matches!(command, Command::OpenTerminal { .. }) {
        terminals::check(app, session, user, id).await?;
    }
    let forgets = matches!(command, Command::ForgetKeys);
    let outcome = app.live.submit(session, user, id, command).await;
    let label = if outcome.is_ok() {
        "accepted"
    } else {
        "refused"
    };
    counter!("duplex_edge_commands_total", "outcome" => label).increment(1);
    let seq = outcome?;
    if forgets {
        // The log says so by now; if this fails, saying it again does this again.
        app.registry.forget_session_key(session).await?;
    }
    Ok(seq)
}
