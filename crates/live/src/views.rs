//! Where a session's stored view comes from.

use duplex_domain::{Picture, Seq, SessionId, TerminalId};
use futures_util::future::BoxFuture;

/// The stored views, as the task of a session needs them.
pub trait Views: Send + Sync + 'static {
    /// The newest stored view of a session; none if there is none yet.
    fn load(&self, session: SessionId) -> BoxFuture<'_, Result<Option<Loaded>, ViewsError>>;
}

/// A session's stored view.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The session and its newest items, as they stood after `picture.session.seq`.
    pub picture: Picture,
    /// Its terminals' screens; each may stand at an earlier frame.
    pub screens: Vec<StoredScreen>,
}

/// A terminal's stored screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScreen {
    /// Which terminal.
    pub terminal: TerminalId,
    /// Bytes that draw the screen into a fresh terminal.
    pub bytes: Vec<u8>,
    /// How many bytes of output it contains.
    pub offset: u64,
    /// The frame it was taken at.
    pub seq: Seq,
    /// The newest frame in which the terminal put something out.
    pub printed_seq: Seq,
}

/// The views cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored view of a session cannot be read: {0}")]
pub struct ViewsError(pub String);
