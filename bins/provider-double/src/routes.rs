//! The paths a provider answers.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::chat::Chunks;
use crate::check;
use crate::conversation::{self, Place};
use crate::directive::{self, Directive, Http};
use crate::handle::{Desk, Outcome};
use crate::script::{self, Reply, Script};
use crate::{Options, encode, pacing};

/// What the real provider takes at most.
const LARGEST: usize = 32 * 1024 * 1024;

/// A request to be answered.
struct Asked<'a> {
    number: u64,
    /// How often this very request came before.
    tries: u64,
    body: &'a Value,
    place: Place,
}

#[derive(Clone)]
struct App {
    desk: Desk,
    options: Options,
}

pub(crate) fn router(desk: Desk, options: Options) -> Router {
    Router::new()
        .route("/v1/messages", post(messages))
        .route("/v1/chat/completions", post(chat))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(models))
        .fallback(|| async { refusal(404, "there is nothing at this path") })
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(App { desk, options })
}

async fn messages(State(app): State<App>, headers: HeaderMap, text: String) -> Response {
    let body: Value = match serde_json::from_str(&text) {
        Ok(body) => body,
        Err(error) => return not_json(&error),
    };
    let violations = check::headers(&headers);
    app.reply(&headers, &body, violations, None).await
}

/// The other format: the same answers, from the same directives.
async fn chat(State(app): State<App>, headers: HeaderMap, text: String) -> Response {
    let body: Value = match serde_json::from_str(&text) {
        Ok(body) => body,
        Err(error) => return not_json(&error),
    };
    let violations = crate::chat::check(&body);
    let chunks = Some(Chunks::of(&body));
    let body = crate::chat::translated(&body);
    app.reply(&headers, &body, violations, chunks).await
}

fn not_json(error: &serde_json::Error) -> Response {
    refusal(400, &format!("the request body is not valid JSON: {error}"))
}

async fn count_tokens(
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    if let Err(response) = app.admit(&headers) {
        return response;
    }
    let violations = check::conversation(&body, &app.desk);
    if violations.is_empty() {
        return Json(json!({"input_tokens": conversation::size(&body)})).into_response();
    }
    app.desk.violated(&violations);
    refusal(400, &violations.join("; "))
}

async fn models(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Err(response) = app.admit(&headers) {
        return response;
    }
    let ids = [
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-fable-5-1",
    ];
    let data = ids.map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-08-01T00:00:00Z"}));
    Json(json!({"data": data, "has_more": false, "first_id": ids[0], "last_id": ids[3]}))
        .into_response()
}

impl App {
    /// Checks a request and answers it, in one format or the other.
    async fn reply(
        &self,
        headers: &HeaderMap,
        body: &Value,
        mut violations: Vec<String>,
        chunks: Option<Chunks>,
    ) -> Response {
        let (number, tries) = self.desk.enter(body);
        if let Err(response) = self.admit(headers) {
            return self.refused(number, response);
        }
        violations.extend(check::request(body, &self.desk));
        if self.options.own_history {
            violations.extend(check::changed(body, &self.desk));
            check::asked(body, &self.desk);
        }
        let place = conversation::place(body);
        let stages = directive::parse(&place.text).unwrap_or_else(|mistake| {
            violations.push(format!("directive: {mistake}"));
            Vec::new()
        });
        if !violations.is_empty() {
            self.desk.violated(&violations);
            return self.refused(number, refusal(400, &violations.join("; ")));
        }
        let asked = Asked {
            number,
            tries,
            body,
            place,
        };
        self.answer(asked, stages, chunks).await
    }

    /// Lets everybody in who has the key.
    #[expect(clippy::result_large_err, reason = "the error is the answer")]
    fn admit(&self, headers: &HeaderMap) -> Result<(), Response> {
        let Some(key) = &self.options.key else {
            return Ok(());
        };
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let given = text("x-api-key").or(bearer);
        if given == Some(key) {
            return Ok(());
        }
        // Repeats the key, as careless gateways do: nobody may pass that on.
        Err(refusal(
            401,
            &format!("invalid x-api-key: {}", given.unwrap_or("none")),
        ))
    }

    async fn answer(
        &self,
        asked: Asked<'_>,
        mut stages: Vec<Vec<Directive>>,
        chunks: Option<Chunks>,
    ) -> Response {
        let Asked {
            number,
            tries,
            body,
            place,
        } = asked;
        for stage in &mut stages {
            stage.retain(|directive| !is_over(directive, tries));
        }
        match script::reply(body, &place, &stages, &self.options, number) {
            Reply::Http(http) => self.refused(number, failure(&http)),
            Reply::Html => self.refused(
                number,
                Html("<!doctype html>\n<title>Sign in</title>\n<p>Please sign in to this network.")
                    .into_response(),
            ),
            Reply::Never => {
                pacing::never(self.desk.clone(), number).await;
                refusal(503, "the double ends")
            }
            Reply::Stream(script) => self.stream(number, Script { chunks, ..*script }),
        }
    }

    fn stream(&self, number: u64, script: Script) -> Response {
        self.desk.will_use(number, &script.usage);
        self.desk.thought(&script.calls, &script.signatures);
        let headers = [
            (
                header::CONTENT_TYPE,
                "text/event-stream; charset=utf-8".to_owned(),
            ),
            (header::CACHE_CONTROL, "no-cache".to_owned()),
            (
                header::HeaderName::from_static("request-id"),
                format!("req_{number}"),
            ),
        ];
        let body = Body::from_stream(pacing::body(self.desk.clone(), number, script));
        (headers, body).into_response()
    }

    fn refused(&self, number: u64, response: Response) -> Response {
        self.desk
            .ended_as(number, Outcome::Refused(response.status().as_u16()));
        response
    }
}

/// Whether a directive that holds for a request's first tries no longer does.
fn is_over(directive: &Directive, tries: u64) -> bool {
    matches!(directive, Directive::Http(Http { times: Some(times), .. }) if tries >= *times)
}

fn failure(http: &Http) -> Response {
    let body = encode::error(
        http.status,
        &encode::message(http.status),
        http.code.as_deref(),
    );
    let mut response = with_status(http.status, &body);
    if let Some(seconds) = http.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn refusal(status: u16, message: &str) -> Response {
    with_status(status, &encode::error(status, message, None))
}

fn with_status(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}
