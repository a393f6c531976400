//! What is known of a server from its first byte on: whom to ask for its last words, and what to tell it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use reqwest::Url;

use crate::McpError;
use crate::config::ServerConfig;
use crate::link::Shared;
use crate::text::line;

/// Bytes of a server's last words in an error.
const LAST_BYTES: usize = 400;
/// Asks for the last line a server's process wrote on standard error. It may wait a moment for the process to be gone,
/// since its last words come last.
pub type LastWords = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// What a server may be told, and what its caller knows of it.
#[derive(Clone, Default)]
pub struct Host {
    /// The folder a server that asks for roots is told of: the worktree, for a server that sees it.
    pub root: Option<PathBuf>,
    /// Where a server's last words can be read, if it is a process of the caller's.
    pub last_words: Option<LastWords>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// What stays the same from the first byte on.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub shared: Arc<Shared>,
    pub host: Host,
    /// Set when a message was too large.
    pub flooded: Arc<AtomicBool>,
    pub stdio: bool,
}

impl Known {
    pub(crate) fn new(config: &ServerConfig, host: Host, stdio: bool) -> Self {
        let root = host.root.as_deref();
        let root = root.and_then(|path| Url::from_file_path(path).ok());
        let root = root.map(String::from);
        Self {
            shared: Arc::new(Shared::new(&config.name, root, config.scrub())),
            host,
            flooded: Arc::default(),
            stdio,
        }
    }

    pub(crate) async fn last(&self) -> String {
        match &self.host.last_words {
            Some(last_words) => line(&self.shared.scrub.text(&last_words().await), LAST_BYTES),
            None => String::new(),
        }
    }

    pub(crate) async fn start(&self, problem: String) -> McpError {
        let server = self.shared.server.clone();
        if self.flooded.load(Ordering::Relaxed) {
            return McpError::Flooded { server };
        }
        McpError::Start {
            server,
            problem: self.shared.scrub.text(&problem),
            last: self.last().await,
        }
    }

    pub(crate) async fn gone(&self) -> McpError {
        let server = self.shared.server.clone();
        if self.flooded.load(Ordering::Relaxed) {
            return McpError::Flooded { server };
        }
        let last = self.last().await;
        McpError::Ended { server, last }
    }
}
