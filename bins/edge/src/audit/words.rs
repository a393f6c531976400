//! Which word stands for which route, and how much depends on its being written down.

use axum::http::Method;

/// How a request is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It changes who may do what. It is refused while nothing can be written down, and answered once it is.
    Administration,
    /// Somebody comes or goes, or works. It is done, and written down as soon as possible.
    Work,
    /// It asks a session for something, which is written down with the command; here only what came to nothing before.
    Command,
    /// It reads what matters. Equal ones are summed up.
    Reading,
}
use Weight::{Administration, Command, Reading, Work};

/// A route that is written down: method, path, word, weight.
type Row = (&'static str, &'static str, &'static str, Weight);

/// Every route that may change something, and every reading that matters. A test holds this against the router.
const ROUTES: &[Row] = &[
    ("POST", "/api/setup", "account.setup", Administration),
    ("POST", "/api/login", "account.login", Work),
    ("POST", "/api/logout", "account.logout", Work),
    ("POST", "/api/workspaces", "workspace.add", Administration),
    ("POST", "/api/sessions", "session.open", Work),
    (
        "POST",
        "/api/sessions/{id}/commands",
        "session.command",
        Command,
    ),
    (
        "POST",
        "/api/sessions/{id}/links",
        "link.make",
        Administration,
    ),
    (
        "DELETE",
        "/api/sessions/{id}/links/{link}",
        "link.revoke",
        Administration,
    ),
    ("POST", "/api/share/look", "link.look", Reading),
    ("POST", "/api/share", "link.take", Administration),
    ("POST", "/api/join/look", "invitation.look", Reading),
    ("POST", "/api/join", "invitation.take", Administration),
    ("POST", "/api/reset/look", "reset.look", Reading),
    ("POST", "/api/reset", "reset.take", Administration),
    ("PUT", "/api/me/name", "account.name", Work),
    (
        "PUT",
        "/api/me/password",
        "account.password",
        Administration,
    ),
    ("POST", "/api/me/leave", "account.leave", Administration),
    ("DELETE", "/api/me/browsers", "account.end_browsers", Work),
    (
        "DELETE",
        "/api/me/browsers/{browser}",
        "account.end_browser",
        Work,
    ),
    ("POST", "/api/me/tokens", "token.make", Administration),
    (
        "DELETE",
        "/api/me/tokens/{token}",
        "token.revoke",
        Administration,
    ),
    (
        "POST",
        "/api/team/invitations",
        "team.invite",
        Administration,
    ),
    (
        "DELETE",
        "/api/team/invitations/{invitation}",
        "team.revoke_invitation",
        Administration,
    ),
    (
        "PUT",
        "/api/team/people/{person}/role",
        "team.set_role",
        Administration,
    ),
    (
        "PUT",
        "/api/team/people/{person}/disabled",
        "team.disable",
        Administration,
    ),
    (
        "POST",
        "/api/team/people/{person}/reset",
        "team.reset_password",
        Administration,
    ),
    (
        "POST",
        "/api/team/transfer",
        "team.transfer",
        Administration,
    ),
    ("PUT", "/api/team/name", "team.rename", Administration),
    ("PUT", "/api/team/budget", "team.budget", Administration),
    ("GET", "/api/team/audit/export", "audit.export", Work),
    ("GET", "/api/team/audit/table", "audit.export", Work),
    (
        "GET",
        "/api/sessions/{id}/events",
        "session.events",
        Reading,
    ),
    (
        "GET",
        "/api/sessions/{id}/terminals/{terminal}/cast",
        "session.recording",
        Reading,
    ),
    (
        "GET",
        "/api/sessions/{id}/terminals/{terminal}/text",
        "session.recording",
        Reading,
    ),
    ("GET", "/api/share/past", "link.past", Reading),
    ("GET", "/api/feed", "feed.open", Reading),
];

/// What stands for a route that may change something and that nobody named.
const UNNAMED: (&str, Weight) = ("route.unnamed", Administration);

/// How a request to a route is written down, if it is.
pub(super) fn of(method: &Method, path: &str) -> Option<(&'static str, Weight)> {
    let mut rows = ROUTES.iter();
    let row = rows.find(|(verb, route, ..)| *verb == method.as_str() && *route == path);
    let named = row.map(|(_, _, word, weight)| (*word, *weight));
    named.or_else(|| changes(method).then_some(UNNAMED))
}

/// Whether a request of this method may change something.
pub(super) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::collections::BTreeSet;

    fn documented() -> BTreeSet<(String, String)> {
        let document = serde_json::to_value(crate::document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let verbs = ["get", "post", "put", "patch", "delete"];
        let route = |(path, methods): (&String, &serde_json::Value)| {
            let known = verbs.iter().filter(|verb| methods.get(**verb).is_some());
            known
                .map(|verb| (verb.to_uppercase(), path.clone()))
                .collect::<Vec<_>>()
        };
        paths.iter().flat_map(route).collect()
    }

    #[test]
    fn every_route_that_may_change_something_has_a_word() {
        for (method, path) in documented() {
            let method: Method = method.parse().unwrap();
            let word = of(&method, &path).map(|(word, _)| word);
            assert_ne!(word, Some(UNNAMED.0), "{method} {path} needs a word");
        }
    }

    #[test]
    fn every_word_stands_for_a_route_that_there_is() {
        let documented = documented();
        for (method, path, ..) in ROUTES {
            let route = ((*method).to_owned(), (*path).to_owned());
            assert!(documented.contains(&route), "{method} {path}");
        }
    }

    #[test]
    fn a_route_that_nobody_named_is_written_down_all_the_same() {
        assert_eq!(of(&Method::DELETE, "/api/new"), Some(UNNAMED));
        assert_eq!(of(&Method::GET, "/api/new"), None);
    }
}
