//! Too many terminals run: which they are, and how to close some.

use super::opening::Opening;
use crate::components::dialog::Dialog;
use crate::net::api;
use crate::route::Route;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::Command;

/// The person's running terminals in all sessions, while one too many was asked for.
#[component]
pub fn Full(opening: Opening) -> Element {
    let mut full = opening.full;
    let Some(words) = full() else {
        return rsx! {};
    };
    rsx! {
        Dialog {
            title: "Too many terminals",
            class: "small",
            on_close: move |()| full.set(None),
            p { class: "muted", "{words}." }
            Own {}
            div { class: "actions",
                button {
                    r#type: "button",
                    class: "button",
                    onclick: move |_| {
                        full.set(None);
                        opening.first();
                    },
                    "Try again"
                }
            }
        }
    }
}

#[component]
fn Own() -> Element {
    let shared = shared();
    let mut own = use_resource(api::own_terminals);
    let known = own.read().clone();
    match known {
        None => rsx! {
            p { class: "muted", aria_busy: true, "Looking for your terminals…" }
        },
        Some(Err(failure)) => rsx! {
            p { role: "alert", "{failure.message}" }
            button {
                r#type: "button",
                class: "button small",
                onclick: move |_| own.restart(),
                "Try again"
            }
        },
        Some(Ok(own_now)) => rsx! {
            ul { class: "own-terminals",
                for one in own_now {
                    li { key: "{one.terminal}",
                        span { class: "grow",
                            strong { if one.name.is_empty() { "A terminal" } else { "{one.name}" } }
                            " in "
                            Link { to: Route::SessionAt { id: one.session.to_string() },
                                if one.title.is_empty() { "a new session" } else { "{one.title}" }
                            }
                            span { class: "muted small", " {one.path}" }
                        }
                        button {
                            r#type: "button",
                            class: "button small",
                            onclick: move |_| async move {
                                let terminal = one.terminal;
                                if shared.ask(one.session, Command::CloseTerminal { terminal }).await {
                                    own.restart();
                                }
                            },
                            "Close"
                        }
                    }
                }
            }
        },
    }
}
