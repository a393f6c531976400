//! What can go wrong between a request and the end of its answer.

use std::time::Duration;

use crate::Secret;

/// How to set the key; part of two messages.
pub(crate) const SET_A_KEY: &str =
    "set DUPLEX_ANTHROPIC_API_KEY or the key in the configuration file, or choose the model demo";

/// Why a provider did not give a whole answer. No text in it contains the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nobody has set a key.
    #[error("there is no Anthropic API key: {SET_A_KEY}")]
    NoKey,
    /// No provider offers this model.
    #[error("no provider here offers the model {0}: choose another one")]
    UnknownModel(String),
    /// The key was refused, or does not allow this (401, 403).
    #[error("the provider refused the API key: {message} (check it: {SET_A_KEY})")]
    Unauthorized {
        /// The provider's words.
        message: String,
    },
    /// The provider will not take this request, however often it is sent (400, 402, 404, 413 …).
    #[error("the provider refused the request ({status}): {message}")]
    Invalid {
        /// The HTTP status, 0 if the request could not even be sent.
        status: u16,
        /// The provider's words.
        message: String,
    },
    /// Too much was asked in too short a time, or a spending limit is reached (429).
    #[error("the provider limits the rate of requests: {message}")]
    RateLimited {
        /// The provider's words.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// False when a spending limit is reached, which waiting does not help.
        retryable: bool,
    },
    /// The provider has trouble of its own (408, 409, 5xx, 529).
    #[error("the provider is overloaded or in trouble ({status}): {message}")]
    Overloaded {
        /// The HTTP status.
        status: u16,
        /// The provider's words.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// False when the provider says that trying again is of no use.
        retryable: bool,
    },
    /// The provider reported an error in the middle of its answer.
    #[error("the provider broke off its answer: {message} ({kind})")]
    Reported {
        /// The provider's name for it, such as `overloaded_error`.
        kind: String,
        /// The provider's words.
        message: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// Whether the same request may succeed later.
        retryable: bool,
    },
    /// The conversation does not fit the model's context; only a shorter one will.
    #[error("the conversation is too long for the model: {message}")]
    PromptTooLong {
        /// The provider's words.
        message: String,
    },
    /// Something answered, but not with an event stream: most often a proxy or a wrong address.
    #[error(
        "the provider's address answered with {content_type} instead of an event stream: check the base address (it began: {head})"
    )]
    NotAStream {
        /// The answer's content type.
        content_type: String,
        /// How the answer began, on one line.
        head: String,
    },
    /// The answer ended before the provider said it was whole.
    #[error("the connection to the provider was lost in the middle of its answer")]
    Incomplete,
    /// The provider sent nothing, not even a sign of life, for as long as the watchdog waits.
    #[error("the provider sent nothing for {} seconds", .0.as_secs_f32())]
    Silent(Duration),
    /// One event of the stream was larger than anything a provider sends.
    #[error("the provider sent an event of more than {0} bytes")]
    TooLarge(usize),
    /// An event of the stream could not be read.
    #[error("the provider sent an event that cannot be read: {0}")]
    Garbled(String),
    /// No connection could be made.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
}

impl Error {
    /// A short name that stays the same, for programs and for the log.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKey => "no_key",
            Self::UnknownModel(_) => "unknown_model",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Invalid { .. } => "invalid_request",
            Self::RateLimited { .. } => "rate_limited",
            Self::Overloaded { .. } => "overloaded",
            Self::Reported { .. } => "provider_error",
            Self::PromptTooLong { .. } => "prompt_too_long",
            Self::NotAStream { .. } => "not_a_stream",
            Self::Incomplete => "incomplete",
            Self::Silent(_) => "silent",
            Self::TooLarge(_) => "too_large",
            Self::Garbled(_) => "garbled",
            Self::Unreachable(_) => "unreachable",
        }
    }

    /// Whether the very same request may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::RateLimited { retryable, .. }
            | Self::Overloaded { retryable, .. }
            | Self::Reported { retryable, .. } => *retryable,
            Self::Incomplete | Self::Silent(_) | Self::Garbled(_) | Self::Unreachable(_) => true,
            Self::NoKey
            | Self::UnknownModel(_)
            | Self::Unauthorized { .. }
            | Self::Invalid { .. }
            | Self::PromptTooLong { .. }
            | Self::NotAStream { .. }
            | Self::TooLarge(_) => false,
        }
    }

    /// How long the provider asks to wait before trying again, if it said.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. }
            | Self::Overloaded { retry_after, .. }
            | Self::Reported { retry_after, .. } => *retry_after,
            Self::NoKey
            | Self::UnknownModel(_)
            | Self::Unauthorized { .. }
            | Self::Invalid { .. }
            | Self::PromptTooLong { .. }
            | Self::NotAStream { .. }
            | Self::Incomplete
            | Self::Silent(_)
            | Self::TooLarge(_)
            | Self::Garbled(_)
            | Self::Unreachable(_) => None,
        }
    }

    /// The model's context is full, though the provider gave no error of its own.
    #[must_use]
    pub fn too_large() -> Self {
        let message = "the model's context is full".to_owned();
        Self::PromptTooLong { message }
    }

    /// Whether only a shorter conversation can succeed.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::PromptTooLong { .. })
    }

    /// The same error without the key in it: a server may repeat what it was sent.
    pub(crate) fn scrubbed(mut self, key: &Secret) -> Self {
        match &mut self {
            Self::Reported { kind, message, .. } => {
                *kind = key.scrub(kind);
                *message = key.scrub(message);
            }
            Self::NotAStream { content_type, head } => {
                *content_type = key.scrub(content_type);
                *head = key.scrub(head);
            }
            Self::Unauthorized { message }
            | Self::Invalid { message, .. }
            | Self::RateLimited { message, .. }
            | Self::Overloaded { message, .. }
            | Self::PromptTooLong { message }
            | Self::Garbled(message)
            | Self::Unreachable(message) => *message = key.scrub(message),
            Self::NoKey
            | Self::UnknownModel(_)
            | Self::Incomplete
            | Self::Silent(_)
            | Self::TooLarge(_) => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_repeats_the_key_is_scrubbed() {
        let key = Secret::new("sk-secret");
        let said = || "who is sk-secret?".to_owned();
        let errors = [
            Error::Unauthorized { message: said() },
            Error::PromptTooLong { message: said() },
            Error::Garbled(said()),
            Error::Reported {
                kind: said(),
                message: said(),
                retry_after: None,
                retryable: false,
            },
            Error::NotAStream {
                content_type: said(),
                head: said(),
            },
        ];
        for error in errors {
            let shown = format!("{0} {0:?}", error.scrubbed(&key));
            assert!(
                shown.contains("[key]") && !shown.contains("sk-secret"),
                "{shown}"
            );
        }
    }
}
