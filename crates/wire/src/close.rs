//! Why the edge closes a socket: one table, so that a browser can tell.

/// A reason to close a page's socket. The edge accepts first and closes then, so that the code arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// The server stops; come back soon.
    GoingAway,
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// The sign-in was renewed, or what the person may do changed; come back at once.
    Renewed,
    /// The page comes from an origin that is not on the server's list.
    WrongOrigin,
    /// A message was too large.
    TooLarge,
    /// Too many messages, or too many sockets.
    TooMany,
    /// The page gave no sign of life.
    Silent,
    /// Something failed on the server; come back soon.
    Failed,
}

impl Close {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::GoingAway,
        Self::SignedOut,
        Self::Renewed,
        Self::WrongOrigin,
        Self::TooLarge,
        Self::TooMany,
        Self::Silent,
        Self::Failed,
    ];

    /// The WebSocket close code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::SignedOut => 4401,
            Self::Renewed => 4409,
            Self::WrongOrigin => 4403,
            Self::TooLarge => 4413,
            Self::TooMany => 4429,
            Self::Silent => 4408,
            Self::Failed => 1011,
        }
    }

    /// A sentence for the person at the page.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "the server is restarting",
            Self::SignedOut => "you are signed out",
            Self::Renewed => "your sign-in was renewed",
            Self::WrongOrigin => "this page's address is not on the server's list",
            Self::TooLarge => "a message was too large",
            Self::TooMany => "too many messages or connections",
            Self::Silent => "the connection was silent for too long",
            Self::Failed => "something failed on the server",
        }
    }

    /// The reason behind a close code, if it is one of ours.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.code() == code)
    }

    /// Whether trying again by itself can help.
    #[must_use]
    pub fn retryable(self) -> bool {
        match self {
            Self::GoingAway
            | Self::Renewed
            | Self::TooLarge
            | Self::TooMany
            | Self::Silent
            | Self::Failed => true,
            Self::SignedOut | Self::WrongOrigin => false,
        }
    }
}
