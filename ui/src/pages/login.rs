//! The sign-in page.

use crate::interop::dom;
use crate::net::api;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire as wire;

/// Signs in, and goes back to where one was.
#[component]
pub fn Login(back: String) -> Element {
    let shared = shared();
    let mut email = use_signal(String::new);
    let mut password = use_signal(String::new);
    let mut problem = use_signal(|| None);
    let mut busy = use_signal(|| false);
    use_effect(|| dom::set_title("Sign in — Duplex"));
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let back = back.clone();
        spawn(async move {
            busy.set(true);
            let body = wire::Login {
                email: email(),
                password: password(),
            };
            match api::login(&body).await {
                Ok(_) => {
                    // A path of this page only: an address from outside could lead anywhere.
                    let inside = back.starts_with('/') && !back.starts_with("//");
                    let to = if inside { back } else { "/".to_owned() };
                    navigator().replace(to);
                }
                Err(failure) => problem.set(Some(failure.message)),
            }
            busy.set(false);
        });
    };
    let mut signed_out = shared.signed_out;
    use_hook(move || signed_out.set(false));
    rsx! {
        main { class: "gate", id: "content",
            form { class: "card", onsubmit: submit,
                h1 { "Sign in to Duplex" }
                label { class: "field",
                    span { "E-mail" }
                    input {
                        name: "email",
                        r#type: "email",
                        autocomplete: "username",
                        autofocus: true,
                        required: true,
                        value: "{email}",
                        oninput: move |event| email.set(event.value()),
                    }
                }
                label { class: "field",
                    span { "Password" }
                    input {
                        name: "password",
                        r#type: "password",
                        autocomplete: "current-password",
                        required: true,
                        value: "{password}",
                        oninput: move |event| password.set(event.value()),
                    }
                }
                if let Some(problem) = problem() {
                    p { class: "problem", role: "alert", "{problem}" }
                }
                button { r#type: "submit", class: "button primary wide", disabled: busy(),
                    if busy() { "Signing in…" } else { "Sign in" }
                }
                p { class: "muted small",
                    "First time here? Use the set-up link that Duplex printed when it started."
                }
            }
        }
    }
}
