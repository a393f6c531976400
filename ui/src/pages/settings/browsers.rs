//! The browsers one is signed in at.

use crate::components::field::unread;
use crate::interop::dom;
use crate::model::ago::ago;
use crate::net::people;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire::SignedInBrowser;

/// The browsers, each with a way to end it.
#[component]
pub fn Browsers() -> Element {
    let shared = shared();
    let mut list = use_resource(move || {
        let _ = shared.nudges.read();
        people::browsers()
    });
    let end = move |which: Option<String>| {
        spawn(async move {
            let ended = match which {
                Some(id) => people::end_browser(&id).await,
                None => people::end_other_browsers().await,
            };
            if let Err(failure) = ended {
                shared.failed(&failure);
            }
            list.restart();
        });
    };
    let shown = match &*list.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => unread("Your browsers", failure),
        Some(Ok(browsers)) => rsx! {
            ul { class: "entries",
                for browser in browsers.clone() {
                    Row { key: "{browser.id}", browser, on_end: end }
                }
            }
            if browsers.len() > 1 {
                div {
                    button { r#type: "button", class: "button", onclick: move |_| end(None), "Sign out everywhere else" }
                }
            }
        },
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "browsers",
            h2 { id: "browsers", "Browsers" }
            p { class: "muted", "Where you are signed in. A browser is signed out after 12 hours without use, and after 14 days." }
            {shown}
        }
    }
}

#[component]
fn Row(browser: SignedInBrowser, on_end: EventHandler<Option<String>>) -> Element {
    let now = dom::now();
    let name = match browser.browser.as_str() {
        "" => "A browser that did not say its name".to_owned(),
        name => name.to_owned(),
    };
    let used = ago(now, browser.used_at);
    let since = ago(now, browser.created_at);
    let id = browser.id.simple().to_string();
    rsx! {
        li { class: "entry",
            div { class: "grow",
                strong { "{name}" }
                if browser.this {
                    span { class: "chip", "this one" }
                }
                div { class: "muted small",
                    "Signed in {since}, used {used}"
                    if !browser.address.is_empty() {
                        ", from {browser.address}"
                    }
                }
            }
            if !browser.this {
                button {
                    r#type: "button",
                    class: "button quiet",
                    aria_label: "Sign out {name}",
                    onclick: move |_| on_end.call(Some(id.clone())),
                    "Sign out"
                }
            }
        }
    }
}
