//! All that a terminal put out, as text, a page at a time from its end.

use crate::components::dialog::Dialog;
use crate::model::pages;
use crate::net::api;
use dioxus::prelude::*;
use duplex_domain::{SessionId, TerminalId};

/// What the log has of a terminal's output, also what no screen remembers any more.
#[component]
pub fn Earlier(id: SessionId, terminal: TerminalId, on_close: EventHandler<()>) -> Element {
    let mut text = use_resource(move || api::terminal_text(id, terminal));
    let mut shown = use_signal(|| 1_usize);
    let known = text.read().clone();
    rsx! {
        Dialog { title: "All output", class: "output", on_close,
            match known {
                None => rsx! {
                    p { class: "muted", aria_busy: true, "Reading the log…" }
                },
                Some(Err(failure)) => rsx! {
                    p { role: "alert", "{failure.message}" }
                    button {
                        r#type: "button",
                        class: "button small",
                        onclick: move |_| text.restart(),
                        "Try again"
                    }
                },
                Some(Ok(text)) => {
                    let (page, earlier) = pages::last(&text, shown());
                    rsx! {
                        div { class: "output-lines", tabindex: "0", role: "region", aria_label: "Output",
                            div {
                                if earlier > 0 {
                                    button {
                                        r#type: "button",
                                        class: "button small",
                                        onclick: move |_| shown += 1,
                                        "Earlier lines ({earlier})"
                                    }
                                }
                                if page.is_empty() {
                                    p { class: "muted", "Nothing yet." }
                                }
                                pre { "{page}" }
                            }
                        }
                    }
                }
            }
        }
    }
}
