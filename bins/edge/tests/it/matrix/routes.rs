//! Every route of the router against everybody.

use super::cast::Cast;
use super::{
    ANYBODY, COMMENTERS, LEAVE, MEMBERS, ONES_OWN, PAST, SESSION_OWNERS_WITH_AN_ACCOUNT,
    TEAM_OWNERS, VIEWERS, VIEWERS_WITH_AN_ACCOUNT, WHO_AM_I, assert_row, row,
};
use crate::doors::documented;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SOME_ID: &str = "0190a0b0c0d07e0f8a1b2c3d4e5f6071";

/// Leaving a team ends so much that it is tried on a server of its own.
const LEAVING: &str = "POST /api/me/leave";

/// A route, who may call it, and the status of the answer to those who may. What ends a sign-in comes last.
const ROUTES: &[(&str, &str, u16)] = &[
    ("GET /healthz", ANYBODY, 200),
    ("GET /readyz", ANYBODY, 200),
    ("GET /api/setup", ANYBODY, 200),
    ("POST /api/setup", ANYBODY, 422),
    ("POST /api/login", ANYBODY, 422),
    ("POST /api/join", ANYBODY, 422),
    ("POST /api/join/look", ANYBODY, 422),
    ("POST /api/reset", ANYBODY, 422),
    ("POST /api/reset/look", ANYBODY, 422),
    ("POST /api/share", ANYBODY, 422),
    ("POST /api/share/look", ANYBODY, 422),
    ("GET /api/feed", WHO_AM_I, 426),
    ("GET /api/share/past", PAST, 200),
    ("GET /api/me", WHO_AM_I, 200),
    ("GET /api/me/browsers", ONES_OWN, 200),
    ("GET /api/me/tokens", ONES_OWN, 200),
    ("GET /api/openapi.json", ONES_OWN, 200),
    ("GET /api/sessions", ONES_OWN, 200),
    ("GET /api/terminals", ONES_OWN, 200),
    ("GET /api/costs", MEMBERS, 200),
    ("GET /api/models", MEMBERS, 200),
    ("GET /api/team/budget", MEMBERS, 200),
    ("GET /api/team/people", MEMBERS, 200),
    ("GET /api/workspaces", MEMBERS, 200),
    ("GET /metrics", MEMBERS, 200),
    ("GET /api/team/audit", TEAM_OWNERS, 200),
    ("GET /api/team/audit/chain", TEAM_OWNERS, 200),
    ("GET /api/team/audit/export", TEAM_OWNERS, 200),
    ("GET /api/team/audit/table", TEAM_OWNERS, 200),
    ("GET /api/team/audit/words", TEAM_OWNERS, 200),
    ("GET /api/team/invitations", TEAM_OWNERS, 200),
    ("GET /api/sessions/{id}", VIEWERS, 200),
    ("GET /api/sessions/{id}/bodies/{hash}", VIEWERS, 404),
    ("GET /api/sessions/{id}/digest", VIEWERS, 200),
    ("GET /api/sessions/{id}/events", VIEWERS, 200),
    ("GET /api/sessions/{id}/items", VIEWERS, 200),
    (
        "GET /api/sessions/{id}/terminals/{terminal}/cast",
        VIEWERS_WITH_AN_ACCOUNT,
        404,
    ),
    (
        "GET /api/sessions/{id}/terminals/{terminal}/text",
        VIEWERS_WITH_AN_ACCOUNT,
        404,
    ),
    (
        "GET /api/sessions/{id}/links",
        SESSION_OWNERS_WITH_AN_ACCOUNT,
        200,
    ),
    (
        "POST /api/sessions/{id}/links",
        SESSION_OWNERS_WITH_AN_ACCOUNT,
        201,
    ),
    (
        "DELETE /api/sessions/{id}/links/{link}",
        SESSION_OWNERS_WITH_AN_ACCOUNT,
        204,
    ),
    ("POST /api/sessions/{id}/commands", COMMENTERS, 200),
    ("POST /api/sessions", MEMBERS, 201),
    ("POST /api/workspaces", MEMBERS, 201),
    ("POST /api/me/tokens", ONES_OWN, 201),
    ("PUT /api/me/name", ONES_OWN, 204),
    ("PUT /api/me/password", ONES_OWN, 422),
    ("POST /api/team/invitations", TEAM_OWNERS, 201),
    (
        "DELETE /api/team/invitations/{invitation}",
        TEAM_OWNERS,
        404,
    ),
    ("POST /api/team/people/{person}/reset", TEAM_OWNERS, 404),
    ("POST /api/team/transfer", TEAM_OWNERS, 422),
    ("PUT /api/team/budget", TEAM_OWNERS, 200),
    ("PUT /api/team/name", TEAM_OWNERS, 204),
    ("PUT /api/team/people/{person}/disabled", TEAM_OWNERS, 404),
    ("PUT /api/team/people/{person}/role", TEAM_OWNERS, 404),
    ("DELETE /api/me/browsers/{browser}", ONES_OWN, 404),
    ("DELETE /api/me/tokens/{token}", ONES_OWN, 404),
    ("DELETE /api/me/browsers", ONES_OWN, 204),
    ("POST /api/logout", WHO_AM_I, 204),
    (LEAVING, LEAVE, 204),
];

