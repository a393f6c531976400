//! Every route, and what stands before them all.

use crate::app::App;
use crate::body::LARGEST_BODY;
use crate::failure::Failure;
use crate::{
    accounts, assets, audit, catch_up, client, commands, costs, events, feed, headers, health,
    join, kept, limits, models, openapi, origin, own, people, recording, rights, sessions, share,
    team, terminals, workspaces,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes, with what the `OpenAPI` document says of them.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(accounts::setup_state, accounts::setup))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::who))
        .routes(routes!(join::look))
        .routes(routes!(join::join))
        .routes(routes!(join::reset_look))
        .routes(routes!(join::reset))
        .routes(routes!(own::rename))
        .routes(routes!(own::change_password))
        .routes(routes!(own::leave))
        .routes(routes!(own::browsers, own::end_other_browsers))
        .routes(routes!(own::end_browser))
        .routes(routes!(own::tokens, own::create_token))
        .routes(routes!(own::revoke_token))
        .routes(routes!(models::models))
        .routes(routes!(workspaces::list, workspaces::create))
        .routes(routes!(sessions::list, sessions::create))
        .routes(routes!(sessions::view))
        .routes(routes!(sessions::items))
        .routes(routes!(catch_up::digest))
        .routes(routes!(commands::post))
        .routes(routes!(events::events))
        .routes(routes!(kept::kept))
        .routes(routes!(terminals::own))
        .routes(routes!(recording::cast))
        .routes(routes!(recording::text))
        .routes(routes!(feed::feed))
        .routes(routes!(share::list, share::make))
        .routes(routes!(share::revoke))
        .routes(routes!(share::look))
        .routes(routes!(share::take))
        .routes(routes!(share::shared_past))
        .routes(routes!(costs::costs))
        .routes(routes!(team::budget, team::set_budget))
        .routes(routes!(people::people))
        .routes(routes!(people::set_role))
        .routes(routes!(people::set_disabled))
        .routes(routes!(people::reset_link))
        .routes(routes!(people::transfer))
        .routes(routes!(people::rename))
        .routes(routes!(people::invitations, people::invite))
        .routes(routes!(people::revoke_invitation))
        .routes(routes!(audit::pages::page))
        .routes(routes!(audit::pages::words))
        .routes(routes!(audit::pages::chain))
        .routes(routes!(audit::pages::export))
        .routes(routes!(audit::table::table))
        .routes(routes!(openapi::openapi))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
}

/// Everything the edge answers.
pub(crate) fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { Failure::wrong_method() })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(from_fn_with_state(app.clone(), rights::check))
        .layer(from_fn_with_state(app.clone(), origin::check))
        .layer(from_fn_with_state(app.clone(), limits::check))
        .layer(from_fn_with_state(app.clone(), client::admit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), audit::record))
        .layer(from_fn(headers::add))
        .layer(from_fn_with_state(app.clone(), client::tell))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .with_state(app)
}

/// A request's span: never its query or headers, which may hold secrets.
fn span(request: &Request) -> tracing::Span {
    tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
}

/// A panic is a bug of ours; it never crosses the wire.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("nothing");
    tracing::error!("a handler panicked: {said}");
    Failure::internal().into_response()
}
