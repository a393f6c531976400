//! Letting people of the team into a session.

use crate::model::people;
use crate::net;
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, SessionId, UserId};
use duplex_wire::TeamPerson;

/// What somebody can come as.
const ROLES: [Role; 4] = [Role::Viewer, Role::Commenter, Role::Driver, Role::Owner];

/// Chooses somebody of the team who is not in the session yet.
#[component]
pub(super) fn Add(id: SessionId, session: Shown) -> Element {
    let shared = shared();
    let mut team = use_signal(|| None::<Vec<TeamPerson>>);
    let mut chosen = use_signal(|| None::<UserId>);
    let mut role = use_signal(|| Role::Driver);
    use_future(move || async move {
        match net::people::people().await {
            Ok(people) => team.set(Some(people)),
            Err(failure) => shared.failed(&failure),
        }
    });
    let Some(people) = team() else {
        return rsx! { span { class: "bone w40" } };
    };
    let outside: Vec<TeamPerson> = people
        .into_iter()
        .filter(|person| !person.disabled && !session.0.members.contains_key(&person.id))
        .collect();
    let first = outside.first().map(|person| person.id);
    let shown = chosen().filter(|user| outside.iter().any(|person| person.id == *user));
    let Some(user) = shown.or(first) else {
        return rsx! {
            p { class: "muted small", "Everybody of the team is in this session. Owners of the team invite people on the page People." }
        };
    };
    let found = outside.iter().find(|person| person.id == user);
    let name = found.map(|person| person.name.clone()).unwrap_or_default();
    let add = move |event: FormEvent| {
        event.prevent_default();
        let (name, role) = (name.clone(), role());
        shared.please(id, Command::SetMember { user, name, role });
    };
    rsx! {
        form { class: "wish", onsubmit: add,
            span { "Add" }
            select {
                aria_label: "Whom to add",
                onchange: move |event| chosen.set(event.value().parse().ok()),
                for person in outside.clone() {
                    option {
                        key: "{person.id}",
                        value: "{person.id}",
                        selected: person.id == user,
                        title: "{person.email}",
                        "{person.name}"
                    }
                }
            }
            span { "as" }
            select {
                aria_label: "As what",
                title: people::role_means(role()),
                onchange: move |event| {
                    let found = ROLES.into_iter().find(|role| people::role(*role) == event.value());
                    role.set(found.unwrap_or(Role::Viewer));
                },
                for choice in ROLES {
                    option {
                        key: "{people::role(choice)}",
                        value: people::role(choice),
                        selected: choice == role(),
                        {people::role(choice)}
                    }
                }
            }
            button { r#type: "submit", class: "button small", id: "add-member", "Add" }
        }
    }
}
