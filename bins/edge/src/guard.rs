//! Sees to it that who is signed out, shut out or changed is served no longer.

use crate::app::App;
use crate::signed_in::SignedIn;
use duplex_readmodel::AccountChange;
use duplex_wire::Close;
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked, whatever is heard: word of a change comes at once, but may get lost.
const LOOK: Duration = Duration::from_secs(4);

/// Ends when a person may not be served any more as they were, and says why: signed out here or through another edge,
/// shut out, or somebody else in their team than before.
pub(crate) async fn ended(app: App, person: SignedIn) -> Close {
    let mut news = app.sockets.news();
    let mut look = Instant::now() + LOOK;
    loop {
        tokio::select! {
            // Who missed some looks.
            Ok(change) = news.recv() => match change {
                AccountChange::Of(who) if who != person.user.id => continue,
                AccountChange::Of(_) | AccountChange::Anybody => {}
            },
            () = tokio::time::sleep_until(look) => {}
        }
        look = Instant::now() + LOOK;
        if let Some(close) = why_not(&app, &person).await {
            return close;
        }
    }
}

/// Why somebody may not be served any more. A database that does not answer signs nobody out.
pub(crate) async fn why_not(app: &App, person: &SignedIn) -> Option<Close> {
    match SignedIn::behind(app, person.by.clone()).await {
        Ok(Some(now)) if now.user.role == person.user.role => None,
        Ok(Some(_)) => Some(Close::Renewed),
        Ok(None) => match person.browser() {
            // The browser is signed in, with another cookie by now.
            Some(browser) if app.accounts.is_signed_in(browser).await.ok()? => Some(Close::Renewed),
            _ => Some(Close::SignedOut),
        },
        Err(_) => None,
    }
}
