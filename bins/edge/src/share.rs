//! Links to sessions: made and taken back by a session's owners, taken up by whoever has them.

use crate::app::App;
use crate::audit::Noted;
use crate::body::{Body, InPath};
use crate::client::Client;
use crate::failure::Failure;
use crate::past;
use crate::signed_in::{SignedIn, credential, set_cookie, set_visit_cookie, visit};
use crate::tries::guessed;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use duplex_domain::{Command, Role, Session, SessionId, UserId};
use duplex_live::SubmitError;
use duplex_readmodel::{AccountError, KnownLink};
use duplex_wire::{
    ErrorBody, LinkOffer, LinkTaken, MadeLink, MakeLink, ShareLink, SharedPast, TakeLink,
};
use std::time::Duration;
use tracing::{info, warn};
use uuid::Uuid;

/// How often it is looked whether somebody's link has ended under them.
const SWEEP: Duration = Duration::from_secs(5);

/// A session's links, the newest first; for its owners.
#[utoipa::path(get, path = "/api/sessions/{id}/links", tag = "sharing",
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 200, body = Vec<ShareLink>), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
) -> Result<Json<Vec<ShareLink>>, Failure> {
    owner(&app, session, signed_in.user.id).await?;
    Ok(Json(app.accounts.links(&signed_in.user, session).await?))
}

/// Makes a link to a session; for its owners. The address is told this once.
#[utoipa::path(post, path = "/api/sessions/{id}/links", tag = "sharing", request_body = MakeLink,
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 201, body = MadeLink), (status = "default", body = ErrorBody)))]
pub(crate) async fn make(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    InPath(session): InPath,
    Body(wish): Body<MakeLink>,
) -> Result<(StatusCode, Json<MadeLink>), Failure> {
    let picture = owner(&app, session, signed_in.user.id).await?;
    if wish.span.is_some_and(|span| span.last > picture.seq) {
        let message = "the session has not come so far yet";
        return Err(Failure::field("span", "bad_span", message));
    }
    let made = app.accounts.make_link(&signed_in.user, session, &wish);
    let (link, token) = made.await?;
    noted.on("link", &link.id);
    noted.detail("session", &session);
    noted.detail("role", &format!("{:?}", link.role).to_lowercase());
    let base = app.site.origins.first().map(ToString::to_string);
    let url = format!("{}/share#{}", base.unwrap_or_default(), token.0);
    Ok((StatusCode::CREATED, Json(MadeLink { link, url })))
}

/// Takes a link back, for the session's owners. Who came by it is shut out at once.
#[utoipa::path(delete, path = "/api/sessions/{id}/links/{link}", tag = "sharing",
    params(("id" = String, Path, description = "the session's id"),
        ("link" = String, Path, description = "the link's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn revoke(
    State(app): State<App>,
    signed_in: SignedIn,
    Path((session, link)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let session: SessionId = session.parse().map_err(|_| Failure::no_session())?;
    owner(&app, session, signed_in.user.id).await?;
    let link = Uuid::try_parse(&link).map_err(|_| AccountError::NoLink)?;
    app.accounts
        .revoke_link(&signed_in.user, session, link)
        .await?;
    let strays = app.accounts.strays().await?.into_iter();
    for stray in strays.filter(|stray| stray.session == session) {
        show_out(&app, session, signed_in.user.id, stray.user).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a link leads to; nothing is used up by looking.
#[utoipa::path(post, path = "/api/share/look", tag = "sharing", security(()), request_body = TakeLink,
    responses((status = 200, body = LinkOffer), (status = "default", body = ErrorBody)))]
pub(crate) async fn look(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Body(TakeLink { secret, .. }): Body<TakeLink>,
) -> Result<Json<LinkOffer>, Failure> {
    let known = guessed(&app, client, app.accounts.link_of(&secret)).await?;
    let session = shared(&app, &known).await?;
    let you = member(&app, &headers, &known).await?;
    let link = known.link;
    Ok(Json(LinkOffer {
        title: session.title,
        by: link.by,
        role: link.role,
        past: link.span.is_some(),
        expires_at: link.expires_at,
        you: you.map(|person| person.user.name),
    }))
}

/// Takes a link up. Who is signed in to its team joins the session as themselves; anybody else gives a name, and this
/// browser is let into that one session.
#[utoipa::path(post, path = "/api/share", tag = "sharing", security(()), request_body = TakeLink,
    responses((status = 200, body = LinkTaken), (status = "default", body = ErrorBody)))]
