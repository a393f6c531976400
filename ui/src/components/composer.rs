//! Where messages to the agent are written.

use super::icon::icon;
use crate::interop::dom;
use crate::net::feed::Msg;
use crate::net::link::Link;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use dioxus::web::WebEventExt;
use duplex_domain::{Command, Delivery, Role, SessionId};
use duplex_wire::Pane;
use wasm_bindgen::JsCast;

const AREA: &str = "#composer";

/// The text area, its buttons, and how the connection stands.
#[component]
pub fn Composer(id: SessionId) -> Element {
    let shared = shared();
    let feed = feed();
    let draft = use_hook(|| format!("duplex.draft.{id}"));
    let mut blank = use_signal(|| true);
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let role = shared.role(&session);
    let busy = session.turn.is_some();
    let stopping = session
        .turn
        .as_ref()
        .is_some_and(|turn| turn.interrupted_by.is_some());
    if role < Some(Role::Commenter) {
        return rsx! {
            div { class: "composer-note muted", "You can read this session." LinkState {} }
        };
    }
    let steers = busy && role >= Some(Role::Driver);
    let key = draft.clone();
    let send = use_callback(move |delivery: Delivery| {
        let text = dom::area_text(AREA);
        if text.trim().is_empty() {
            return;
        }
        if text.trim() == "/compact" {
            shared.please(id, Command::Compact);
        } else {
            feed.send(Msg::Post(id, text, delivery));
        }
        // Who sends a message wants to see what becomes of it.
        let mut ends = shared.ends;
        ends += 1;
        dom::set_area_text(AREA, "");
        dom::store(&key, None);
        blank.set(true);
    });
    let key = draft.clone();
    rsx! {
        form {
            class: "composer",
            onsubmit: move |event| {
                event.prevent_default();
                send(Delivery::Queue);
            },
            textarea {
                id: "composer",
                rows: 1,
                placeholder: if busy { "Message the agent; it reads this when it is done" } else { "Message the agent" },
                aria_label: "Message to the agent",
                autofocus: true,
                onmounted: move |event| {
                    let kept = dom::stored(&key).unwrap_or_default();
                    blank.set(kept.trim().is_empty());
                    dom::set_area_text(AREA, &kept);
                    drop(event);
                },
                oninput: move |event| {
                    shared.company.uses(Pane::Chat);
                    shared.company.types();
                    let text = event.value();
                    blank.set(text.trim().is_empty());
                    dom::store(&draft, Some(text).filter(|text| !text.is_empty()));
                    grow(&event);
                },
                onkeydown: move |event| {
                    let composing = event.data().is_composing();
                    let modifiers = event.modifiers();
                    if event.key() == Key::Enter && !modifiers.shift() && !composing {
                        event.prevent_default();
                        let now = modifiers.ctrl() || modifiers.meta();
                        send(if now && steers { Delivery::Steer } else { Delivery::Queue });
                    }
                },
            }
            div { class: "composer-foot",
                LinkState {}
                span { class: "grow" }
                if busy && role >= Some(Role::Driver) {
                    button {
                        r#type: "button",
                        id: "interrupt",
                        class: "button",
                        disabled: stopping,
                        title: "Stop the agent (Esc)",
                        onclick: move |_| feed.send(Msg::Interrupt(id)),
                        {icon("stop")}
                        if stopping { "Stopping…" } else { "Interrupt" }
                    }
                }
                if steers {
                    button {
                        r#type: "button",
                        id: "steer",
                        class: "button",
                        disabled: blank(),
                        title: "The agent reads it after the tool that runs (Ctrl+Enter)",
                        onclick: move |_| send(Delivery::Steer),
                        "Steer now"
                    }
                }
                button {
                    r#type: "submit",
                    id: "send",
                    class: "button primary",
                    disabled: blank(),
                    if busy { "Queue" } else { "Send" }
                }
            }
        }
    }
}

fn grow(event: &Event<FormData>) {
    let target = event
        .data()
        .try_as_web_event()
        .and_then(|event| event.target());
    if let Some(area) = target.and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok()) {
        dom::grow_to_fit(&area);
    }
}

/// How the connection stands: a dot, a word, and a way to try at once.
#[component]
pub fn LinkState() -> Element {
    let shared = shared();
    let feed = feed();
    let link = shared.link.read().clone();
    let down = matches!(link, Link::Offline | Link::Refused(_));
    rsx! {
        span { class: "link-state", role: "status", "data-link": link.class(),
            span { class: "dot {link.class()}" }
            "{link.words()}"
            if down {
                button {
                    r#type: "button",
                    class: "button quiet small",
                    onclick: move |_| feed.send(Msg::RetryNow),
                    "Retry now"
                }
            }
        }
    }
}
