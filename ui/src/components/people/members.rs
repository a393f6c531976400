//! The members of a session.

use super::FaceView;
use crate::components::{confirm::Confirm, icon::icon};
use crate::model::people::{self, Face};
use crate::route::Route;
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, SessionId, UserId};
use duplex_wire::Me;

/// What an owner can make of somebody.
const ROLES: [Role; 4] = [Role::Viewer, Role::Commenter, Role::Driver, Role::Owner];

/// Everybody who may see the session; `shares`: the reader may change that.
#[component]
pub(super) fn Members(
    id: SessionId,
    session: Shown,
    shares: bool,
    on_close: EventHandler<()>,
) -> Element {
    let shared = shared();
    let me = shared.me.read().as_ref().map(|me| me.id);
    let present = shared.company.present.read();
    let mut members: Vec<(Face, Role)> = session
        .0
        .members
        .iter()
        .map(|(user, member)| (people::member(&session.0, &present, *user), member.role))
        .collect();
    members.sort_by_key(|(face, role)| (std::cmp::Reverse(*role), face.name.clone()));
    rsx! {
        ul { class: "members",
            for (face , role) in members {
                MemberRow {
                    key: "{face.user}",
                    id,
                    mine: Some(face.user) == me,
                    drives: session.0.driver == Some(face.user),
                    face,
                    role,
                    shares,
                    on_close,
                }
            }
        }
    }
}

#[component]
fn MemberRow(
    id: SessionId,
    face: Face,
    role: Role,
    mine: bool,
    drives: bool,
    shares: bool,
    on_close: EventHandler<()>,
) -> Element {
    let shared = shared();
    let user = face.user;
    let name = face.name.clone();
    let follow = move |_| {
        let mut following = shared.company.following;
        following.set(Some(user));
        on_close.call(());
    };
    rsx! {
        li { class: "member",
            FaceView { face: face.clone() }
            span { class: "grow",
                span { class: "name", "{name}" if mine { span { class: "muted", " (you)" } } }
                span { class: "muted small",
                    if !face.doing.is_empty() { "{face.doing}" } else if mine { "here" } else { "not here" }
                    if drives { ", has the keyboard" }
                }
            }
            if face.here && !mine {
                button {
                    r#type: "button",
                    class: "button quiet small",
                    title: "See what {name} sees, until you do something yourself",
                    onclick: follow,
                    {icon("eye")}
                    "Follow"
                }
            }
            if shares {
                RoleChoice { id, user, name: name.clone(), role }
            } else {
                span { class: "chip", title: people::role_means(role), {people::role(role)} }
            }
            if mine {
                Leave { id, user }
            } else if shares {
                button {
                    r#type: "button",
                    class: "icon-button",
                    aria_label: "Remove {name}",
                    title: "Remove from this session",
                    onclick: move |_| shared.please(id, Command::RemoveMember { user }),
                    {icon("x")}
                }
            }
        }
    }
}

/// The way out for who reads; asked about, since only others can let them in again.
#[component]
fn Leave(id: SessionId, user: UserId) -> Element {
    let shared = shared();
    let mut asking = use_signal(|| false);
    let visits = shared.me.peek().as_ref().is_some_and(Me::is_visitor);
    let leave = move |()| {
        asking.set(false);
        let navigator = navigator();
        dioxus::core::spawn_forever(async move {
            let left = shared.ask(id, Command::RemoveMember { user }).await;
            if left && !visits {
                navigator.push(Route::Sessions {});
            }
        });
    };
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small",
            id: "leave",
            onclick: move |_| asking.set(true),
            "Leave"
        }
        if asking() {
            Confirm {
                title: "Leave this session?",
                text: "It is gone from your list, and you see nothing of it until one of its owners lets you in again. What you wrote stays.",
                action: "Leave session",
                busy: false,
                on_yes: leave,
                on_no: move |()| asking.set(false),
            }
        }
    }
}

#[component]
fn RoleChoice(id: SessionId, user: UserId, name: String, role: Role) -> Element {
    let shared = shared();
    let called = name.clone();
    rsx! {
        select {
            aria_label: "Role of {called}",
            title: people::role_means(role),
            onchange: move |event| {
                let chosen = ROLES.into_iter().find(|role| people::role(*role) == event.value());
                if let Some(role) = chosen {
                    let name = name.clone();
                    shared.please(id, Command::SetMember { user, name, role });
                }
            },
            for choice in ROLES {
                option {
                    key: "{people::role(choice)}",
                    value: people::role(choice),
                    selected: choice == role,
                    {people::role(choice)}
                }
            }
        }
    }
}
