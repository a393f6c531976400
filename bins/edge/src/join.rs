//! Getting in by a link: into a team with an invitation, and back into an account whose password is lost.

use crate::accounts::{keep, me};
use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::browser::Seen;
use crate::client::Client;
use crate::failure::Failure;
use crate::signed_in::{SignedIn, credential};
use crate::tries::guessed;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use duplex_wire::{ErrorBody, InvitedTo, Join, LookAtLink, Me, ResetFor, ResetPassword};

/// What an invitation is for.
#[utoipa::path(post, path = "/api/join/look", tag = "accounts", security(()), request_body = LookAtLink,
    responses((status = 200, body = InvitedTo), (status = "default", body = ErrorBody)))]
pub(crate) async fn look(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Body(LookAtLink { secret }): Body<LookAtLink>,
) -> Result<Json<InvitedTo>, Failure> {
    let looked = app.accounts.invited_to(&secret);
    let invited_to = guessed(&app, client, looked).await?;
    refuse_signed_in(&app, &headers).await?;
    Ok(Json(invited_to))
}

/// Makes an account with an invitation, and signs its person in.
#[utoipa::path(post, path = "/api/join", tag = "accounts", security(()), request_body = Join,
    responses((status = 201, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn join(
    State(app): State<App>,
    client: Client,
    noted: Noted,
    headers: HeaderMap,
    seen: Seen,
    Body(join): Body<Join>,
) -> Result<impl IntoResponse, Failure> {
    refuse_signed_in(&app, &headers).await?;
    let user = guessed(&app, client, app.accounts.join(&join)).await?;
    noted.is(&user);
    let token = app.accounts.sign_in(&user, &seen.0).await?;
    let me = Json(me(user, None));
    Ok((StatusCode::CREATED, keep(client, &token), me))
}

/// Whose password a link sets.
#[utoipa::path(post, path = "/api/reset/look", tag = "accounts", security(()), request_body = LookAtLink,
    responses((status = 200, body = ResetFor), (status = "default", body = ErrorBody)))]
pub(crate) async fn reset_look(
    State(app): State<App>,
    client: Client,
    Body(LookAtLink { secret }): Body<LookAtLink>,
) -> Result<Json<ResetFor>, Failure> {
    let looked = app.accounts.reset_for(&secret);
    Ok(Json(guessed(&app, client, looked).await?))
}

/// Sets a new password with a link, signs its person out everywhere, and in here.
#[utoipa::path(post, path = "/api/reset", tag = "accounts", security(()), request_body = ResetPassword,
    responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn reset(
    State(app): State<App>,
    client: Client,
    noted: Noted,
    seen: Seen,
    Body(ResetPassword { secret, password }): Body<ResetPassword>,
) -> Result<impl IntoResponse, Failure> {
    let done = app.accounts.reset(&secret, &password);
    let user = guessed(&app, client, done).await?;
    app.sockets.changed(user.id);
    noted.is(&user);
    let token = app.accounts.sign_in(&user, &seen.0).await?;
    Ok((keep(client, &token), Json(me(user, None))))
}

/// Who is somebody already does not become somebody else by following a link.
async fn refuse_signed_in(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(by) = credential(headers) else {
        return Ok(());
    };
    match SignedIn::behind(app, by).await? {
        Some(person) => Err(Failure::signed_in_already(&person.user.email)),
        None => Ok(()),
    }
}
