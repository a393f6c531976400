//! The page of what is one's own: name, password, browsers, tokens.

mod browsers;
mod tokens;

use crate::components::confirm::Confirm;
use crate::components::field::{Field, general};
use crate::components::top_bar::TopBar;
use crate::interop::dom;
use crate::net::api::Failure;
use crate::net::people;
use crate::state::shared;
use browsers::Browsers;
use dioxus::prelude::*;
use duplex_wire::{ChangePassword, Me};
use tokens::Tokens;

/// What is one's own.
#[component]
pub fn Settings() -> Element {
    let shared = shared();
    use_effect(|| dom::set_title("Settings — Duplex"));
    let me = shared.me.read().clone();
    rsx! {
        TopBar {}
        main { class: "page settings", id: "content",
            div { class: "page-head", h1 { "Settings" } }
            if let Some(me) = me {
                Profile { key: "{me.id}", me: me.clone() }
                Password { email: me.email.clone() }
                Browsers {}
                Tokens { role: me.role }
                Leave { team: me.team.clone() }
            } else {
                p { class: "muted", aria_busy: true, "Reading…" }
            }
        }
    }
}

#[component]
fn Profile(me: Me) -> Element {
    let shared = shared();
    let start = me.name.clone();
    let name = use_signal(move || start);
    let mut problem = use_signal(|| None::<Failure>);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        spawn(async move {
            match people::rename(name()).await {
                Ok(_) => {
                    problem.set(None);
                    shared.toast("Your name is changed.");
                    shared.look_at_me().await;
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "profile",
            h2 { id: "profile", "Profile" }
            p { class: "muted", "{me.email}, {me.role.word()} of {me.team}." }
            form { class: "form-line", onsubmit: submit,
                Field { label: "Name", name: "name", value: name, autocomplete: "name", problem }
                button { r#type: "submit", class: "button", "Save" }
            }
            {general(problem.read().as_ref(), &["name"])}
        }
    }
}

#[component]
fn Password(email: String) -> Element {
    let shared = shared();
    let (mut current, mut password) = (use_signal(String::new), use_signal(String::new));
    let mut problem = use_signal(|| None::<Failure>);
    let mut busy = use_signal(|| false);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        spawn(async move {
            busy.set(true);
            let body = ChangePassword {
                current: current(),
                password: password(),
            };
            match people::change_password(&body).await {
                Ok(_) => {
                    problem.set(None);
                    current.set(String::new());
                    password.set(String::new());
                    shared.toast("Your password is changed; all other browsers are signed out.");
                    shared.nudge();
                }
                Err(failure) => problem.set(Some(failure)),
            }
            busy.set(false);
        });
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "password",
            h2 { id: "password", "Password" }
            p { class: "muted", "Changing it signs out all your other browsers. Tokens of programs go on: revoke those you do not know." }
            form { class: "form-line", onsubmit: submit,
                input { hidden: true, autocomplete: "username", value: "{email}" }
                Field { label: "Current password", name: "current", value: current, kind: "password", autocomplete: "current-password", problem }
                Field { label: "New password", name: "password", value: password, kind: "password", autocomplete: "new-password", problem }
                button { r#type: "submit", class: "button", disabled: busy(),
                    if busy() { "Changing…" } else { "Change" }
                }
            }
            {general(problem.read().as_ref(), &["current", "password"])}
        }
    }
}

#[component]
fn Leave(team: String) -> Element {
    let shared = shared();
    let mut asking = use_signal(|| false);
    let mut busy = use_signal(|| false);
    let leave = move |()| {
        spawn(async move {
            busy.set(true);
            match people::leave().await {
                Ok(_) => shared.sign_out(),
                Err(failure) => shared.failed(&failure),
            }
            busy.set(false);
            asking.set(false);
        });
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "leave",
            h2 { id: "leave", "Leave the team" }
            p { class: "muted", "Your account, browsers and tokens are gone then. What you did in sessions stays there." }
            div {
                button { r#type: "button", class: "button", onclick: move |_| asking.set(true), "Leave {team}" }
            }
        }
        if asking() {
            Confirm {
                title: "Leave {team}?",
                text: "Your account is gone at once, and you are signed out everywhere. To come back you need an invitation.",
                action: "Leave",
                busy: busy(),
                on_yes: leave,
                on_no: move |()| asking.set(false),
            }
        }
    }
}
