//! How many calls wait for an answer, and the way to the first of them.

use super::icon::icon;
use crate::interop::dom;
use crate::state::shared;
use dioxus::prelude::*;

/// A bar above the composer, as long as calls wait for somebody's answer.
#[component]
pub fn Asking() -> Element {
    let shared = shared();
    let session = shared.session.read().clone();
    let waiting = session.map_or(0, |session| session.0.approvals.len());
    if waiting == 0 {
        return rsx! {};
    }
    let words = match waiting {
        1 => "A call waits for an answer".to_owned(),
        more => format!("{more} calls wait for an answer"),
    };
    rsx! {
        div { class: "asking", role: "status",
            {icon("alert")}
            span { class: "grow", "{words}" }
            button {
                r#type: "button",
                class: "button small",
                id: "answer",
                onclick: move |_| dom::focus_on(".approval"),
                "Answer"
            }
        }
    }
}
