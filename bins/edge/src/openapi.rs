//! The `OpenAPI` document, made from the very routes that are served.

use crate::router;
use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document};

/// Schemes by which a request says whose it is.
#[derive(OpenApi)]
#[openapi(
    info(title = "Duplex", description = "Live coding-agent sessions for teams."),
    security(("cookie" = []), ("token" = []))
)]
struct Base;

/// The document without its paths.
pub(crate) fn base() -> Document {
    let mut document = Base::openapi();
    let schemes = document.components.get_or_insert_with(Components::new);
    let cookie = ApiKey::Cookie(ApiKeyValue::new("duplex_session"));
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("dpx_…")
        .build();
    schemes.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    schemes.add_security_scheme("token", SecurityScheme::Http(token));
    document
}

/// The whole document.
#[must_use]
pub fn document() -> Document {
    router::routes().split_for_parts().1
}

/// This document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operation", responses((status = 200, body = Object)))]
pub(crate) async fn openapi(_: crate::signed_in::SignedIn) -> Json<Document> {
    Json(document())
}
