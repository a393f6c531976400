//! A titled dialog over the page.

use super::confirm::open;
use super::icon::icon;
use dioxus::prelude::*;

/// A dialog with a title and a way out; Esc closes it too.
#[component]
pub fn Dialog(
    title: &'static str,
    class: &'static str,
    on_close: EventHandler<()>,
    children: Element,
) -> Element {
    rsx! {
        dialog {
            class: "dialog {class}",
            aria_label: title,
            onmounted: move |event| open(&event),
            oncancel: move |event| {
                event.prevent_default();
                on_close.call(());
            },
            header { class: "dialog-head",
                h2 { "{title}" }
                span { class: "grow" }
                button {
                    r#type: "button",
                    class: "icon-button",
                    aria_label: "Close",
                    onclick: move |_| on_close.call(()),
                    {icon("x")}
                }
            }
            {children}
        }
    }
}
