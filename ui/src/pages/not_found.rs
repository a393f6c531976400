//! The page for an address that leads nowhere.

use crate::interop::dom;
use crate::route::Route;
use dioxus::prelude::*;

/// Says that there is nothing, and the way back.
#[component]
pub fn NotFound(segments: Vec<String>) -> Element {
    use_effect(|| dom::set_title("Not found — Duplex"));
    rsx! {
        main { class: "centred", id: "content",
            h1 { "Nothing is here" }
            p { class: "muted", "There is no page at /{segments.join(\"/\")}." }
            Link { class: "button primary", to: Route::Sessions {}, "All sessions" }
        }
    }
}
