//! What surrounds the pages of who is signed in.

use crate::net::api;
use crate::net::feed::Msg;
use crate::route::Route;
use crate::state::{feed, shared};
use dioxus::prelude::*;

/// Connects, or sends to the sign-in page.
#[component]
pub fn Shell() -> Element {
    let mut shared = shared();
    let feed = feed();
    use_hook(move || {
        shared.signed_out.set(false);
        spawn(async move {
            match api::me().await {
                Ok(me) => shared.signed_in(me),
                Err(failure) if failure.signed_out() => return shared.sign_out(),
                // The connection's own attempts go on.
                Err(_) => {}
            }
            feed.send(Msg::Start);
        });
    });
    use_effect(move || {
        if *shared.signed_out.read() {
            feed.send(Msg::Stop);
            let here = router().current::<Route>();
            let back = match here {
                Route::Login { .. } | Route::SetupPage { .. } => "/".to_owned(),
                here => here.to_string(),
            };
            navigator().replace(Route::Login { back });
        }
    });
    rsx! {
        a { class: "skip", href: "#content", "Skip to the content" }
        Outlet::<Route> {}
    }
}
