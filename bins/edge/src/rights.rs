//! Who may call what: the one place where roles in a team and scopes of tokens are held against routes.

use crate::app::App;
use crate::audit::Noted;
use crate::failure::Failure;
use crate::openapi;
use crate::signed_in::{Credential, SignedIn, credential, shows_one_credential};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use duplex_readmodel::{AccountError, TeamRole};
use duplex_wire::Scope;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// What a route asks of its caller. Roles in a session are asked for behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Right {
    /// The least a person has to be in their team.
    pub least: TeamRole,
    /// What a program's token has to be for.
    pub scope: Scope,
}

/// The page's socket. It is accepted first and then closed with a code, since a browser tells its page nothing of an
/// upgrade that was refused.
const FEED: &str = "/api/feed";
/// What a visitor's link shows; also in a browser where somebody else is, or was, signed in.
const PAST: &str = "/api/share/past";

/// All that somebody without an account may ask for.
const FOR_VISITORS: [&str; 10] = [
    "/api/me",
    "/api/logout",
    "/api/share/past",
    "/api/sessions/{id}",
    "/api/sessions/{id}/items",
    "/api/sessions/{id}/digest",
    "/api/sessions/{id}/commands",
    "/api/sessions/{id}/events",
    "/api/sessions/{id}/bodies/{hash}",
    "/api/feed",
];

/// What a route asks for. One that nobody thought of here is closed to guests.
pub(crate) fn right(method: &Method, path: &str) -> Right {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let (own, team) = (path.starts_with("/api/me/"), path.starts_with("/api/team/"));
    let owners = ["/api/team/invitations", "/api/team/audit"];
    let owners = owners.iter().any(|own| path.starts_with(own));
    let session = path.starts_with("/api/sessions/{id}");
    let shown_to_guests = match path {
        "/api/me" | "/api/logout" | FEED | PAST | "/api/terminals" | "/api/openapi.json" => true,
        "/api/sessions" => reads,
        _ => own || session,
    };
    let least = match shown_to_guests {
        true => TeamRole::Guest,
        false if team && (owners || !reads) => TeamRole::Owner,
        false => TeamRole::Member,
    };
    let scope = match reads {
        true if own || owners => Scope::Admin,
        true => Scope::Read,
        false if own || team => Scope::Admin,
        false => Scope::Write,
    };
    Right { least, scope }
}

/// Refuses a person who is too little in their team, and a token that is for something else.
pub(crate) fn ask(person: &SignedIn, right: Right) -> Result<(), Failure> {
    ask_scope(person, right.scope)?;
    match right.least {
        least if person.user.role >= least => Ok(()),
        TeamRole::Owner => Err(AccountError::NotTheOwner.into()),
        TeamRole::Member | TeamRole::Guest => Err(Failure::guest()),
    }
}

/// Refuses a token that is not for this.
pub(crate) fn ask_scope(person: &SignedIn, scope: Scope) -> Result<(), Failure> {
    let has = |scopes: &Vec<Scope>| scopes.contains(&scope);
    if person.scopes.as_ref().is_none_or(has) {
        return Ok(());
    }
    Err(Failure::missing_scope(scope.word()))
}

/// Lets a request through to its handler if its sender may call it.
pub(crate) async fn check(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if !shows_one_credential(request.headers()) {
        return Err(Failure::two_credentials());
    }
    // What is at no route is a file of the page, or nothing.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let Some(path) = path.filter(|path| !is_public(request.method(), path.as_str())) else {
        return Ok(next.run(request).await);
    };
    match caller(&app, credential(request.headers())).await {
        Ok(person) => {
            if let Some(noted) = request.extensions().get::<Noted>() {
                noted.signed_in(&person);
            }
            if person.visit.is_some() && !FOR_VISITORS.contains(&path.as_str()) {
                return Err(Failure::visitors());
            }
            ask(&person, right(request.method(), path.as_str()))?;
            app.limits.person(person.user.id)?;
            request.extensions_mut().insert(person);
        }
        Err(_) if matches!(path.as_str(), FEED | PAST) => {}
        Err(failure) => return Err(failure),
    }
    Ok(next.run(request).await)
}

async fn caller(app: &App, by: Option<Credential>) -> Result<SignedIn, Failure> {
    let by = by.ok_or_else(Failure::signed_out)?;
    let person = SignedIn::behind(app, by).await?;
    person.ok_or_else(Failure::signed_out)
}

/// Whether a route's own description says that nobody has to be signed in.
fn is_public(method: &Method, path: &str) -> bool {
    static PUBLIC: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(public);
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    PUBLIC.contains(&(method.as_str().to_lowercase(), path.to_owned()))
}

fn public() -> BTreeSet<(String, String)> {
    let document = serde_json::to_value(openapi::document()).unwrap_or_default();
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method, path, operation))
    });
    let open =
        operations.filter(|(.., operation)| operation["security"] == serde_json::json!([{}]));
    open.map(|(method, path, _)| (method.clone(), path.clone()))
        .collect()
}
