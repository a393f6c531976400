//! A scripted model provider: it speaks the Anthropic Messages API and says what the request tells it to say.
//!
//! A test writes what it wants into the user's message, so an answer never depends on which request came first:
//! `[[think 5]] [[say 20]] [[tool bash {"command":"ls"}]] [[then]] [[text "done"]]`. [`DIRECTIVES`] lists them all.
//! Every request is checked as the real provider checks it; [`Handle::violations`] tells what was wrong.

mod chat;
mod check;
mod conversation;
mod directive;
mod encode;
mod handle;
mod pacing;
mod routes;
mod script;
mod text;

use tokio::net::TcpListener;

pub use directive::DIRECTIVES;
pub use handle::{Handle, Journal, Outcome, Recorded};
pub use text::{clock_times, expected_text, expected_thought, expected_utf8, signature};

/// How the double behaves towards everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The key every request must carry; none lets everybody in.
    pub key: Option<String>,
    /// Tokens a second where a directive names no rate; none means as fast as they can be sent.
    pub rate: Option<u32>,
    /// Whether every answer in a history must be one that was asked for with what stands before it: it must be, where
    /// one client is looked at from its first request on.
    pub own_history: bool,
    /// How many requests to remember.
    pub keep: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            key: None,
            rate: None,
            own_history: false,
            keep: 10_000,
        }
    }
}

/// Answers on a listener until the handle is aborted or all its clones are gone.
///
/// # Errors
/// When the listener has no address.
#[expect(
    clippy::unused_async,
    reason = "it needs a runtime, and only async code surely has one"
)]
pub async fn serve(listener: TcpListener, options: Options) -> std::io::Result<Handle> {
    let handle = Handle::new(listener.local_addr()?, options.keep);
    let ended = handle.ended();
    let app = routes::router(handle.desk(), options);
    let server = axum::serve(listener, app).with_graceful_shutdown(ended.cancelled_owned());
    tokio::spawn(server.into_future());
    Ok(handle)
}

/// A double on a port of its own on the loopback interface.
///
/// # Errors
/// When no port can be had.
pub async fn start(options: Options) -> std::io::Result<Handle> {
    serve(TcpListener::bind(("127.0.0.1", 0)).await?, options).await
}
