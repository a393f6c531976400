//! The page behind a link for a new password.

use super::join::over;
use crate::components::field::{Field, general};
use crate::interop::dom;
use crate::net::api::Failure;
use crate::net::people;
use crate::route::Route;
use dioxus::prelude::*;
use duplex_wire::{ResetFor, ResetPassword};

/// Sets a new password, and signs in with it.
#[component]
pub fn ResetPage(secret: String) -> Element {
    use_effect(|| dom::set_title("New password — Duplex"));
    let asked = secret.clone();
    let looked = use_resource(move || people::reset_look(asked.clone()));
    let shown = match &*looked.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Looking at the link…" } },
        Some(Ok(whose)) => rsx! { Form { secret, whose: whose.clone() } },
        Some(Err(failure)) => over(failure),
    };
    rsx! {
        main { class: "gate", id: "content", {shown} }
    }
}

#[component]
fn Form(secret: String, whose: ResetFor) -> Element {
    let password = use_signal(String::new);
    let mut problem = use_signal(|| None::<Failure>);
    let mut busy = use_signal(|| false);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let secret = secret.clone();
        spawn(async move {
            busy.set(true);
            let password = password();
            match people::reset(&ResetPassword { secret, password }).await {
                Ok(_) => {
                    navigator().replace(Route::Sessions {});
                }
                Err(failure) => problem.set(Some(failure)),
            }
            busy.set(false);
        });
    };
    rsx! {
        form { class: "card", onsubmit: submit,
            h1 { "Choose a new password" }
            p { class: "muted", "For {whose.name}, {whose.email}. All browsers are signed out with it." }
            input { hidden: true, autocomplete: "username", value: "{whose.email}" }
            Field {
                label: "New password",
                name: "password",
                value: password,
                kind: "password",
                autocomplete: "new-password",
                hint: "At least ten characters.",
                focus: true,
                problem,
            }
            {general(problem.read().as_ref(), &["password"])}
            button { r#type: "submit", class: "button primary wide", disabled: busy(),
                if busy() { "Setting…" } else { "Set the password" }
            }
        }
    }
}
