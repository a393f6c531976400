//! How the process is.

use crate::app::App;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use duplex_wire::ErrorBody;
use metrics::gauge;
use serde::Serialize;
use utoipa::ToSchema;

/// What the edge stands on.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// The log can be reached.
    nats: bool,
    /// The views and accounts can be reached.
    postgres: bool,
}

/// Whether the process is up.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, body = String)))]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the edge can serve people: 503 while something it stands on is away.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
pub(crate) async fn readyz(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let nats = app.log.connected();
    let postgres = app.database.ping().await.is_ok();
    let status = if nats && postgres {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Readiness { nats, postgres }))
}

/// Measurements in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, body = String), (status = "default", body = ErrorBody)))]
pub(crate) async fn metrics(State(app): State<App>, _: SignedIn) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody watches 2^52 sessions at once"
    )]
    gauge!("duplex_edge_live_sessions").set(app.live.count() as f64);
    app.metrics.run_upkeep();
    app.metrics.render()
}
