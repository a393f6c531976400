//! Setting up, signing in and out.

use crate::app::App;
use crate::body::Body;
use crate::failure::Failure;
use crate::signed_in::{Credential, SignedIn, credential, set_cookie};
use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use duplex_readmodel::{Token, User};
use duplex_wire::{ErrorBody, Login, Me, Setup};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether somebody has to become the owner first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SetupState {
    /// Nobody owns this server yet; open the link it printed at its start.
    needed: bool,
}

/// Whether nobody owns this server yet.
#[utoipa::path(get, path = "/api/setup", tag = "accounts", security(()),
    responses((status = 200, body = SetupState), (status = "default", body = ErrorBody)))]
pub(crate) async fn setup_state(State(app): State<App>) -> Result<Json<SetupState>, Failure> {
    let needed = !app.accounts.has_owner().await?;
    Ok(Json(SetupState { needed }))
}

/// Makes the first owner, and signs them in.
#[utoipa::path(post, path = "/api/setup", tag = "accounts", security(()), request_body = Setup,
    responses((status = 201, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn setup(
    State(app): State<App>,
    Body(setup): Body<Setup>,
) -> Result<impl IntoResponse, Failure> {
    let Setup {
        secret,
        name,
        email,
        password,
    } = setup;
    app.accounts
        .setup(&secret, &name, &email, &password)
        .await?;
    app.setup_link.used();
    let (user, token) = app.accounts.login(&email, &password).await?;
    Ok((StatusCode::CREATED, keep(&app, &token), Json(me(user))))
}

/// Signs a person in.
#[utoipa::path(post, path = "/api/login", tag = "accounts", security(()), request_body = Login,
    responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn login(
    State(app): State<App>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<impl IntoResponse, Failure> {
    let (user, token) = app.accounts.login(&login.email, &login.password).await?;
    // Who signs in anew leaves the browser's former session.
    if let Some(former @ Credential::Cookie(_)) = credential(&headers) {
        end(&app, &former).await?;
    }
    Ok((keep(&app, &token), Json(me(user))))
}

/// Signs a person out, and closes their sockets of this browser.
#[utoipa::path(post, path = "/api/logout", tag = "accounts",
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn logout(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Failure> {
    end(&app, &signed_in.by).await?;
    let forget = [(SET_COOKIE, set_cookie(app.site.is_encrypted(), ""))];
    Ok((StatusCode::NO_CONTENT, forget))
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/me", tag = "accounts",
    responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn who(signed_in: SignedIn) -> Json<Me> {
    Json(me(signed_in.user))
}

pub(crate) fn me(user: User) -> Me {
    let User {
        id, name, email, ..
    } = user;
    Me { id, name, email }
}

fn keep(app: &App, token: &Token) -> [(axum::http::HeaderName, String); 1] {
    [(SET_COOKIE, set_cookie(app.site.is_encrypted(), &token.0))]
}

/// Ends a browser's session; a program's token stays until it is revoked.
async fn end(app: &App, by: &Credential) -> Result<(), Failure> {
    if let Credential::Cookie(token) = by {
        app.accounts.logout(token).await?;
        app.sockets.sign_out(by);
    }
    Ok(())
}
