//! A question with two answers, over the page.

use crate::interop::dom;
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use wasm_bindgen::JsCast;

/// Opens the dialog element just put into the page.
pub fn open(event: &Event<MountedData>) {
    if let Some(dialog) = event.data().try_as_web_event()
        && let Ok(dialog) = dialog.dyn_into()
    {
        dom::show_dialog(&dialog);
    }
}

/// Asks before something is done that cannot easily be undone.
#[component]
pub fn Confirm(
    title: String,
    text: String,
    action: String,
    busy: bool,
    on_yes: EventHandler<()>,
    on_no: EventHandler<()>,
) -> Element {
    rsx! {
        dialog {
            class: "dialog small",
            aria_label: "{title}",
            onmounted: move |event| open(&event),
            oncancel: move |event| {
                event.prevent_default();
                on_no.call(());
            },
            h2 { "{title}" }
            p { class: "muted", "{text}" }
            div { class: "actions",
                button {
                    r#type: "button",
                    class: "button",
                    autofocus: true,
                    disabled: busy,
                    onclick: move |_| on_no.call(()),
                    "Cancel"
                }
                button {
                    r#type: "button",
                    class: "button danger",
                    disabled: busy,
                    onclick: move |_| on_yes.call(()),
                    "{action}"
                }
            }
        }
    }
}