/// A route's path, about what there is where there is such a thing.
fn path(cast: &Cast, route: &str) -> String {
    let path = route.replace("{id}", &cast.session.to_string());
    let path = path.replace("{link}", &cast.link);
    let path = path.replace("{hash}", &"a".repeat(64));
    let names = [
        "{terminal}",
        "{invitation}",
        "{person}",
        "{browser}",
        "{token}",
    ];
    names
        .iter()
        .fold(path, |path, name| path.replace(name, SOME_ID))
}

/// What is sent, so that the answer tells of rights and not of what is missing in it.
fn body(cast: &Cast, route: &str) -> Value {
    match route {
        "POST /api/sessions/{id}/links" => json!({"role": "viewer", "hours": 1}),
        "POST /api/sessions/{id}/commands" => {
            json!({"command": {"type": "post_message", "text": "hello"}})
        }
        "POST /api/sessions" => json!({"workspace": cast.workspace}),
        "POST /api/workspaces" => json!({"path": "/srv/known"}),
        "POST /api/me/tokens" => json!({"name": "ci", "scopes": ["read"]}),
        "PUT /api/me/name" | "PUT /api/team/name" => json!({"name": "Same"}),
        "PUT /api/team/budget" => json!({"pico": null}),
        "PUT /api/team/people/{person}/disabled" => json!({"disabled": true}),
        "POST /api/team/invitations" | "PUT /api/team/people/{person}/role" => {
            json!({"role": "guest"})
        }
        _ => json!({}),
    }
}

#[test]
fn the_matrix_names_every_route() {
    let routes = documented().into_iter();
    let served: BTreeSet<String> = routes
        .map(|(method, path)| format!("{method} {path}"))
        .collect();
    let named = ROUTES.iter().map(|(route, ..)| (*route).to_owned());
    assert_eq!(named.collect::<BTreeSet<_>>(), served);
}

#[tokio::test]
async fn everybody_reaches_the_routes_that_the_table_says_and_no_others() {
    let cast = Cast::assemble().await;
    for &(route, expected, answer) in ROUTES {
        let whole = Cast::assemble();
        let cast = if route == LEAVING {
            &whole.await
        } else {
            &cast
        };
        let (method, template) = route.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let body = body(cast, route);
        let found = row(cast, &method, &path(cast, template), &body, answer).await;
        assert_row(route, &found, expected);
    }
}

#[tokio::test]
async fn keys_that_were_typed_are_read_by_a_sessions_owner_alone() {
    let cast = Cast::assemble().await;
    let path = format!("/api/sessions/{}/events?lanes=input", cast.session);
    let found = row(&cast, &Method::GET, &path, &Value::Null, 200).await;
    assert_row("input", &found, super::SESSION_OWNERS);
}
