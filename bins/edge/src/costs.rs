//! What was spent, over many sessions.

use crate::app::App;
use crate::body::Params;
use crate::failure::Failure;
use crate::signed_in::SignedIn;
use axum::Json;
use axum::extract::State;
use duplex_domain::Time;
use duplex_readmodel::CostsWanted;
use duplex_wire::{Costs, CostsBy, ErrorBody};

/// What was spent in the person's sessions; an owner of the team sees all of the team's.
#[utoipa::path(get, path = "/api/costs", tag = "team",
    params(("by" = Option<CostsBy>, Query, description = "by what; `day` if not given"),
        ("from" = Option<i64>, Query, description = "from this moment on, in milliseconds since 1970 UTC"),
        ("until" = Option<i64>, Query, description = "before this moment")),
    responses((status = 200, body = Costs), (status = "default", body = ErrorBody)))]
pub(crate) async fn costs(
    State(app): State<App>,
    signed_in: SignedIn,
    params: Params,
) -> Result<Json<Costs>, Failure> {
    let wanted = CostsWanted {
        by: params.text("by").map_or(Ok(CostsBy::Day), by)?,
        from: params.get("from")?.map(Time),
        until: params.get("until")?.map(Time),
    };
    Ok(Json(app.database.costs(&signed_in.user, wanted).await?))
}

fn by(word: &str) -> Result<CostsBy, Failure> {
    let message = "`by` is `session`, `person`, `workspace`, `model` or `day`";
    let by = serde_json::from_value(serde_json::Value::from(word));
    by.map_err(|_| Failure::field("by", "bad_by", message))
}