pub(crate) async fn take(
    State(app): State<App>,
    client: Client,
    noted: Noted,
    headers: HeaderMap,
    Body(TakeLink { secret, name }): Body<TakeLink>,
) -> Result<Response, Failure> {
    let known = guessed(&app, client, app.accounts.link_of(&secret)).await?;
    noted.on("link", &known.link.id);
    let session = shared(&app, &known).await?;
    let past = known.link.span.is_some();
    let led = Json(LinkTaken {
        session: known.session,
        past,
    });
    let person = member(&app, &headers, &known).await?;
    let signed_in = person.is_some();
    if let Some(person) = person.filter(|_| !past) {
        let user = person.user;
        if session.role_of(user.id) < Some(known.link.role) {
            app.accounts.use_link(&secret).await?;
            let_in(&app, &known, user.id, user.name).await?;
        }
        return Ok(led.into_response());
    }
    let name = name.unwrap_or_default();
    let (visitor, known, token) = app.accounts.visit(&secret, &name).await?;
    noted.is(&visitor);
    if !past && let Err(failure) = let_in(&app, &known, visitor.id, visitor.name).await {
        app.accounts.stray_is_gone(visitor.id).await?;
        return Err(failure);
    }
    let encrypted = client.encrypted;
    let kept = (SET_COOKIE, set_visit_cookie(encrypted, &token.0));
    if signed_in {
        return Ok((AppendHeaders([kept]), led).into_response());
    }
    // A session of an account that has ended would hide the visit.
    let former = (SET_COOKIE, set_cookie(encrypted, ""));
    Ok((AppendHeaders([kept, former]), led).into_response())
}

/// The stretch of a session's past that the link shows by which one came.
#[utoipa::path(get, path = "/api/share/past", tag = "sharing",
    responses((status = 200, body = SharedPast), (status = "default", body = ErrorBody)))]
pub(crate) async fn shared_past(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Json<SharedPast>, Failure> {
    let token = visit(&headers).ok_or_else(Failure::signed_out)?;
    let visitor = app.accounts.visitor(&token).await?;
    let (_, visit) = visitor.ok_or_else(Failure::signed_out)?;
    let span = visit.span.ok_or(AccountError::NoLink)?;
    Ok(Json(past::read(&app, visit.session, span).await?))
}

/// A session, if this person owns it.
async fn owner(app: &App, session: SessionId, user: UserId) -> Result<Session, Failure> {
    let picture = app.live.picture(session, user).await?.picture;
    if picture.session.role_of(user) < Some(Role::Owner) {
        return Err(duplex_domain::Refusal::RoleTooSmall.into());
    }
    Ok(picture.session)
}

/// The session behind a link. The link is as good as the right of who made it.
async fn shared(app: &App, known: &KnownLink) -> Result<Session, Failure> {
    let session = owner(app, known.session, known.by).await;
    session.map_err(|failure| match failure.status {
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => AccountError::NoLink.into(),
        _ => failure,
    })
}

/// Who is signed in here, if they belong to the link's team.
async fn member(
    app: &App,
    headers: &HeaderMap,
    known: &KnownLink,
) -> Result<Option<SignedIn>, Failure> {
    let Some(by) = credential(headers) else {
        return Ok(None);
    };
    let person = SignedIn::behind(app, by).await?;
    Ok(person.filter(|person| person.visit.is_none() && person.user.team == known.team))
}

/// Makes somebody a member in the name of who made the link.
async fn let_in(app: &App, known: &KnownLink, user: UserId, name: String) -> Result<(), Failure> {
    let role = known.link.role;
    let command = Command::SetMember { user, name, role };
    let joined = app
        .live
        .submit(known.session, known.by, Uuid::now_v7(), command);
    match joined.await {
        Ok(_) => Ok(()),
        Err(SubmitError::Refused(_) | SubmitError::NotFound) => Err(AccountError::NoLink.into()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a visitor's membership. Where it cannot be ended any more, they have no way in all the same.
async fn show_out(app: &App, session: SessionId, by: UserId, user: UserId) -> Result<(), Failure> {
    let command = Command::RemoveMember { user };
    let removed = app.live.submit(session, by, Uuid::now_v7(), command).await;
    match removed {
        Ok(_) | Err(SubmitError::Refused(_) | SubmitError::NotFound) => {
            Ok(app.accounts.stray_is_gone(user).await?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends the memberships of visitors whose link has ended, as long as the edge runs.
pub(crate) async fn sweep(app: App) {
    let stop = app.stop.clone();
    let sweeping = async {
        loop {
            tokio::time::sleep(SWEEP).await;
            let strays = app.accounts.strays().await.unwrap_or_default();
            for stray in strays {
                match show_out(&app, stray.session, stray.by, stray.user).await {
                    Ok(()) => info!("a visitor's link to session {} has ended", stray.session),
                    Err(failure) => warn!("a visitor stays a member: {}", failure.detail.message),
                }
            }
        }
    };
    stop.run_until_cancelled(sweeping).await;
}
