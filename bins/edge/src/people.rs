//! The people of a team: who is in it, who is invited, and what they may do.

use crate::accounts::{keep_if, origin_of};
use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::client::Client;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use duplex_domain::UserId;
use duplex_readmodel::AccountError;
use duplex_wire::{
    ErrorBody, Invitation, Invite, SecretLink, SetDisabled, SetName, SetTeamRole, TeamPerson,
    TransferTeam,
};
use uuid::Uuid;

/// The people of the team. Only its owners are told who is shut out, and when people were last here.
#[utoipa::path(get, path = "/api/team/people", tag = "team",
    responses((status = 200, body = Vec<TeamPerson>), (status = "default", body = ErrorBody)))]
pub(crate) async fn people(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<TeamPerson>>, Failure> {
    Ok(Json(app.accounts.people(&signed_in.user).await?))
}

/// Sets what somebody may do in the team, which signs them out; for its owners.
#[utoipa::path(put, path = "/api/team/people/{person}/role", tag = "team", request_body = SetTeamRole,
    params(("person" = String, Path, description = "the person's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn set_role(
    State(app): State<App>,
    client: Client,
    signed_in: SignedIn,
    noted: Noted,
    Path(person): Path<String>,
    Body(SetTeamRole { role }): Body<SetTeamRole>,
) -> Result<impl IntoResponse, Failure> {
    noted.detail("role", role.word());
    let person = person_id(&person)?;
    let (by, own) = (&signed_in.user, signed_in.browser());
    let token = app.accounts.set_role(by, own, person, role).await?;
    app.sockets.changed(person);
    Ok((StatusCode::NO_CONTENT, keep_if(client, token.as_ref())))
}

/// Shuts somebody out of the team at once, or lets them in again; for its owners.
#[utoipa::path(put, path = "/api/team/people/{person}/disabled", tag = "team", request_body = SetDisabled,
    params(("person" = String, Path, description = "the person's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn set_disabled(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    Path(person): Path<String>,
    Body(SetDisabled { disabled }): Body<SetDisabled>,
) -> Result<StatusCode, Failure> {
    noted.detail("disabled", &disabled);
    let person = person_id(&person)?;
    let by = &signed_in.user;
    app.accounts.set_disabled(by, person, disabled).await?;
    app.sockets.changed(person);
    Ok(StatusCode::NO_CONTENT)
}

/// A link by which somebody chooses a new password, for 24 hours; for the team's owners.
#[utoipa::path(post, path = "/api/team/people/{person}/reset", tag = "team",
    params(("person" = String, Path, description = "the person's id")),
    responses((status = 201, body = SecretLink), (status = "default", body = ErrorBody)))]
pub(crate) async fn reset_link(
    State(app): State<App>,
    signed_in: SignedIn,
    headers: HeaderMap,
    Path(person): Path<String>,
) -> Result<(StatusCode, Json<SecretLink>), Failure> {
    let person = person_id(&person)?;
    let reset = app.accounts.new_reset(&signed_in.user, person).await?;
    let secret = reset.secret.0;
    let link = SecretLink {
        link: format!("{}/reset#{secret}", origin_of(&app, &headers)),
        secret,
        expires_at: reset.expires_at,
    };
    Ok((StatusCode::CREATED, Json(link)))
}

/// Makes somebody the owner instead of the owner who asks.
#[utoipa::path(post, path = "/api/team/transfer", tag = "team", request_body = TransferTeam,
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn transfer(
    State(app): State<App>,
    client: Client,
    signed_in: SignedIn,
    noted: Noted,
    Body(TransferTeam { to }): Body<TransferTeam>,
) -> Result<impl IntoResponse, Failure> {
    noted.on("person", &to);
    let (by, own) = (&signed_in.user, signed_in.browser());
    let token = app.accounts.transfer(by, own, to).await?;
    app.sockets.changed(to);
    app.sockets.changed(by.id);
    Ok((StatusCode::NO_CONTENT, keep_if(client, token.as_ref())))
}

/// Calls the team otherwise; for its owners.
#[utoipa::path(put, path = "/api/team/name", tag = "team", request_body = SetName,
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn rename(
    State(app): State<App>,
    signed_in: SignedIn,
    Body(SetName { name }): Body<SetName>,
) -> Result<StatusCode, Failure> {
    app.accounts.rename_team(&signed_in.user, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The invitations that can be used; for the team's owners.
#[utoipa::path(get, path = "/api/team/invitations", tag = "team",
    responses((status = 200, body = Vec<Invitation>), (status = "default", body = ErrorBody)))]
pub(crate) async fn invitations(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<Invitation>>, Failure> {
    Ok(Json(app.accounts.invitations(signed_in.user.team).await?))
}

/// A link that lets one more person into the team; for its owners.
#[utoipa::path(post, path = "/api/team/invitations", tag = "team", request_body = Invite,
    responses((status = 201, body = SecretLink), (status = "default", body = ErrorBody)))]
pub(crate) async fn invite(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    headers: HeaderMap,
    Body(invite): Body<Invite>,
) -> Result<(StatusCode, Json<SecretLink>), Failure> {
    noted.detail("role", invite.role.word());
    let invited = app.accounts.invite(&signed_in.user, &invite).await?;
    noted.on("invitation", &invited.invitation.id.simple());
    let secret = invited.secret.0;
    let link = SecretLink {
        link: format!("{}/join#{secret}", origin_of(&app, &headers)),
        secret,
        expires_at: invited.invitation.expires_at,
    };
    Ok((StatusCode::CREATED, Json(link)))
}

/// Makes an invitation useless; for the team's owners.
#[utoipa::path(delete, path = "/api/team/invitations/{invitation}", tag = "team",
    params(("invitation" = String, Path, description = "the invitation's id")),
    responses((status = 204), (status = "default", body = ErrorBody)))]
pub(crate) async fn revoke_invitation(
    State(app): State<App>,
    signed_in: SignedIn,
    Path(invitation): Path<String>,
) -> Result<StatusCode, Failure> {
    let which = Uuid::try_parse(&invitation).map_err(|_| AccountError::NoInvitation)?;
    let by = &signed_in.user;
    app.accounts.revoke_invitation(by, which).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn person_id(text: &str) -> Result<UserId, Failure> {
    let id = text.parse();
    id.map_err(|_| AccountError::NoPerson.into())
}
