//! What a team may spend, and what happens once it has spent it.

use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use duplex_domain::{Command, SessionId, TeamId, UserId};
use duplex_readmodel::{TeamRole, User};
use duplex_wire::{ErrorBody, SetTeamBudget, TeamBudget};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tracing::warn;
use uuid::Uuid;

/// How long a command waits for the word on its team's money.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the team may spend in a calendar month, and what it has spent in this one.
#[utoipa::path(get, path = "/api/team/budget", tag = "team",
    responses((status = 200, body = TeamBudget), (status = "default", body = ErrorBody)))]
pub(crate) async fn budget(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<TeamBudget>, Failure> {
    Ok(Json(shown(&app, &signed_in.user).await?))
}

/// Limits what the team may spend in a calendar month; for its owner.
#[utoipa::path(put, path = "/api/team/budget", tag = "team", request_body = SetTeamBudget,
    responses((status = 200, body = TeamBudget), (status = "default", body = ErrorBody)))]
pub(crate) async fn set_budget(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    Body(SetTeamBudget { pico }): Body<SetTeamBudget>,
) -> Result<Json<TeamBudget>, Failure> {
    noted.on("team", &signed_in.user.team);
    noted.detail(
        "pico",
        &pico.map_or_else(|| "none".to_owned(), |pico| pico.to_string()),
    );
    app.accounts.set_team_budget(&signed_in.user, pico).await?;
    // Told twice, it is the same; so if this fails the request is made again.
    app.registry
        .put_team_budget(signed_in.user.team, pico)
        .await?;
    Ok(Json(shown(&app, &signed_in.user).await?))
}

async fn shown(app: &App, user: &User) -> Result<TeamBudget, Failure> {
    let pico = app.accounts.team_budget(user.team).await?;
    let month = app.database.spent_this_month(user.team).await?;
    let (warning, reached) = TeamBudget::used_up(pico, month.cost.pico);
    Ok(TeamBudget {
        pico,
        month: month.month,
        spent: month.cost,
        warning,
        reached,
        may_set: user.role == TeamRole::Owner,
    })
}

/// The teams whose money was used up when it was last looked.
#[derive(Default)]
pub(crate) struct SpentTeams(Mutex<HashSet<TeamId>>);

impl SpentTeams {
    fn note(&self, team: TeamId, spent: bool) {
        let mut teams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent {
            teams.insert(team);
        } else {
            teams.remove(&team);
        }
    }

    fn has(&self, team: TeamId) -> bool {
        let teams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        teams.contains(&team)
    }
}

/// Refuses a command that would have the agent work while its team's money is used up. A command that is in the log
/// already is let through, so that the same id again is the same command.
pub(crate) async fn check_command(
    app: &App,
    session: SessionId,
    user: UserId,
    id: Uuid,
    command: &Command,
) -> Result<(), Failure> {
    let costs = matches!(
        command,
        Command::PostMessage { .. } | Command::Again { .. } | Command::Compact
    );
    if !costs {
        return Ok(());
    }
    match app.live.payer(session, user, id).await? {
        Some(team) => check(app, team).await,
        None => Ok(()),
    }
}

/// Refuses if a team's money is used up. While Postgres is away, what was last known counts: a session that is open
/// goes on without Postgres.
pub(crate) async fn check(app: &App, team: TeamId) -> Result<(), Failure> {
    let spent = match tokio::time::timeout(PATIENCE, is_spent(app, team)).await {
        Ok(Ok(spent)) => {
            app.spent_teams.note(team, spent);
            spent
        }
        Ok(Err(failure)) if failure.detail.retryable => last_known(app, team),
        Ok(Err(failure)) => return Err(failure),
        Err(_) => last_known(app, team),
    };
    if spent {
        return Err(Failure::team_budget());
    }
    Ok(())
}

fn last_known(app: &App, team: TeamId) -> bool {
    warn!("whether team {team} has money left cannot be looked up; what was last known counts");
    app.spent_teams.has(team)
}

async fn is_spent(app: &App, team: TeamId) -> Result<bool, Failure> {
    let Some(limit) = app.accounts.team_budget(team).await? else {
        return Ok(false);
    };
    let month = app.database.spent_this_month(team).await?;
    Ok(TeamBudget::used_up(Some(limit), month.cost.pico).1)
}
