//! What stands before every route: it writes down what may change something, and what it came to.

use super::noted::Known;
use super::words::{self, Weight};
use super::{Noted, now, only_team};
use crate::app::App;
use crate::failure::{Code, Failure};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use duplex_domain::audit::{Deed, On, Outcome};
use tracing::Instrument;

/// The header that names a request as the records and the server's log do.
const REQUEST_ID: &str = "x-request-id";

/// Answers a request and writes it down. What changes who may do what is refused while nothing can be written down,
/// and answered as done only once it is.
pub(crate) async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let word = words::of(request.method(), route).filter(|_| !route.is_empty());
    let Some((what, weight)) = word else {
        return next.run(request).await;
    };
    if weight == Weight::Administration
        && let Err(failure) = app.audit.ready().await
    {
        return failure.into_response();
    }
    let noted = Noted::of(request.headers(), request.extensions());
    let target = target(route, request.uri().path());
    request.extensions_mut().insert(noted.clone());
    let span = tracing::info_span!("request", trace.id = noted.trace);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&noted.trace) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let known = noted.known();
    let (outcome, code) = outcome(&response, &known);
    let left_out = response.status() == StatusCode::METHOD_NOT_ALLOWED
        || weight == Weight::Command && (known.written || outcome == Outcome::Ok);
    if left_out {
        return response;
    }
    let team = match known.team {
        Some(team) => Some(team),
        None => only_team(&app).await,
    };
    let deed = Deed {
        at: now(),
        who: known.who.unwrap_or_default(),
        what: what.to_owned(),
        on: known.on.or(target),
        from: noted.from,
        outcome,
        code,
        count: 1,
        detail: known.detail,
        trace: noted.trace,
    };
    match (weight, outcome) {
        (Weight::Administration, Outcome::Ok) => match app.audit.write(team, deed).await {
            Ok(()) => response,
            Err(failure) => failure.into_response(),
        },
        (Weight::Reading, _) | (_, Outcome::Refused | Outcome::Failed) => {
            app.audit.sum_up(team, deed);
            response
        }
        (Weight::Work | Weight::Command, Outcome::Ok) => {
            app.audit.note(team, deed);
            response
        }
    }
}

fn outcome(response: &Response, known: &Known) -> (Outcome, String) {
    let status = response.status();
    let code = response.extensions().get::<Code>();
    let code = code.map_or_else(|| status.as_u16().to_string(), |Code(code)| code.clone());
    match &known.refused {
        Some(refused) => (Outcome::Refused, refused.clone()),
        None if status.is_server_error() => (Outcome::Failed, code),
        None if status.is_client_error() => (Outcome::Refused, code),
        None => (Outcome::Ok, String::new()),
    }
}

/// What the path itself names: the last id in it, and of what kind it is by the word before.
fn target(route: &str, path: &str) -> Option<On> {
    let mut target = None;
    let mut kind = "";
    for (named, given) in route.split('/').zip(path.split('/')) {
        if named.starts_with('{') {
            target = Some(On {
                kind: singular(kind).to_owned(),
                id: super::short(given, 64),
            });
        }
        kind = named;
    }
    target
}

fn singular(kind: &str) -> &str {
    match kind {
        "people" => "person",
        kind => kind.strip_suffix('s').unwrap_or(kind),
    }
}

/// What administration is told while nothing can be written down.
pub(super) fn closed() -> Failure {
    let message = "nothing can be written into the audit log now, so nothing is changed that must be in it; ask who \
                   runs this server to look at its log, and try again";
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "audit_unavailable",
        message,
    )
}

/// What administration is told that was done while its record still waits.
pub(super) fn unwritten() -> Failure {
    let message = "this was done, but the audit log has not taken its record yet; look at the result before trying \
                   again";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "audit_waits", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_what_it_is_about() {
        let on = |kind: &str, id: &str| {
            Some(On {
                kind: kind.into(),
                id: id.into(),
            })
        };
        let links = "/api/sessions/{id}/links/{link}";
        assert_eq!(target(links, "/api/sessions/a/links/b"), on("link", "b"));
        let commands = "/api/sessions/{id}/commands";
        assert_eq!(
            target(commands, "/api/sessions/a/commands"),
            on("session", "a")
        );
        assert_eq!(target("/api/login", "/api/login"), None);
    }
}
