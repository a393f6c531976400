//! A request whose answer is awaited; the server is told when it no longer is.

use std::sync::Arc;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::ServerResult;
use rmcp::service::{RequestHandle, ServiceError};
use tokio::runtime::Handle;

use crate::link::Shared;

/// How long the word to stop may take to get out: a server that reads nothing does not read that either.
const WORD: Duration = Duration::from_secs(5);

pub(crate) struct Waiting {
    /// Taken when the answer is there.
    handle: Option<RequestHandle<RoleClient>>,
    shared: Arc<Shared>,
}

impl Waiting {
    pub(crate) fn new(handle: RequestHandle<RoleClient>, shared: Arc<Shared>) -> Self {
        Self {
            handle: Some(handle),
            shared,
        }
    }

    pub(crate) async fn answer(mut self) -> Result<ServerResult, ServiceError> {
        let Some(handle) = self.handle.as_mut() else {
            return Err(ServiceError::TransportClosed);
        };
        let answer = (&mut handle.rx).await;
        if let Some(handle) = self.handle.take() {
            self.shared.forget(&handle.progress_token);
        }
        answer.unwrap_or(Err(ServiceError::TransportClosed))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else {
            return;
        };
        self.shared.forget(&handle.progress_token);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let word = handle.cancel(Some("interrupted".to_owned()));
                let _ = tokio::time::timeout(WORD, word).await;
            });
        }
    }
}
