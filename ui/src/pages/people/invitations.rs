//! Links that let more people into the team.

use crate::components::field::{Field, general, unread};
use crate::components::secret::SecretOnce;
use crate::interop::dom;
use crate::model::ago::left;
use crate::net::api::Failure;
use crate::net::people;
use crate::pages::join::means;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_wire::{Invitation, Invite, TeamRole};

/// The invitations nobody has used yet, and a way to make one.
#[component]
pub fn Invitations() -> Element {
    let shared = shared();
    let mut list = use_resource(move || {
        let _ = shared.nudges.read();
        people::invitations()
    });
    let mut link = use_signal(|| None::<String>);
    let revoke = move |id: String| {
        spawn(async move {
            if let Err(failure) = people::revoke_invitation(&id).await {
                shared.failed(&failure);
            }
            list.restart();
        });
    };
    let shown = match &*list.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => unread("The invitations", failure),
        Some(Ok(open)) if open.is_empty() => rsx! {
            p { class: "muted", "Nobody is invited at the moment." }
        },
        Some(Ok(open)) => rsx! {
            ul { class: "entries",
                for invitation in open.clone() {
                    Row { key: "{invitation.id}", invitation, on_revoke: revoke }
                }
            }
        },
    };
    rsx! {
        section { class: "own-part", aria_labelledby: "invitations",
            h2 { id: "invitations", "Invitations" }
            {shown}
            Make {
                on_made: move |made| {
                    link.set(Some(made));
                    list.restart();
                },
            }
        }
        if let Some(secret) = link() {
            SecretOnce {
                title: "Invitation link",
                text: "Send it to one person: it works once, and is not shown again.",
                secret,
                on_close: move |()| link.set(None),
            }
        }
    }
}

#[component]
fn Row(invitation: Invitation, on_revoke: EventHandler<String>) -> Element {
    let id = invitation.id.simple().to_string();
    let name = match invitation.note.as_str() {
        "" => format!("A {}", invitation.role.word()),
        note => note.to_owned(),
    };
    let ends = left(dom::now(), invitation.expires_at);
    rsx! {
        li { class: "entry",
            div { class: "grow",
                strong { "{name}" }
                span { class: "chip", "{invitation.role.word()}" }
                div { class: "muted small", "By {invitation.by}, ends in {ends}" }
            }
            button {
                r#type: "button",
                class: "button quiet",
                aria_label: "Revoke the invitation for {name}",
                onclick: move |_| on_revoke.call(id.clone()),
                "Revoke"
            }
        }
    }
}

#[component]
fn Make(on_made: EventHandler<String>) -> Element {
    let mut note = use_signal(String::new);
    let mut role = use_signal(|| TeamRole::Member);
    let mut problem = use_signal(|| None::<Failure>);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        spawn(async move {
            let body = Invite {
                role: role(),
                note: Some(note()),
                days: None,
            };
            match people::invite(&body).await {
                Ok(made) => {
                    problem.set(None);
                    note.set(String::new());
                    on_made.call(made.link);
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    rsx! {
        form { onsubmit: submit,
            div { class: "form-line",
                Field { label: "Invite, for your own memory", name: "note", value: note, required: false, hint: "A name or an e-mail address; nothing is sent.", problem }
                label { class: "field",
                    span { "As" }
                    select {
                        name: "role",
                        onchange: move |event| role.set(TeamRole::of(&event.value())),
                        for word in TeamRole::ALL {
                            option { key: "{word.word()}", value: word.word(), selected: role() == word, "{word.word()}" }
                        }
                    }
                }
                button { r#type: "submit", class: "button primary", "Make a link" }
            }
            p { class: "muted small", {means(role())} }
            {general(problem.read().as_ref(), &["note"])}
        }
    }
}
