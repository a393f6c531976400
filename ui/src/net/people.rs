//! The server's interface for accounts and teams.

use super::api::{Failure, call, get, post};
use duplex_domain::UserId;
use duplex_wire::{
    ApiToken, ChangePassword, CreateToken, Invitation, Invite, InvitedTo, Join, LookAtLink, Me,
    NewToken, ResetFor, ResetPassword, SecretLink, SetDisabled, SetName, SetTeamRole,
    SignedInBrowser, TeamPerson, TeamRole, TransferTeam,
};
use serde::Serialize;
use serde_json::Value;

async fn put(path: &str, body: &impl Serialize) -> Result<Value, Failure> {
    let body = serde_json::to_string(body).unwrap_or_default();
    call("PUT", path, Some(body)).await
}

async fn delete(path: &str) -> Result<Value, Failure> {
    call("DELETE", path, None).await
}

/// The people of the team.
pub async fn people() -> Result<Vec<TeamPerson>, Failure> {
    get("/api/team/people").await
}

/// Sets what somebody may do in the team.
pub async fn set_role(person: UserId, role: TeamRole) -> Result<Value, Failure> {
    put(
        &format!("/api/team/people/{person}/role"),
        &SetTeamRole { role },
    )
    .await
}

/// Shuts somebody out, or lets them in again.
pub async fn set_disabled(person: UserId, disabled: bool) -> Result<Value, Failure> {
    let path = format!("/api/team/people/{person}/disabled");
    put(&path, &SetDisabled { disabled }).await
}

/// A link by which somebody chooses a new password.
pub async fn reset_link(person: UserId) -> Result<SecretLink, Failure> {
    let path = format!("/api/team/people/{person}/reset");
    post(&path, &serde_json::json!({})).await
}

/// Makes somebody the owner instead of oneself.
pub async fn transfer(to: UserId) -> Result<Value, Failure> {
    post("/api/team/transfer", &TransferTeam { to }).await
}

/// Calls the team otherwise.
pub async fn rename_team(name: String) -> Result<Value, Failure> {
    put("/api/team/name", &SetName { name }).await
}

/// The invitations that can be used.
pub async fn invitations() -> Result<Vec<Invitation>, Failure> {
    get("/api/team/invitations").await
}

/// A link that lets one more person in.
pub async fn invite(body: &Invite) -> Result<SecretLink, Failure> {
    post("/api/team/invitations", body).await
}

/// Makes an invitation useless.
pub async fn revoke_invitation(id: &str) -> Result<Value, Failure> {
    delete(&format!("/api/team/invitations/{id}")).await
}

/// What an invitation is for.
pub async fn look(secret: String) -> Result<InvitedTo, Failure> {
    post("/api/join/look", &LookAtLink { secret }).await
}

/// Makes an account with an invitation.
pub async fn join(body: &Join) -> Result<Me, Failure> {
    post("/api/join", body).await
}

/// Whose password a link sets.
pub async fn reset_look(secret: String) -> Result<ResetFor, Failure> {
    post("/api/reset/look", &LookAtLink { secret }).await
}

/// Sets a new password with a link.
pub async fn reset(body: &ResetPassword) -> Result<Me, Failure> {
    post("/api/reset", body).await
}

/// Calls oneself otherwise.
pub async fn rename(name: String) -> Result<Value, Failure> {
    put("/api/me/name", &SetName { name }).await
}

/// Changes one's password.
pub async fn change_password(body: &ChangePassword) -> Result<Value, Failure> {
    put("/api/me/password", body).await
}

/// Leaves the team.
pub async fn leave() -> Result<Value, Failure> {
    post("/api/me/leave", &serde_json::json!({})).await
}

/// The browsers one is signed in at.
pub async fn browsers() -> Result<Vec<SignedInBrowser>, Failure> {
    get("/api/me/browsers").await
}

/// Signs out at one browser.
pub async fn end_browser(id: &str) -> Result<Value, Failure> {
    delete(&format!("/api/me/browsers/{id}")).await
}

/// Signs out everywhere but here.
pub async fn end_other_browsers() -> Result<Value, Failure> {
    delete("/api/me/browsers").await
}

/// One's tokens.
pub async fn tokens() -> Result<Vec<ApiToken>, Failure> {
    get("/api/me/tokens").await
}

/// A token for a program.
pub async fn create_token(body: &CreateToken) -> Result<NewToken, Failure> {
    post("/api/me/tokens", body).await
}

/// Makes a token useless.
pub async fn revoke_token(id: &str) -> Result<Value, Failure> {
    delete(&format!("/api/me/tokens/{id}")).await
}
