//! What is a person's own: name, password, signed-in browsers, and programs' tokens.

use crate::accounts::{forget, keep_if};
use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::client::Client;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use crate::tries::guessed;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use duplex_readmodel::AccountError;
use duplex_wire::{
    ApiToken, ChangePassword, CreateToken, ErrorBody, NewToken, SetName, SignedInBrowser,
};
use uuid::Uuid;

/// Calls the person otherwise.
#[utoipa::path(put, path = "/api/me/name", tag = "accounts", request_body = SetName,
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn rename(
    State(app): State<App>,
    signed_in: SignedIn,
    Body(SetName { name }): Body<SetName>,
) -> Result<StatusCode, Failure> {
    app.accounts.rename(&signed_in.user, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password. All other browsers are signed out, and this one's cookie is renewed.
#[utoipa::path(put, path = "/api/me/password", tag = "accounts", request_body = ChangePassword,
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn change_password(
    State(app): State<App>,
    client: Client,
    signed_in: SignedIn,
    Body(ChangePassword { current, password }): Body<ChangePassword>,
) -> Result<impl IntoResponse, Failure> {
    let (by, own) = (&signed_in.user, signed_in.browser());
    let changed = app.accounts.change_password(by, own, &current, &password);
    let token = guessed(&app, client, changed).await?;
    app.sockets.changed(by.id);
    Ok((StatusCode::NO_CONTENT, keep_if(client, token.as_ref())))
}

/// Takes the person out of their team; the account is gone.
#[utoipa::path(post, path = "/api/me/leave", tag = "accounts",
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn leave(
    State(app): State<App>,
    client: Client,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Failure> {
    app.accounts.leave(&signed_in.user).await?;
    app.sockets.changed(signed_in.user.id);
    Ok((StatusCode::NO_CONTENT, forget(client)))
}

/// The browsers the person is signed in at.
#[utoipa::path(get, path = "/api/me/browsers", tag = "accounts",
    responses((status = 200, body = Vec<SignedInBrowser>), (status = "default", body = ErrorBody)))]
pub(crate) async fn browsers(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<SignedInBrowser>>, Failure> {
    let browsers = app
        .accounts
        .browsers(&signed_in.user, signed_in.browser())
        .await?;
    Ok(Json(browsers))
}

/// Signs the person out at one of their browsers.
#[utoipa::path(delete, path = "/api/me/browsers/{browser}", tag = "accounts",
    params(("browser" = String, Path, description = "the sign-in's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn end_browser(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(browser): Path<String>,
) -> Result<StatusCode, Failure> {
    let browser = Uuid::try_parse(&browser).map_err(|_| AccountError::NoBrowser)?;
    let user = &signed_in.user;
    app.accounts.end_browser(user, browser).await?;
    app.sockets.changed(user.id);
    Ok(StatusCode::NO_CONTENT)
}

/// Signs the person out everywhere but here.
#[utoipa::path(delete, path = "/api/me/browsers", tag = "accounts",
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn end_other_browsers(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<StatusCode, Failure> {
    let user = &signed_in.user;
    let this = signed_in.browser();
    app.accounts.end_other_browsers(user, this).await?;
    app.sockets.changed(user.id);
    Ok(StatusCode::NO_CONTENT)
}

/// The person's tokens, without their secrets.
#[utoipa::path(get, path = "/api/me/tokens", tag = "accounts",
    responses((status = 200, body = Vec<ApiToken>), (status = "default", body = ErrorBody)))]
pub(crate) async fn tokens(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<ApiToken>>, Failure> {
    Ok(Json(app.accounts.tokens(&signed_in.user).await?))
}

/// A token for a program. Its secret is told this once.
#[utoipa::path(post, path = "/api/me/tokens", tag = "accounts", request_body = CreateToken,
    responses((status = 201, body = NewToken), (status = "default", body = ErrorBody)))]
pub(crate) async fn create_token(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    Body(wanted): Body<CreateToken>,
) -> Result<(StatusCode, Json<NewToken>), Failure> {
    let scopes: Vec<&str> = wanted.scopes.iter().map(|scope| scope.word()).collect();
    noted.detail("scopes", &scopes.join(" "));
    let made = app
        .accounts
        .create_token(&signed_in.grant(), &wanted)
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Makes a token useless.
#[utoipa::path(delete, path = "/api/me/tokens/{token}", tag = "accounts",
    params(("token" = String, Path, description = "the token's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn revoke_token(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(token): Path<String>,
) -> Result<StatusCode, Failure> {
    let token = Uuid::try_parse(&token).map_err(|_| AccountError::NoToken)?;
    let user = &signed_in.user;
    app.accounts.revoke_token(user, token).await?;
    app.sockets.changed(user.id);
    Ok(StatusCode::NO_CONTENT)
}
