//! The workspaces that runners serve.

use crate::app::App;
use crate::audit::Noted;
use crate::body::Body;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use duplex_domain::{RunnerId, TeamId};
use duplex_eventlog::{WorkspaceEntry, WorkspaceState as Entered};
use duplex_wire::{CreateWorkspace, ErrorBody, Workspace, WorkspaceState};

/// The workspaces of the person's team.
#[utoipa::path(get, path = "/api/workspaces", tag = "workspaces",
    responses((status = 200, body = Vec<Workspace>), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
) -> Result<Json<Vec<Workspace>>, Failure> {
    let alive = alive(&app).await?;
    let mut entries = app.registry.workspaces().await?;
    entries.retain(|entry| belongs(entry, signed_in.user.team));
    let mut workspaces: Vec<Workspace> = entries
        .into_iter()
        .map(|entry| shown(entry, &alive))
        .collect();
    workspaces.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Json(workspaces))
}

/// Asks a runner to serve a folder.
#[utoipa::path(post, path = "/api/workspaces", tag = "workspaces", request_body = CreateWorkspace,
    responses((status = 201, body = Workspace), (status = "default", body = ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    Body(CreateWorkspace { path }): Body<CreateWorkspace>,
) -> Result<(StatusCode, Json<Workspace>), Failure> {
    noted.detail("path", &path);
    let entry = ask(&app, &path, signed_in.user.team, "path").await?;
    noted.on("workspace", &entry.id);
    let alive = alive(&app).await?;
    let entry = usable(entry, &alive, "path")?;
    Ok((StatusCode::CREATED, Json(shown(entry, &alive))))
}

/// The workspace that a person means by an id or a path, if sessions can be opened on it.
pub(crate) async fn find(app: &App, wanted: &str, team: TeamId) -> Result<WorkspaceEntry, Failure> {
    const FIELD: &str = "workspace";
    let entry = match wanted.parse() {
        Ok(id) => {
            let known = app.registry.workspace(id).await?;
            let known = known.filter(|entry| belongs(entry, team));
            known.ok_or_else(|| {
                Failure::field(FIELD, "unknown_workspace", "there is no such workspace")
            })?
        }
        Err(_) => ask(app, wanted, team, FIELD).await?,
    };
    usable(entry, &alive(app).await?, FIELD)
}

async fn ask(app: &App, path: &str, team: TeamId, field: &str) -> Result<WorkspaceEntry, Failure> {
    let plain = path.starts_with('/') && path.len() <= 4096 && !path.chars().any(char::is_control);
    if !plain {
        let message = "a workspace is named by its id or by an absolute path";
        return Err(Failure::field(field, "bad_path", message));
    }
    if alive(app).await?.is_empty() {
        return Err(Failure::no_runner());
    }
    Ok(app.registry.ask_workspace(path, team).await?)
}

fn usable(
    entry: WorkspaceEntry,
    alive: &[RunnerId],
    field: &str,
) -> Result<WorkspaceEntry, Failure> {
    match state(&entry, alive) {
        WorkspaceState::Ready => Ok(entry),
        WorkspaceState::Asked | WorkspaceState::Offline => Err(Failure::field(
            field,
            "workspace_offline",
            "no runner serves this workspace now; start its runner",
        )),
        WorkspaceState::Refused => {
            let code = entry.code.unwrap_or_else(|| "workspace_refused".into());
            let problem = entry
                .problem
                .unwrap_or_else(|| "the runner does not serve this workspace".into());
            Err(Failure::field(field, code, problem))
        }
    }
}

/// How strongly the runner of a workspace holds tools and terminals in.
pub(crate) async fn sandbox(app: &App, workspace: &WorkspaceEntry) -> Result<String, Failure> {
    let runners = app.registry.runners().await?.into_iter();
    let mut serving = runners.filter(|runner| Some(runner.id) == workspace.runner);
    Ok(serving
        .next()
        .map(|runner| runner.sandbox)
        .unwrap_or_default())
}

async fn alive(app: &App) -> Result<Vec<RunnerId>, Failure> {
    let runners = app.registry.runners().await?;
    Ok(runners.into_iter().map(|runner| runner.id).collect())
}

fn belongs(entry: &WorkspaceEntry, team: TeamId) -> bool {
    entry.team.is_none_or(|owner| owner == team)
}

fn state(entry: &WorkspaceEntry, alive: &[RunnerId]) -> WorkspaceState {
    match entry.state {
        Entered::Asked => WorkspaceState::Asked,
        Entered::Refused => WorkspaceState::Refused,
        Entered::Ready if entry.runner.is_some_and(|runner| alive.contains(&runner)) => {
            WorkspaceState::Ready
        }
        Entered::Ready => WorkspaceState::Offline,
    }
}

fn shown(entry: WorkspaceEntry, alive: &[RunnerId]) -> Workspace {
    let state = state(&entry, alive);
    let WorkspaceEntry {
        id, path, problem, ..
    } = entry;
    let name = path
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("/")
        .to_owned();
    Workspace {
        id,
        name,
        path,
        state,
        problem,
    }
}
