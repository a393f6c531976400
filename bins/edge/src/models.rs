//! The models that the runners can use.

use crate::app::App;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use duplex_eventlog::{ModelInfo, TokenPrices};
use duplex_wire::{ErrorBody, Model, ModelPrice};

/// The models that sessions can use.
#[utoipa::path(get, path = "/api/models", tag = "sessions",
    responses((status = 200, body = Vec<Model>), (status = "default", body = ErrorBody)))]
pub(crate) async fn models(
    State(app): State<App>,
    _: SignedIn,
) -> Result<Json<Vec<Model>>, Failure> {
    Ok(Json(all(&app).await?))
}

/// Each model once; one that any runner can use is usable.
async fn all(app: &App) -> Result<Vec<Model>, Failure> {
    let runners = app.registry.runners().await?;
    let mut models: Vec<Model> = Vec::new();
    for info in runners.into_iter().flat_map(|runner| runner.models) {
        match models.iter_mut().find(|model| model.id == info.id) {
            Some(known) if known.available => {}
            Some(known) => *known = model(info),
            None => models.push(model(info)),
        }
    }
    Ok(models)
}

fn model(info: ModelInfo) -> Model {
    let ModelInfo {
        id,
        label,
        provider,
        available,
        why_not,
        context,
        max_output,
        price,
    } = info;
    Model {
        id,
        label,
        provider,
        available,
        why_not,
        context,
        max_output,
        price: price.map(shown),
    }
}

fn shown(price: TokenPrices) -> ModelPrice {
    let TokenPrices {
        input,
        output,
        cache_write,
        cache_write_1h,
        cache_read,
    } = price;
    ModelPrice {
        input,
        output,
        cache_write,
        cache_write_1h,
        cache_read,
    }
}

/// The model a person chose, or the first that is usable.
pub(crate) async fn choose(app: &App, wanted: Option<String>) -> Result<String, Failure> {
    let models = all(app).await?;
    let Some(wanted) = wanted else {
        let usable = models.into_iter().find(|model| model.available);
        return usable.map(|model| model.id).ok_or_else(none_usable);
    };
    match models.into_iter().find(|model| model.id == wanted) {
        Some(model) if model.available => Ok(model.id),
        Some(model) => {
            let why = model
                .why_not
                .unwrap_or_else(|| "this model cannot be used now".into());
            Err(Failure::field("model", "model_unavailable", why))
        }
        None => Err(Failure::field(
            "model",
            "unknown_model",
            "no runner knows this model; see GET /api/models",
        )),
    }
}

fn none_usable() -> Failure {
    Failure::field(
        "model",
        "no_model",
        "no runner offers a model that can be used; see GET /api/models",
    )
}
