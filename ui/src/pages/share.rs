//! The page behind a link to a session: says what it leads to, and goes there.

use crate::interop::dom;
use crate::model::{ago, people};
use crate::net::api::{self, Failure};
use crate::route::Route;
use dioxus::prelude::*;
use duplex_wire::{LinkOffer, TakeLink};

/// Takes the link up whose secret stands after the address's `#`.
#[component]
pub fn SharePage(secret: String) -> Element {
    let mut offer = use_signal(|| None::<Result<LinkOffer, Failure>>);
    use_effect(|| dom::set_title("A shared session — Duplex"));
    let asked = secret.clone();
    use_future(move || {
        let (secret, name) = (asked.clone(), None);
        async move { offer.set(Some(api::look_at_link(&TakeLink { secret, name }).await)) }
    });
    match offer() {
        None => rsx! {
            main { class: "gate", id: "content", aria_busy: true, aria_label: "Looking at the link",
                div { class: "card",
                    span { class: "bone w60" }
                    span { class: "bone w40" }
                }
            }
        },
        Some(Err(failure)) => rsx! {
            main { class: "centred", id: "content",
                h1 { "This link cannot be used" }
                p { class: "muted", "{failure.message}" }
                Link { class: "button", to: Route::Sessions {}, "Go to Duplex" }
            }
        },
        Some(Ok(offer)) => rsx! { Offer { secret, offer } },
    }
}

#[component]
fn Offer(secret: String, offer: LinkOffer) -> Element {
    let mut name = use_signal(String::new);
    let mut problem = use_signal(|| None::<String>);
    let mut busy = use_signal(|| false);
    let LinkOffer {
        title,
        by,
        role,
        past,
        expires_at,
        you,
    } = offer;
    let title = if title.is_empty() {
        "a session".to_owned()
    } else {
        format!("“{title}”")
    };
    let known = you.is_some() && !past;
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let secret = secret.clone();
        spawn(async move {
            busy.set(true);
            let name = Some(name()).filter(|_| !known);
            match api::take_link(&TakeLink { secret, name }).await {
                Ok(taken) if taken.past => {
                    navigator().replace(Route::PastPage {});
                }
                Ok(taken) => {
                    let id = taken.session.to_string();
                    navigator().replace(Route::SessionAt { id });
                }
                Err(failure) => problem.set(Some(failure.message)),
            }
            busy.set(false);
        });
    };
    rsx! {
        main { class: "gate", id: "content",
            form { class: "card", onsubmit: submit,
                h1 { "{by} shares {title}" }
                if past {
                    p { class: "muted", "You can read what happened up to the moment it was shared." }
                } else {
                    p { class: "muted", "You come as a {people::role(role)}: who {people::role_means(role)}." }
                }
                if let Some(you) = you.filter(|_| known) {
                    p { "You are signed in as {you}." }
                } else {
                    label { class: "field",
                        span { "Your name" }
                        input {
                            name: "name",
                            autocomplete: "name",
                            autofocus: true,
                            required: true,
                            maxlength: 100,
                            value: "{name}",
                            oninput: move |event| name.set(event.value()),
                        }
                        span { class: "muted small", "The others see it, marked as a visitor's." }
                    }
                }
                if let Some(why) = problem() {
                    p { class: "problem", role: "alert", "{why}" }
                }
                button { r#type: "submit", class: "button primary wide", disabled: busy(),
                    if busy() { "Opening…" } else if past { "Read it" } else { "Join" }
                }
                p { class: "muted small", "The link works for {ago::left(dom::now(), expires_at)}, unless it is taken back before." }
            }
        }
    }
}
