//! Setting up, signing in and out.

use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::browser::Seen;
use crate::client::Client;
use crate::failure::Failure;
use crate::origin::Origin;
use crate::signed_in::{Credential, SignedIn, credential, set_cookie};
use crate::tries::guessed;
use axum::Json;
use axum::extract::State;
use axum::http::header::{ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use duplex_readmodel::{Token, User};
use duplex_wire::{ErrorBody, Login, Me, Scope, Setup};
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
    noted: Noted,
    client: Client,
    seen: Seen,
    Body(setup): Body<Setup>,
) -> Result<impl IntoResponse, Failure> {
    let Setup {
        secret,
        name,
        email,
        password,
    } = setup;
    let made = app.accounts.setup(&secret, &name, &email, &password);
    let user = guessed(&app, client, made).await?;
    app.setup_link.used();
    noted.is(&user);
    let token = app.accounts.sign_in(&user, &seen.0).await?;
    let me = Json(me(user, None));
    Ok((StatusCode::CREATED, keep(client, &token), me))
}

/// Signs a person in.
#[utoipa::path(post, path = "/api/login", tag = "accounts", security(()), request_body = Login,
    responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn login(
    State(app): State<App>,
    noted: Noted,
    client: Client,
    headers: HeaderMap,
    seen: Seen,
    Body(Login { email, password }): Body<Login>,
) -> Result<impl IntoResponse, Failure> {
    let attempt = app.accounts.login(&email, &password, &seen.0);
    let signed_in = guessed(&app, client, attempt).await;
    if signed_in.is_err()
        && let Ok(Some(meant)) = app.accounts.user_by_email(&email).await
    {
        noted.on("person", &meant.id);
    }
    let (user, token) = signed_in?;
    noted.is(&user);
    // Who signs in anew leaves the browser's former session.
    if let Some(former @ Credential::Cookie(_)) = credential(&headers) {
        end(&app, &former).await?;
    }
    Ok((keep(client, &token), Json(me(user, None))))
}

/// Signs a person out, and closes their sockets of this browser.
#[utoipa::path(post, path = "/api/logout", tag = "accounts",
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn logout(
    State(app): State<App>,
    client: Client,
    signed_in: SignedIn,
) -> Result<impl IntoResponse, Failure> {
    end(&app, &signed_in.by).await?;
    Ok((StatusCode::NO_CONTENT, forget(client)))
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/me", tag = "accounts",
    responses((status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub(crate) async fn who(signed_in: SignedIn) -> Json<Me> {
    Json(me(signed_in.user, signed_in.scopes))
}

/// A person as they are told who they are.
pub(crate) fn me(user: User, scopes: Option<Vec<Scope>>) -> Me {
    let User {
        id,
        team_name,
        role,
        name,
        email,
        ..
    } = user;
    Me {
        id,
        name,
        email,
        role,
        team: team_name,
        scopes,
    }
}

type Cookie = AppendHeaders<Option<(HeaderName, String)>>;

/// Has the browser keep its token.
pub(crate) fn keep(client: Client, token: &Token) -> Cookie {
    keep_if(client, Some(token))
}

/// Has the browser keep its token, if it got a new one.
pub(crate) fn keep_if(client: Client, token: Option<&Token>) -> Cookie {
    let cookie = |token: &Token| (SET_COOKIE, set_cookie(client.encrypted, &token.0));
    AppendHeaders(token.map(cookie))
}

/// Has the browser forget its token.
pub(crate) fn forget(client: Client) -> Cookie {
    let cookie = set_cookie(client.encrypted, "");
    AppendHeaders(Some((SET_COOKIE, cookie)))
}

/// The address at which who asks reaches this server, for links to it.
pub(crate) fn origin_of(app: &App, headers: &HeaderMap) -> String {
    let origins = &app.site.origins;
    let named = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let same = |origin: &&Origin| Some(origin.to_string().as_str()) == named;
    let origin = origins.iter().find(same).or_else(|| origins.first());
    origin.map(ToString::to_string).unwrap_or_default()
}

/// Ends a browser's session; a program's token stays until it is revoked.
async fn end(app: &App, by: &Credential) -> Result<(), Failure> {
    match by {
        Credential::Cookie(token) => {
            if let Some(person) = app.accounts.logout(token).await? {
                app.sockets.changed(person);
            }
        }
        Credential::Visit(token) => app.accounts.end_visit(token).await?,
        Credential::Bearer(_) => {}
    }
    Ok(())
}
