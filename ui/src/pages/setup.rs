//! The page behind the one-time set-up link: makes the first owner.

use crate::interop::dom;
use crate::net::api;
use crate::route::Route;
use dioxus::prelude::*;
use duplex_wire::Setup;

/// The least length of a password, in characters.
const SHORTEST: usize = 10;

/// Makes the first owner, with the secret after the address's `#`.
#[component]
pub fn SetupPage(secret: String) -> Element {
    let mut name = use_signal(String::new);
    let mut email = use_signal(String::new);
    let mut password = use_signal(String::new);
    let mut problem = use_signal(|| None::<(Option<String>, String)>);
    let mut busy = use_signal(|| false);
    use_effect(|| dom::set_title("Set up — Duplex"));
    if secret.is_empty() {
        return rsx! {
            main { class: "centred", id: "content",
                h1 { "The set-up link is not whole" }
                p { class: "muted", "Open the link that Duplex printed when it started, with everything after the #." }
                Link { class: "button", to: Route::Login { back: "/".to_owned() }, "Sign in instead" }
            }
        };
    }
    let submit = move |event: FormEvent| {
        event.prevent_default();
        if password.read().chars().count() < SHORTEST {
            problem.set(Some((
                Some("password".into()),
                "use at least ten characters".into(),
            )));
            return;
        }
        let secret = secret.clone();
        spawn(async move {
            busy.set(true);
            let body = Setup {
                secret,
                name: name(),
                email: email(),
                password: password(),
            };
            match api::setup(&body).await {
                Ok(_) => {
                    navigator().replace(Route::Sessions {});
                }
                Err(failure) => problem.set(Some((failure.field, failure.message))),
            }
            busy.set(false);
        });
    };
    let at = move |field: &str| match problem() {
        Some((Some(meant), why)) if meant == field => Some(why),
        _ => None,
    };
    let general = match problem() {
        Some((field, why)) if !matches!(field.as_deref(), Some("name" | "email" | "password")) => {
            Some(why)
        }
        _ => None,
    };
    rsx! {
        main { class: "gate", id: "content",
            form { class: "card", onsubmit: submit,
                h1 { "Set up Duplex" }
                p { class: "muted", "You are the first here: this makes you the owner of this installation." }
                label { class: "field",
                    span { "Your name" }
                    input {
                        name: "name",
                        autocomplete: "name",
                        autofocus: true,
                        required: true,
                        value: "{name}",
                        oninput: move |event| name.set(event.value()),
                    }
                    if let Some(why) = at("name") { span { class: "problem", role: "alert", "{why}" } }
                }
                label { class: "field",
                    span { "E-mail" }
                    input {
                        name: "email",
                        r#type: "email",
                        autocomplete: "username",
                        required: true,
                        value: "{email}",
                        oninput: move |event| email.set(event.value()),
                    }
                    if let Some(why) = at("email") { span { class: "problem", role: "alert", "{why}" } }
                }
                label { class: "field",
                    span { "Password" }
                    input {
                        name: "password",
                        r#type: "password",
                        autocomplete: "new-password",
                        required: true,
                        value: "{password}",
                        oninput: move |event| password.set(event.value()),
                    }
                    if let Some(why) = at("password") {
                        span { class: "problem", role: "alert", "{why}" }
                    } else {
                        span { class: "muted small", "At least ten characters." }
                    }
                }
                if let Some(why) = general {
                    p { class: "problem", role: "alert", "{why}" }
                }
                button { r#type: "submit", class: "button primary wide", disabled: busy(),
                    if busy() { "Setting up…" } else { "Create the owner" }
                }
            }
        }
    }
}
