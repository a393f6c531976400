//! A secret that is told once.

use super::dialog::Dialog;
use super::icon::icon;
use crate::interop::dom;
use dioxus::prelude::*;

/// Shows a secret, to be copied before it is gone.
#[component]
pub fn SecretOnce(
    title: &'static str,
    text: String,
    secret: String,
    on_close: EventHandler<()>,
) -> Element {
    let mut word = use_signal(|| "Copy");
    let copied = secret.clone();
    let copy = move |_| {
        let secret = copied.clone();
        spawn(async move {
            let done = dom::copy_text(&secret).await;
            word.set(if done { "Copied" } else { "Not allowed" });
        });
    };
    rsx! {
        Dialog { title, class: "small", on_close,
            p { class: "muted", "{text}" }
            div { class: "secret",
                input {
                    class: "mono",
                    aria_label: title,
                    readonly: true,
                    value: "{secret}",
                }
                button { r#type: "button", class: "button primary", autofocus: true, onclick: copy,
                    {icon("copy")}
                    span { role: "status", "{word}" }
                }
            }
            div { class: "actions",
                button {
                    r#type: "button",
                    class: "button",
                    onclick: move |_| on_close.call(()),
                    "Done"
                }
            }
        }
    }
}
