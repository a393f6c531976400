//! The server's REST interface.

use crate::interop::dom;
use duplex_domain::{Changes, Command, Place, SessionId, TerminalId, Time};
use duplex_wire::{
    Accepted, AuditChain, AuditPage, AuditWords, CatchUp, Costs, CreateSession, Created, ErrorBody,
    ItemPage, LinkOffer, LinkTaken, Login, MadeLink, MakeLink, Me, Model, OwnTerminal, PostCommand,
    SessionPage, SetTeamBudget, Setup, ShareLink, SharedPast, TakeLink, TeamBudget, Workspace,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request that did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status; 0 when the server was not reached.
    pub status: u16,
    /// A word for programs; empty when the server was not reached.
    pub code: String,
    /// A sentence for the person at the page.
    pub message: String,
    /// Which field is meant, where one is.
    pub field: Option<String>,
}

impl Failure {
    /// Whether nobody is signed in.
    #[must_use]
    pub fn signed_out(&self) -> bool {
        self.status == 401
    }

    fn of(status: u16, body: &str) -> Self {
        let error = serde_json::from_str::<ErrorBody>(body).ok();
        if let Some(ErrorBody { error }) = error {
            return Self {
                status,
                code: error.code,
                message: error.message,
                field: error.field,
            };
        }
        Self::plain(
            status,
            match status {
                0 => "the server cannot be reached; check that it runs".into(),
                _ => format!("the server answered with status {status}"),
            },
        )
    }

    fn plain(status: u16, message: String) -> Self {
        Self {
            status,
            code: String::new(),
            message,
            field: None,
        }
    }
}

pub(super) async fn call<T: DeserializeOwned>(
    method: &str,
    path: &str,
    body: Option<String>,
) -> Result<T, Failure> {
    let (status, text) = dom::request(method, path, body).await;
    if !(200..300).contains(&status) {
        return Err(Failure::of(status, &text));
    }
    let text = if text.is_empty() { "null" } else { &text };
    serde_json::from_str(text).map_err(|error| {
        let message = format!("the server's answer is not understood ({error}); reload the page");
        Failure::plain(status, message)
    })
}

pub(super) async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Failure> {
    call("GET", path, None).await
}

pub(super) async fn post<T: DeserializeOwned>(
    path: &str,
    body: &impl Serialize,
) -> Result<T, Failure> {
    let body = serde_json::to_string(body).unwrap_or_default();
    call("POST", path, Some(body)).await
}

/// Makes the first owner, who is then signed in.
pub async fn setup(body: &Setup) -> Result<serde_json::Value, Failure> {
    post("/api/setup", body).await
}

/// Signs in.
pub async fn login(body: &Login) -> Result<serde_json::Value, Failure> {
    post("/api/login", body).await
}

/// Signs out.
pub async fn logout() -> Result<serde_json::Value, Failure> {
    post("/api/logout", &serde_json::json!({})).await
}

/// Who is signed in.
pub async fn me() -> Result<Me, Failure> {
    get("/api/me").await
}

/// The models to choose from.
pub async fn models() -> Result<Vec<Model>, Failure> {
    get("/api/models").await
}

/// The workspaces to choose from.
pub async fn workspaces() -> Result<Vec<Workspace>, Failure> {
    get("/api/workspaces").await
}

/// A page of sessions; `state` and `q` narrow it.
pub async fn sessions(state: &str, q: &str, cursor: Option<&str>) -> Result<SessionPage, Failure> {
    let encode = escaped;
    let mut query = Vec::new();
    for (name, value) in [
        ("state", state),
        ("q", q),
        ("cursor", cursor.unwrap_or_default()),
    ] {
        if !value.is_empty() {
            query.push(format!("{name}={}", encode(value)));
        }
    }
    get(&format!("/api/sessions?{}", query.join("&"))).await
}

/// What was spent since a moment, told apart by `by`.
pub async fn costs(by: &str, from: Option<Time>) -> Result<Costs, Failure> {
    let from = from.map_or_else(String::new, |from| format!("&from={}", from.0));
    get(&format!("/api/costs?by={by}{from}")).await
}

