//! Listing, opening and reading sessions.

use crate::app::App;
use crate::audit::Noted;
use crate::body::{Body, InPath, Params};
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use crate::{models, team, workspaces};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use duplex_domain::{MessageId, Mode, SessionId, State as SessionState};
use duplex_live::{Opening, SubmitError};
use duplex_readmodel::{Filter, LONGEST_PAGE};
use duplex_wire::{CreateSession, Created, ErrorBody, ItemPage, SessionPage, SessionView};
use uuid::Uuid;

/// The only kind of agent there is.
const AGENT: &str = "duplex";
/// How many items one page has at most.
const MOST_ITEMS: usize = 500;

/// The person's sessions: active ones first, newest first.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions",
    params(("state" = Option<String>, Query, description = "`active` or `ended`"),
        ("workspace" = Option<String>, Query, description = "a workspace's id"),
        ("q" = Option<String>, Query, description = "part of a title, a path or an id"),
        ("cursor" = Option<String>, Query, description = "where the page before ended"),
        ("limit" = Option<usize>, Query, description = "1 to 200; 50 if not given")),
    responses((status = 200, body = SessionPage), (status = "default", body = ErrorBody)))]
pub(crate) async fn list(
    State(app): State<App>,
    signed_in: SignedIn,
    params: Params,
) -> Result<Json<SessionPage>, Failure> {
    let user = signed_in.user;
    let filter = Filter {
        state: params.text("state").map(state).transpose()?,
        workspace: params.get("workspace")?,
        q: params.text("q").map(str::to_owned),
    };
    let limit = params.limit(50, LONGEST_PAGE)?;
    let cursor = params.text("cursor");
    let page = app
        .database
        .sessions(user.id, user.team, &filter, cursor, limit)
        .await?;
    Ok(Json(page))
}

fn state(text: &str) -> Result<SessionState, Failure> {
    match text {
        "active" => Ok(SessionState::Active),
        "ended" => Ok(SessionState::Ended),
        _ => Err(Failure::field(
            "state",
            "bad_state",
            "`state` is `active` or `ended`",
        )),
    }
}

/// Opens a session on a workspace, with the first message if there is one.
#[utoipa::path(post, path = "/api/sessions", tag = "sessions", request_body = CreateSession,
    responses((status = 201, body = Created), (status = "default", body = ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    signed_in: SignedIn,
    noted: Noted,
    Body(wanted): Body<CreateSession>,
) -> Result<(StatusCode, Json<Created>), Failure> {
    let user = signed_in.user;
    let agent = agent(wanted.agent.as_deref())?;
    let title = wanted.title.unwrap_or_default();
    let title = duplex_domain::title_for_opening(&title)?;
    let workspace = workspaces::find(&app, &wanted.workspace, user.team).await?;
    let model = models::choose(&app, wanted.model).await?;
    let mode = wanted.mode.as_deref().map(mode).transpose()?;
    let sandbox = workspaces::sandbox(&app, &workspace).await?;
    if wanted.message.is_some() {
        team::check(&app, user.team).await?;
    }
    let id = SessionId(Uuid::now_v7());
    noted.on("session", &id);
    noted.detail("path", &workspace.path);
    let opening = Opening {
        session: id,
        team: user.team,
        user: user.id,
        name: user.name,
        workspace: workspace.id,
        path: workspace.path,
        title,
        agent,
        model,
        mode: mode.unwrap_or_default(),
        sandbox,
        message: wanted.message.map(|text| (MessageId(Uuid::now_v7()), text)),
    };
    let seq = app.live.open(opening).await.map_err(about_message)?;
    Ok((StatusCode::CREATED, Json(Created { id, seq })))
}

fn mode(word: &str) -> Result<Mode, Failure> {
    let message = "`mode` is `ask`, `accept_edits`, `plan` or `auto`";
    let mode = serde_json::from_value(serde_json::Value::from(word));
    mode.map_err(|_| Failure::field("mode", "bad_mode", message))
}

fn agent(wanted: Option<&str>) -> Result<String, Failure> {
    match wanted {
        None | Some(AGENT) => Ok(AGENT.to_owned()),
        Some(_) => Err(Failure::field(
            "agent",
            "unknown_agent",
            "the only agent here is `duplex`",
        )),
    }
}

/// The first message is called otherwise in this request than in a command.
fn about_message(error: SubmitError) -> Failure {
    let mut failure = Failure::from(error);
    if failure.detail.field.as_deref() == Some("text") {
        failure.detail.field = Some("message".to_owned());
    }
    failure
}

/// A session as it stands: everything a first screen needs.
#[utoipa::path(get, path = "/api/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "the session's id")),
    responses((status = 200, body = SessionView), (status = "default", body = ErrorBody)))]
pub(crate) async fn view(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
) -> Result<Json<SessionView>, Failure> {
    let glimpse = app.live.picture(session, signed_in.user.id).await?;
    let (session, transcript) = (glimpse.picture.session, glimpse.picture.transcript);
    Ok(Json(SessionView {
        seq: session.seq,
        session,
        items: transcript.items,
        older: transcript.older,
        terminals: glimpse.terminals,
    }))
}

/// A page of a session's items, oldest first.
#[utoipa::path(get, path = "/api/sessions/{id}/items", tag = "sessions",
    params(("id" = String, Path, description = "the session's id"),
        ("before" = Option<String>, Query, description = "a place, `seq.index`; the page ends before it"),
        ("limit" = Option<usize>, Query, description = "1 to 500; 100 if not given")),
    responses((status = 200, body = ItemPage), (status = "default", body = ErrorBody)))]
pub(crate) async fn items(
    State(app): State<App>,
    signed_in: SignedIn,
    InPath(session): InPath,
    params: Params,
) -> Result<Json<ItemPage>, Failure> {
    app.live.role_of(session, signed_in.user.id).await?;
    let (before, limit) = (params.get("before")?, params.limit(100, MOST_ITEMS)?);
    Ok(Json(
        app.database
            .items(signed_in.user.team, session, before, limit)
            .await?,
    ))
}
