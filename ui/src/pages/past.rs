//! A stretch of a session's past, as a link shows it.

use crate::components::transcript::Past;
use crate::interop::dom;
use crate::model::rows::Row;
use crate::net::api::{self, Failure};
use crate::pages::sessions::ThemeButton;
use crate::route::Route;
use dioxus::prelude::*;
use duplex_wire::SharedPast;
use std::rc::Rc;

/// Reads the stretch that this browser was let in to.
#[component]
pub fn PastPage() -> Element {
    let mut past = use_signal(|| None::<Result<SharedPast, Failure>>);
    use_effect(|| dom::set_title("A shared session — Duplex"));
    use_future(move || async move { past.set(Some(api::shared_past().await)) });
    match past() {
        None => rsx! {
            main { class: "loading", id: "content", aria_busy: true, aria_label: "Loading the session",
                span { class: "bone w60" }
                span { class: "bone w40" }
                span { class: "bone w60" }
            }
        },
        Some(Err(failure)) => rsx! {
            main { class: "centred", id: "content",
                h1 { "This cannot be read any more" }
                p { class: "muted", "The link you came by has expired or was taken back ({failure.message})." }
                Link { class: "button", to: Route::Sessions {}, "Go to Duplex" }
            }
        },
        Some(Ok(past)) => rsx! { Shown { past } },
    }
}

#[component]
fn Shown(past: SharedPast) -> Element {
    let title = if past.title.is_empty() {
        "A session".to_owned()
    } else {
        past.title.clone()
    };
    let rows: Vec<Row> = past
        .items
        .into_iter()
        .map(|item| Row(Rc::new(item)))
        .collect();
    rsx! {
        header { class: "topbar",
            h1 { class: "title", "{title}" }
            span { class: "chip", title: "Shared to be read, up to the moment it was shared", "the past" }
            span { class: "grow" }
            ThemeButton {}
        }
        main { class: "pane alone", id: "content",
            div { class: "chat",
                Past { session: past.session, rows, people: past.people }
            }
        }
    }
}
