//! The stored views, as live sessions read them.

use duplex_domain::SessionId;
use duplex_live::{Loaded, StoredScreen, Views, ViewsError};
use duplex_readmodel::Database;
use futures_util::future::BoxFuture;

/// Views in Postgres.
pub(crate) struct StoredViews(pub Database);

impl Views for StoredViews {
    fn load(&self, session: SessionId) -> BoxFuture<'_, Result<Option<Loaded>, ViewsError>> {
        Box::pin(async move {
            let stored = self
                .0
                .view(session)
                .await
                .map_err(|error| ViewsError(error.to_string()))?;
            Ok(stored.map(|stored| Loaded {
                picture: stored.picture,
                screens: stored.screens.into_iter().map(screen).collect(),
            }))
        })
    }
}

fn screen(stored: duplex_readmodel::StoredScreen) -> StoredScreen {
    let duplex_readmodel::StoredScreen {
        terminal,
        bytes,
        offset,
        seq,
        printed_seq,
        ..
    } = stored;
    StoredScreen {
        terminal,
        bytes,
        offset,
        seq,
        printed_seq,
    }
}
