//! Commands, on their way to a session.

use crate::app::App;
use crate::audit::{self, Caller, Noted};
use crate::body::{Body, InPath};
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use crate::{models, team, terminals};
use axum::Json;
use axum::extract::State;
use duplex_domain::{Command, Refusal, Role, Seq, SessionId, UserId};
use duplex_readmodel::AccountError;
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
    noted: Noted,
    InPath(session): InPath,
    Body(PostCommand { id, command }): Body<PostCommand>,
) -> Result<Json<Accepted>, Failure> {
    let id = id.map_or_else(|| Ok(Uuid::now_v7()), |id| parse_id(&id))?;
    let caller = Caller::new(&signed_in, &noted);
    noted.written();
    let seq = submit(&app, session, &caller, id, command).await?;
    Ok(Json(Accepted { seq }))
}

/// A command's id as its sender wrote it.
pub(crate) fn parse_id(id: &str) -> Result<Uuid, Failure> {
    let wrong = |_| Failure::field("id", "bad_id", "a command's id is 32 hexadecimal digits");
    Uuid::try_parse(id).map_err(wrong)
}

/// Hands a command to its session, and writes down what is worth it.
pub(crate) async fn submit(
    app: &App,
    session: SessionId,
    caller: &Caller,
    id: Uuid,
    command: Command,
) -> Result<Seq, Failure> {
    let done = hand_over(app, session, caller.user, id, command.clone()).await;
    audit::command(app, caller, session, &command, done.as_ref().err());
    done
}

async fn hand_over(
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
    let command = with_name(app, session, user, command).await?;
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

/// Who is let into a session is somebody of its team, or a visitor of its own, under the name they have there, whatever
/// the request says.
async fn with_name(
    app: &App,
    session: SessionId,
    by: UserId,
    mut command: Command,
) -> Result<Command, Failure> {
    if let Command::SetMember { user, name, .. } = &mut command {
        let picture = app.live.picture(session, by).await?.picture.session;
        if picture.role_of(by) < Some(Role::Owner) {
            // Who may let nobody in is not told either who there is.
            return Err(Refusal::RoleTooSmall.into());
        }
        let team = picture.team;
        let found = match app.accounts.name_in_team(team, *user).await {
            Err(AccountError::NoPerson) => app.accounts.visitor_name(team, session, *user).await,
            found => found,
        };
        *name = match found {
            Err(AccountError::NoPerson) => return Err(Failure::no_member()),
            found => found?,
        };
    }
    Ok(command)
}
