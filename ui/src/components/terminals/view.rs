//! One terminal, drawn.

use crate::interop::terminal::Drawn;
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use duplex_domain::{SessionId, TerminalId};

/// The element that a terminal is drawn in, as long as it is in the page.
#[component]
pub fn TerminalView(session: SessionId, terminal: TerminalId) -> Element {
    let shared = shared();
    let mut tries = use_signal(|| 0_u32);
    if shared.broken.read().contains(&terminal) {
        return rsx! {
            div { class: "terminal-empty", role: "alert",
                p { "The terminal could not be loaded. It goes on meanwhile." }
                button {
                    r#type: "button",
                    class: "button",
                    onclick: move |_| {
                        let mut broken = shared.broken;
                        broken.write().remove(&terminal);
                        tries += 1;
                    },
                    "Try again"
                }
            }
        };
    }
    rsx! {
        Place { key: "{tries}", session, terminal }
    }
}

#[component]
fn Place(session: SessionId, terminal: TerminalId) -> Element {
    let shared = shared();
    let feed = feed();
    use_drop(move || feed.send(Msg::Detach(terminal)));
    rsx! {
        div {
            class: "terminal-view",
            "data-terminal": "{terminal}",
            onmounted: move |event| {
                let Some(element) = event.data().try_as_web_event() else { return };
                let known = shared.session.peek().clone();
                let size = known.and_then(|known| Some(known.0.terminals.get(&terminal)?.drawn));
                let tell = move |told| feed.send(Msg::Told(session, terminal, told));
                let drawn = Drawn::new(&element, size.unwrap_or_default(), tell);
                feed.send(Msg::Attach(terminal, Box::new(drawn)));
            },
        }
    }
}
