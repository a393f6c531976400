//! The page's outermost part: what is shared, the connection, the way to the pages.

use crate::components::toast::Toasts;
use crate::interop::dom;
use crate::net::feed;
use crate::route::Route;
use crate::state::{Line, Shared};
use dioxus::prelude::*;

/// The whole page.
#[component]
pub fn App() -> Element {
    let shared = use_context_provider(Shared::provide);
    use_context_provider(move || {
        let (tx, inbox) = futures_channel::mpsc::unbounded();
        spawn(feed::run(shared, tx.clone(), inbox));
        Line::new(tx)
    });
    use_effect(dom::hide_skeleton);
    rsx! {
        ErrorBoundary {
            handle_error: |errors: ErrorContext| rsx! {
                main { class: "centred", role: "alert",
                    h1 { "This page failed" }
                    p { class: "muted", "{errors.error():?}" }
                    p { "Reload it; nothing is lost, since everything is in the session's log." }
                }
            },
            Router::<Route> {}
        }
        Toasts {}
    }
}
