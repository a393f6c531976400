//! The page behind an invitation: makes an account in a team.

use crate::components::field::{Field, general};
use crate::interop::dom;
use crate::net::api::{self, Failure};
use crate::net::people;
use crate::route::Route;
use dioxus::prelude::*;
use duplex_wire::{InvitedTo, Join, TeamRole};

/// What one will be able to do.
pub fn means(role: TeamRole) -> &'static str {
    match role {
        TeamRole::Owner => "Owners also decide who is in the team and what it may spend.",
        TeamRole::Member => "Members open sessions and see the team's workspaces and people.",
        TeamRole::Guest => "Guests see the sessions they are let into, and nothing else.",
    }
}

/// Tells what the link is for, and makes an account with it.
#[component]
pub fn JoinPage(secret: String) -> Element {
    use_effect(|| dom::set_title("Join — Duplex"));
    let asked = secret.clone();
    let mut looked = use_resource(move || people::look(asked.clone()));
    let shown = match &*looked.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Looking at the invitation…" } },
        Some(Ok(to)) => rsx! { Form { secret, to: to.clone() } },
        Some(Err(failure)) if failure.code == "signed_in" => rsx! {
            Already { message: failure.message.clone(), on_out: move |()| looked.restart() }
        },
        Some(Err(failure)) => over(failure),
    };
    rsx! {
        main { class: "gate", id: "content", {shown} }
    }
}

/// A link of no use.
pub fn over(failure: &Failure) -> Element {
    rsx! {
        h1 { "This link cannot be used" }
        p { class: "muted", role: "alert", "{failure.message}" }
        Link { class: "button", to: Route::Login { back: "/".to_owned() }, "Sign in" }
    }
}

/// Somebody is signed in at this browser already.
#[component]
fn Already(message: String, on_out: EventHandler<()>) -> Element {
    let mut problem = use_signal(|| None::<Failure>);
    let out = move |_| {
        spawn(async move {
            match api::logout().await {
                Ok(_) => on_out.call(()),
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    rsx! {
        h1 { "You are signed in already" }
        p { class: "muted", role: "alert", "{message}" }
        {general(problem.read().as_ref(), &[])}
        div { class: "actions",
            Link { class: "button", to: Route::Sessions {}, "Go to your sessions" }
            button { r#type: "button", class: "button primary", onclick: out, "Sign out and join" }
        }
    }
}

#[component]
fn Form(secret: String, to: InvitedTo) -> Element {
    let (name, email, password) = (
        use_signal(String::new),
        use_signal(String::new),
        use_signal(String::new),
    );
    let mut problem = use_signal(|| None::<Failure>);
    let mut busy = use_signal(|| false);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let secret = secret.clone();
        spawn(async move {
            busy.set(true);
            let body = Join {
                secret,
                name: name(),
                email: email(),
                password: password(),
            };
            match people::join(&body).await {
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
            h1 { "Join {to.team}" }
            p { class: "muted",
                "{to.by} invites you as "
                strong { "{to.role.word()}" }
                ". {means(to.role)}"
            }
            Field { label: "Your name", name: "name", value: name, autocomplete: "name", focus: true, problem }
            Field { label: "E-mail", name: "email", value: email, kind: "email", autocomplete: "username", problem }
            Field {
                label: "Password",
                name: "password",
                value: password,
                kind: "password",
                autocomplete: "new-password",
                hint: "At least ten characters.",
                problem,
            }
            {general(problem.read().as_ref(), &["name", "email", "password"])}
            button { r#type: "submit", class: "button primary wide", disabled: busy(),
                if busy() { "Joining…" } else { "Join" }
            }
        }
    }
}
