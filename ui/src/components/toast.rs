//! Sentences that show for a while.

use crate::state::shared;
use dioxus::prelude::*;

/// The sentences that show now.
#[component]
pub fn Toasts() -> Element {
    let shared = shared();
    let toasts = shared.toasts.read().clone();
    rsx! {
        div { class: "toasts", role: "status", aria_live: "polite",
            for toast in toasts {
                div { key: "{toast.id}", class: "toast",
                    span { "{toast.text}" }
                    button {
                        r#type: "button",
                        class: "icon-button",
                        aria_label: "Dismiss",
                        onclick: move |_| shared.dismiss(toast.id),
                        {crate::components::icon::icon("x")}
                    }
                }
            }
        }
    }
}
