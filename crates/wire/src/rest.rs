//! The bodies of the REST interface.

use super::{Command, Item, Seq, Session, SessionId, Size, TerminalId, WorkspaceId};
use duplex_domain::{Cost, Digest, Mode, Place, State, Time, Usage};
use serde::{Deserialize, Serialize};

/// Any error. The status says the same to programs that look no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorDetail,
}

/// What went wrong, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorDetail {
    /// A word for programs.
    pub code: String,
    /// A sentence for the person who reads it, saying what to do.
    pub message: String,
    /// Whether the same request may work later.
    pub retryable: bool,
    /// Which field of the request is meant, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// `POST /api/setup`: makes the first owner, with the one-time secret of the setup link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Setup {
    /// The secret in the setup link.
    pub secret: String,
    /// The owner's name, as others see it.
    pub name: String,
    /// The owner's e-mail address; signs in with it.
    pub email: String,
    /// At least ten characters.
    pub password: String,
}

/// `POST /api/login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// A model that a session can use (`GET /api/models`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Model {
    /// The id to choose it by.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Who serves it.
    pub provider: String,
    /// Whether a turn can use it now.
    pub available: bool,
    /// If not, why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
    /// How many tokens a conversation may have; absent if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// How many tokens one answer may have; absent if nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
    /// What its tokens cost; absent if it has no price, which is not the same as free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ModelPrice>,
}

/// Picodollars for each token of a short prompt and its answer; some models charge more for long prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelPrice {
    /// Prompt tokens outside the provider's cache.
    pub input: u64,
    /// Tokens written.
    pub output: u64,
    /// Prompt tokens written to the cache for minutes.
    pub cache_write: u64,
    /// Prompt tokens written to the cache for an hour.
    pub cache_write_1h: u64,
    /// Prompt tokens read from the cache.
    pub cache_read: u64,
}

/// A workspace as its runner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workspace {
    /// The workspace.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: WorkspaceId,
    /// The last part of its path.
    pub name: String,
    /// Its folder on the runner's machine.
    pub path: String,
    /// Whether sessions can be opened on it.
    pub state: WorkspaceState,
    /// If not, why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Whether a workspace can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceState {
    /// A runner has been asked to look at it.
    Asked,
    /// A runner serves it.
    Ready,
    /// The runner says no.
    Refused,
    /// Its runner is not running.
    Offline,
}

/// `POST /api/workspaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateWorkspace {
    /// An absolute path beneath one of the runner's allowed roots.
    pub path: String,
}

/// `POST /api/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateSession {
    /// A workspace's id, or an absolute path beneath one of the runner's allowed roots.
    pub workspace: String,
    /// What to call it; without it, the first message names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Which kind of agent; `duplex` is the built-in one and the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Which model; without it, the first available one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How much the agent does without asking: `ask`, `accept_edits`, `plan` or `auto`, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The first message to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The answer to `POST /api/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Created {
    /// The new session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: SessionId,
    /// The newest frame of it.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
}

/// `POST /api/sessions/{id}/commands`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostCommand {
    /// The command's id, 32 hexadecimal digits, made by the caller: the same id twice is one command. Without it,
    /// the edge makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What to do.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::command))]
    pub command: Command,
}

/// The answer to a command: it is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// Where.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
}

/// What the agent of a session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Working {
    /// It works.
    Working,
    /// A message waits, and nothing has taken it up.
    Waiting,
    /// A tool call waits for somebody's answer.
    Asking,
    /// It rests.
    Idle,
    /// The session is over.
    Ended,
}

/// A terminal that a person opened and that runs, in whichever session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnTerminal {
    /// Its session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub session: SessionId,
    /// The session's title.
    pub title: String,
    /// The folder of the session's workspace.
    pub path: String,
    /// Which terminal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub terminal: TerminalId,
    /// What people call it; empty if it has no name.
    pub name: String,
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRow {
    /// The session.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: SessionId,
    /// What it is called.
    pub title: String,
    /// `active` or `ended`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub state: State,
    /// What its agent does.
    pub working: Working,
    /// Its workspace.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub workspace: WorkspaceId,
    /// The workspace's folder.
    pub path: String,
    /// Which kind of agent answers.
    pub agent: String,
    /// Its model.
    pub model: String,
    /// Tokens used.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub usage: Usage,
    /// Money used.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub cost: Cost,
    /// How much its agent does without asking: `ask`, `accept_edits`, `plan` or `auto`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub mode: Mode,
    /// What it may cost, in picodollars; absent if there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// When it was opened, in milliseconds since 1970 UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub opened_at: Time,
    /// When something last happened.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub active_at: Time,
    /// When it was ended.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub ended_at: Option<Time>,
}

impl SessionRow {
    /// The row of a session.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let working = match session.state {
            State::Ended => Working::Ended,
            State::Active | State::Unopened if !session.approvals.is_empty() => Working::Asking,
            State::Active | State::Unopened if session.turn.is_some() => Working::Working,
            State::Active | State::Unopened if !session.queue.is_empty() => Working::Waiting,
            State::Active | State::Unopened => Working::Idle,
        };
        Self {
            id: session.id,
            title: session.title.clone(),
            state: session.state,
            working,
            workspace: session.workspace,
            path: session.path.clone(),
            agent: session.agent.clone(),
            model: session.model.clone(),
            usage: session.usage,
            cost: session.cost,
            mode: session.mode,
            budget: session.budget.map(|budget| budget.pico),
            opened_at: session.opened_at,
            active_at: session.active_at,
            ended_at: session.ended_at,
        }
    }
}

/// `GET /api/sessions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionPage {
    /// The sessions: active ones first, the newest opened first.
    pub sessions: Vec<SessionRow>,
    /// Where the next page begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A terminal's screen, in a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalView {
    /// Which terminal.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: TerminalId,
    /// Its size.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub size: Size,
    /// Its text, a line each.
    pub text: Vec<String>,
}

/// `GET /api/sessions/{id}`: everything a first screen needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionView {
    /// The newest frame in this view.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
    /// What is true now.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub session: Session,
    /// The newest items, oldest of them first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub items: Vec<Item>,
    /// Whether older items exist.
    pub older: bool,
    /// Its terminals.
    pub terminals: Vec<TerminalView>,
}

/// `GET /api/sessions/{id}/digest`: what happened since the person last looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatchUp {
    /// The newest frame they have seen; absent if they never looked at the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub read: Option<Seq>,
    /// When they saw it, in milliseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub read_at: Option<Time>,
    /// What came behind it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub digest: Digest,
    /// Whether all of it was counted; so much may have happened that only the newest part was.
    pub whole: bool,
}

/// `GET /api/sessions/{id}/items`: a page of older items.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ItemPage {
    /// Items, oldest first.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub items: Vec<Item>,
    /// What to ask `before` for the page before this one; none at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub before: Option<Place>,
}
