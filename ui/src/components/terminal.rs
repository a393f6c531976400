//! One terminal, drawn.

use crate::interop::terminal::Drawn;
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use duplex_domain::{SessionId, Size, TerminalId};

/// The element that a terminal is drawn in, as long as it is in the page.
#[component]
pub fn TerminalView(session: SessionId, terminal: TerminalId, size: Size) -> Element {
    let shared = shared();
    let feed = feed();
    use_drop(move || feed.send(Msg::Detach(terminal)));
    rsx! {
        div {
            class: "terminal-view",
            "data-terminal": "{terminal}",
            onmounted: move |event| {
                let Some(element) = event.data().try_as_web_event() else { return };
                let drawn = Drawn::new(
                    &element,
                    size,
                    move |keys| feed.send(Msg::Type(session, terminal, keys)),
                    move |size| feed.send(Msg::Fit(terminal, size)),
                    move || shared.toast("the terminal could not be loaded; reload the page"),
                );
                feed.send(Msg::Attach(terminal, Box::new(drawn)));
            },
        }
    }
}
