//! What others do now, and did while somebody was away.

use crate::components::icon::icon;
use crate::interop::dom;
use crate::model::{ago, money, people};
use crate::net::api;
use crate::net::feed::Msg;
use crate::state::{feed, shared};
use dioxus::prelude::*;
use duplex_domain::SessionId;
use duplex_wire::CatchUp;

/// Who was away for less, in milliseconds, has missed nothing worth a word.
const AWAY: u64 = 60_000;

/// Tells the others where the person at this page is.
#[component]
pub fn Telling(id: SessionId) -> Element {
    let (shared, feed) = (shared(), feed());
    use_effect(move || {
        let here = shared.company.here();
        feed.send(Msg::Here(id, here));
    });
    rsx! {}
}

/// Who types in the chat.
#[component]
pub fn Typing() -> Element {
    let shared = shared();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let me = shared.me.read().as_ref().map(|me| me.id);
    let words = people::typists(&session.0, &shared.company.present.read(), me);
    rsx! {
        if let Some(words) = words {
            p { class: "typists muted small", id: "typists", "{words}" }
        }
    }
}

/// Whom this page follows, and the way out.
#[component]
pub fn Following() -> Element {
    let shared = shared();
    let mut following = shared.company.following;
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let Some(user) = following() else {
        return rsx! {};
    };
    let face = people::member(&session.0, &shared.company.present.read(), user);
    rsx! {
        div { class: "following", role: "status",
            {icon("eye")}
            span { class: "grow",
                "You follow {face.name}"
                if face.doing.is_empty() { ", who is not here now" } else { ", who {face.doing}" }
            }
            button {
                r#type: "button",
                id: "stop-following",
                class: "button small",
                onclick: move |_| following.set(None),
                "Stop"
            }
        }
    }
}

/// What happened since the person last looked.
#[component]
pub fn Meanwhile(id: SessionId) -> Element {
    let shared = shared();
    let mut missed = shared.company.missed;
    let mut jump = shared.company.jump;
    let mut open = use_signal(|| true);
    use_future(move || async move {
        // Without it the page shows all the same, and how far it is read is kept from here on.
        let nothing = CatchUp {
            read: None,
            read_at: None,
            digest: duplex_domain::Digest::default(),
            whole: true,
        };
        missed.set(Some(api::digest(id).await.unwrap_or(nothing)));
    });
    let (Some(session), Some(found)) = (shared.session.read().clone(), missed()) else {
        return rsx! {};
    };
    let away = found.read_at.map(|at| dom::now().since(at));
    let first = found.digest.first;
    let Some((at, first)) = found
        .read_at
        .zip(first)
        .filter(|_| open() && away > Some(AWAY))
    else {
        return rsx! {};
    };
    let digest = &found.digest;
    let me = shared.me.read().as_ref().map(|me| me.id);
    let sentence = people::missed(&session.0, digest, me);
    rsx! {
        section { class: "meanwhile", aria_label: "What you missed",
            {icon("clock")}
            div { class: "grow",
                p {
                    strong { "You were last here {ago::ago(dom::now(), at)}. " }
                    if !found.whole { "at least this: " }
                    "{sentence}."
                    if digest.cost.pico > 0 { " It cost {money::short(&digest.cost)}." }
                }
                if !digest.words.is_empty() {
                    p { class: "muted small words", "“{digest.words}”" }
                }
            }
            button {
                r#type: "button",
                id: "first-new",
                class: "button small",
                onclick: move |_| jump.set(Some(first)),
                "Go to the first"
            }
            button {
                r#type: "button",
                class: "icon-button",
                aria_label: "Close",
                onclick: move |_| open.set(false),
                {icon("x")}
            }
        }
    }
}
