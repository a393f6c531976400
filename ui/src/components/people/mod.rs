//! Who is at a session, what they do, and how others come to it.

mod add;
mod links;
mod meanwhile;
mod members;

pub use meanwhile::{Following, Meanwhile, Telling, Typing};

use super::dialog::Dialog;
use super::icon::icon;
use crate::model::people::{self, Face};
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Role, SessionId};

/// How many faces the header shows.
const FACES: usize = 3;

/// The faces of who is here, and the way to everybody.
#[component]
pub fn PeopleButton(id: SessionId, session: Shown) -> Element {
    let shared = shared();
    let mut open = use_signal(|| false);
    let me = shared.me.read().as_ref().map(|me| me.id);
    let others = people::others(&session.0, &shared.company.present.read(), me);
    let more = others.len().saturating_sub(FACES);
    let label = label(&others, session.0.members.len());
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small people-button",
            id: "people",
            aria_label: "{label}",
            title: "{label}",
            onclick: move |_| open.set(true),
            if others.is_empty() {
                {icon("people")}
            } else {
                span { class: "faces",
                    for face in others.iter().take(FACES).cloned() {
                        FaceView { key: "{face.user}", face }
                    }
                }
            }
            if more > 0 {
                span { class: "number", "+{more}" }
            }
            span { class: "words", "Share" }
        }
        if open() {
            PeopleDialog { id, session, on_close: move |()| open.set(false) }
        }
    }
}

fn label(others: &[Face], members: usize) -> String {
    let here: Vec<String> = others
        .iter()
        .map(|face| format!("{} {}", face.name, face.doing))
        .collect();
    match (here.is_empty(), members) {
        (true, 0 | 1) => "People: only you; share this session".to_owned(),
        (true, members) => format!("People: {members} in this session, nobody else is here now"),
        (false, _) => format!("People: {}", here.join(", ")),
    }
}

/// Somebody in a circle.
#[component]
pub fn FaceView(face: Face) -> Element {
    let title = match face.doing.as_str() {
        "" => face.name.clone(),
        doing => format!("{} {doing}", face.name),
    };
    rsx! {
        span {
            class: "face",
            "data-here": face.here,
            "data-typing": face.typing,
            "data-hue": "{face.hue / 30}",
            title: "{title}",
            aria_hidden: true,
            "{face.initials}"
        }
    }
}

#[component]
fn PeopleDialog(id: SessionId, session: Shown, on_close: EventHandler<()>) -> Element {
    let shared = shared();
    let shares = shared.role(&session.0) == Some(Role::Owner);
    rsx! {
        Dialog { title: "People", class: "people", on_close,
            members::Members { id, session: session.clone(), shares, on_close }
            if shares {
                add::Add { id, session: session.clone() }
                links::Links { id, members: session.0.members.len() }
            } else {
                p { class: "muted small", "An owner of this session can let more people in." }
            }
        }
    }
}
