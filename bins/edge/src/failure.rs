//! Where errors meet status codes: the only place.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use duplex_domain::Refusal;
use duplex_eventlog::{AuditError, BodyError, ReadError, RegistryError};
use duplex_live::{SubmitError, WatchError};
use duplex_readmodel::{AccountError, DatabaseError};
use duplex_wire::{ErrorBody, ErrorDetail};
use tracing::{error, warn};

/// A request that was not done, as its sender gets to know it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub status: StatusCode,
    pub detail: ErrorDetail,
    /// After how many seconds it may be tried again.
    pub again_after: Option<u32>,
}

/// An error's code, for who writes down what answers came to.
#[derive(Clone)]
pub(crate) struct Code(pub String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = Extension(Code(self.detail.code.clone()));
        let body = Json(ErrorBody { error: self.detail });
        let after = self
            .again_after
            .map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        match after {
            Some(after) => (self.status, after, code, body).into_response(),
            None => (self.status, code, body).into_response(),
        }
    }
}

impl Failure {
    pub fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        let retryable = matches!(status.as_u16(), 429 | 503);
        let detail = ErrorDetail {
            code: code.into(),
            message: message.into(),
            retryable,
            field: None,
        };
        Self {
            status,
            detail,
            again_after: None,
        }
    }

    /// A field of the request is wrong.
    pub fn field(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message).about(field)
    }

    fn about(mut self, field: impl Into<String>) -> Self {
        self.detail.field = Some(field.into());
        self
    }

    fn retryable(mut self) -> Self {
        self.detail.retryable = true;
        self
    }

    pub fn signed_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "signed_out",
            "nobody is signed in; sign in first",
        )
    }

    pub fn visitors() -> Self {
        let message = "who came by a link sees the session it leads to, and nothing else";
        Self::new(StatusCode::FORBIDDEN, "visitor", message)
    }

    /// More requests than `whose` limit allows.
    pub fn too_many_requests(whose: &str, seconds: u32) -> Self {
        let message = format!("too many requests from {whose}; try again in {seconds} s");
        let mut failure = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        failure.again_after = Some(seconds);
        failure
    }

    pub fn not_through_proxy() -> Self {
        let message =
            "this server is reached through its proxy alone; use the address that it has there";
        Self::new(StatusCode::FORBIDDEN, "not_through_proxy", message)
    }

    pub fn not_encrypted() -> Self {
        let message = "this address is served encrypted alone; open it with https, or let the proxy send \
            X-Forwarded-Proto";
        Self::new(StatusCode::FORBIDDEN, "not_encrypted", message)
    }

    pub fn signed_in_already(email: &str) -> Self {
        let message = format!("you are signed in as {email} already; sign out first");
        Self::new(StatusCode::CONFLICT, "signed_in", message)
    }

    pub fn two_credentials() -> Self {
        let message = "say once who you are: by the cookie or by one Authorization header";
        Self::new(StatusCode::BAD_REQUEST, "two_credentials", message)
    }

    pub fn guest() -> Self {
        let message = "guests of a team cannot do this; an owner of the team can make you a member";
        Self::new(StatusCode::FORBIDDEN, "guest", message)
    }

    pub fn missing_scope(scope: &str) -> Self {
        let message = format!("this token may not do this; make one with the scope `{scope}`");
        Self::new(StatusCode::FORBIDDEN, "missing_scope", message)
    }

    pub fn no_member() -> Self {
        let message = "there is no such person in the session's team; invite them first";
        Self::field("user", "no_person", message)
    }

    pub fn wrong_origin() -> Self {
        let message =
            "this request comes from an address that is not on the server's list of origins";
        Self::new(StatusCode::FORBIDDEN, "wrong_origin", message)
    }

    pub fn wrong_host() -> Self {
        let message =
            "this server does not answer for that host; add its address to DUPLEX_ORIGINS";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
    }

    pub fn not_json() -> Self {
        let message = "the body has to be JSON, with the content type application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message)
    }

    pub fn bad_json(problem: &serde_json::Error) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_json",
            format!("the body is not readable: {problem}"),
        )
    }

    pub fn too_large() -> Self {
        let message =
            "the body is larger than 512 KiB; put long material in a file of the workspace";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub fn cut_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "cut_body",
            "the body did not arrive whole; send it again",
        )
    }

    pub fn slow_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            "the body took too long to arrive; send it again",
        )
    }

    pub fn team_budget() -> Self {
        let message =
            "the team's budget for this month is used up; an owner of the team can raise it";
        Self::new(StatusCode::CONFLICT, "team_budget", message)
    }

    pub fn too_many_terminals(most: usize) -> Self {
        let message = format!("{most} terminals of yours are running; close one first");
        Self::new(StatusCode::CONFLICT, "too_many_of_yours", message)
    }

    pub fn no_terminal() -> Self {
        let message = "this session has no such terminal";
        Self::new(StatusCode::NOT_FOUND, "no_terminal", message)
    }

    pub fn no_session() -> Self {
        Self::from(WatchError::NotFound)
    }

    pub fn no_body() -> Self {
        let message = "this session keeps nothing under this hash";
        Self::new(StatusCode::NOT_FOUND, "no_body", message)
    }

    pub fn no_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing at this address",
        )
    }

    pub fn wrong_method() -> Self {
        let message = "this address does not take this method; see /api/openapi.json";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
    }

    pub fn not_a_socket() -> Self {
        let message = "this address takes WebSocket connections only";
        Self::new(StatusCode::UPGRADE_REQUIRED, "not_a_socket", message)
    }

    pub fn page_missing() -> Self {
        let message = "the page is not built into this edge; run `make page` and build again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "page_missing", message)
    }

    pub fn no_runner() -> Self {
        let message = "no runner is there; start one, or wait until it is back";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_runner", message)
    }

    pub fn internal() -> Self {
        let message = "something failed on the server; its log says what";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Cursor => Self::field("cursor", "bad_cursor", error.to_string()),
            error if error.is_passing() => {
                warn!("{error}");
                Self::unavailable("the database does not answer now; try again in a moment")
            }
            error => {
                error!("{error}: {:?}", std::error::Error::source(&error));
                Self::internal()
            }
        }
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let status = match error {
            AccountError::Database(error) => return error.into(),
            AccountError::Hashing(_) => {
                error!("{error}");
                return Self::internal();
            }
            AccountError::AlreadySetUp
            | AccountError::EmailTaken
            | AccountError::LastOwner
            | AccountError::Yourself
            | AccountError::TooManyLinks
            | AccountError::TooMany(_) => StatusCode::CONFLICT,
            AccountError::WrongSecret | AccountError::NotTheOwner | AccountError::WrongPassword => {
                StatusCode::FORBIDDEN
            }
            AccountError::LinkOver => StatusCode::GONE,
            AccountError::NoPerson
            | AccountError::NoInvitation
            | AccountError::NoBrowser
            | AccountError::NoLink
            | AccountError::NoToken => StatusCode::NOT_FOUND,
            AccountError::WrongLogin => StatusCode::UNAUTHORIZED,
            AccountError::TooManyAttempts { .. } | AccountError::TooManyGuesses { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            AccountError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            AccountError::Name
            | AccountError::Email
            | AccountError::Password
            | AccountError::Note
            | AccountError::Days
            | AccountError::Scopes
            | AccountError::Budget
            | AccountError::LinkHours
            | AccountError::LinkUses
            | AccountError::LinkNote
            | AccountError::LinkRole => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut failure = Self::new(status, error.code(), error.to_string());
        failure.detail.field = error.field().map(str::to_owned);
        failure.again_after = error.again_after();
        failure
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::NotFound => {
                Self::new(StatusCode::NOT_FOUND, "not_found", error.to_string())
            }
            WatchError::Unavailable => Self::unavailable(error.to_string()),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, field) = match refusal {
            Refusal::NotAMember => (StatusCode::NOT_FOUND, None),
            Refusal::RoleTooSmall | Refusal::NotYours => (StatusCode::FORBIDDEN, None),
            Refusal::Over
            | Refusal::NotOver
            | Refusal::QueueFull
            | Refusal::NotQueued
            | Refusal::LastOwner
            | Refusal::NoTerminal
            | Refusal::TooManyTerminals
            | Refusal::NotPending
            | Refusal::NeedsOthers
            | Refusal::CannotType
            | Refusal::TooManyRules
            | Refusal::Spent
            | Refusal::Busy
            | Refusal::NothingAgain
            | Refusal::NotPrepared
            | Refusal::Conflicts
            | Refusal::NotDriving => (StatusCode::CONFLICT, None),
            Refusal::Empty => (StatusCode::UNPROCESSABLE_ENTITY, Some("text")),
            Refusal::BadTitle => (StatusCode::UNPROCESSABLE_ENTITY, Some("title")),
            Refusal::BadName => (StatusCode::UNPROCESSABLE_ENTITY, Some("name")),
            Refusal::BadRule => (StatusCode::UNPROCESSABLE_ENTITY, Some("rule")),
            Refusal::NoCheckpoint => (StatusCode::NOT_FOUND, Some("checkpoint")),
            Refusal::BadModel => (StatusCode::UNPROCESSABLE_ENTITY, Some("model")),
            Refusal::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, Some("text")),
        };
        let mut failure = Self::new(status, refusal.code(), refusal.to_string());
        failure.detail.field = field.map(str::to_owned);
        failure
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        let message = error.to_string();
        match error {
            SubmitError::NotFound => WatchError::NotFound.into(),
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::Contended => {
                Self::new(StatusCode::CONFLICT, "contended", message).retryable()
            }
            SubmitError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message),
            SubmitError::Full => Self::new(StatusCode::INSUFFICIENT_STORAGE, "log_full", message),
            SubmitError::NoRunner => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_runner", message)
            }
            SubmitError::KeysRefused { code, .. } => Self::new(StatusCode::CONFLICT, code, message),
            SubmitError::Unanswered => {
                Self::new(StatusCode::GATEWAY_TIMEOUT, "unanswered", message)
            }
            SubmitError::Unavailable => Self::unavailable(message),
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::NoRunner => Self::no_runner(),
            RegistryError::Unavailable(_) => {
                warn!("{error}");
                Self::unavailable(
                    "the register of runners cannot be reached now; try again in a moment",
                )
            }
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        warn!("{error}");
        Self::unavailable("what was kept beside the log cannot be read now; try again in a moment")
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        warn!("{error}");
        Self::unavailable("the audit log cannot be read now; try again in a moment")
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        warn!("{error}");
        Self::unavailable("the log cannot be read now; try again in a moment")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_own_the_team_is_forbidden_to_limit_it() {
        let failure = Failure::from(AccountError::NotTheOwner);
        assert_eq!(failure.status, StatusCode::FORBIDDEN);
        let failure = Failure::from(AccountError::Budget);
        assert_eq!(failure.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(failure.detail.field.as_deref(), Some("pico"));
    }
}