/// Text as it may stand behind `?`.
pub fn escaped(text: &str) -> String {
    String::from(js_sys::encode_uri_component(text))
}

/// A page of the audit log.
pub async fn audit(query: &str, cursor: Option<&str>) -> Result<AuditPage, Failure> {
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    get(&format!("/api/team/audit?{query}{cursor}")).await
}

/// What the audit log can be filtered by.
pub async fn audit_words() -> Result<AuditWords, Failure> {
    get("/api/team/audit/words").await
}

/// Whether the audit log is as it was written.
pub async fn audit_chain() -> Result<AuditChain, Failure> {
    get("/api/team/audit/chain").await
}

/// What the team may spend.
pub async fn team_budget() -> Result<TeamBudget, Failure> {
    get("/api/team/budget").await
}

/// Limits what the team may spend, in picodollars.
pub async fn set_team_budget(pico: Option<u64>) -> Result<TeamBudget, Failure> {
    let body = serde_json::to_string(&SetTeamBudget { pico }).unwrap_or_default();
    call("PUT", "/api/team/budget", Some(body)).await
}

/// Opens a session.
pub async fn create_session(body: &CreateSession) -> Result<Created, Failure> {
    post("/api/sessions", body).await
}

/// What changed in a session's files, by the hash that an event names.
pub async fn changes(session: SessionId, hash: &str) -> Result<Changes, Failure> {
    get(&format!("/api/sessions/{session}/bodies/{hash}")).await
}

/// Items before a place, newest page of them.
pub async fn items(session: SessionId, before: Place) -> Result<ItemPage, Failure> {
    get(&format!(
        "/api/sessions/{session}/items?before={before}&limit=100"
    ))
    .await
}

/// All that a terminal put out, as text.
pub async fn terminal_text(session: SessionId, terminal: TerminalId) -> Result<String, Failure> {
    let path = format!("/api/sessions/{session}/terminals/{terminal}/text");
    let (status, text) = dom::request("GET", &path, None).await;
    if (200..300).contains(&status) {
        return Ok(text);
    }
    Err(Failure::of(status, &text))
}

/// What happened in a session since the person last looked at it.
pub async fn digest(session: SessionId) -> Result<CatchUp, Failure> {
    get(&format!("/api/sessions/{session}/digest")).await
}

/// The links to a session.
pub async fn links(session: SessionId) -> Result<Vec<ShareLink>, Failure> {
    get(&format!("/api/sessions/{session}/links")).await
}

/// Makes a link to a session.
pub async fn make_link(session: SessionId, wish: &MakeLink) -> Result<MadeLink, Failure> {
    post(&format!("/api/sessions/{session}/links"), wish).await
}

/// Takes a link back.
pub async fn revoke_link(session: SessionId, link: &str) -> Result<(), Failure> {
    let path = format!("/api/sessions/{session}/links/{link}");
    call("DELETE", &path, None).await
}

/// What a link leads to.
pub async fn look_at_link(link: &TakeLink) -> Result<LinkOffer, Failure> {
    post("/api/share/look", link).await
}

/// Takes a link up.
pub async fn take_link(link: &TakeLink) -> Result<LinkTaken, Failure> {
    post("/api/share", link).await
}

/// The stretch of a session's past that a link shows.
pub async fn shared_past() -> Result<SharedPast, Failure> {
    get("/api/share/past").await
}

/// The person's running terminals, in all sessions.
pub async fn own_terminals() -> Result<Vec<OwnTerminal>, Failure> {
    get("/api/terminals").await
}

/// Asks something of a session, under an id of one's own: what the command makes is named by it.
pub async fn command(
    session: SessionId,
    id: String,
    command: Command,
) -> Result<Accepted, Failure> {
    let id = Some(id);
    post(
        &format!("/api/sessions/{session}/commands"),
        &PostCommand { id, command },
    )
    .await
}
