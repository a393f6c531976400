//! What a session's agent does, as a dot and a word.

use dioxus::prelude::*;
use duplex_wire::Working;

/// What a session's agent does: the dot's class, and the word.
#[must_use]
pub fn told(working: Working) -> (&'static str, &'static str) {
    match working {
        Working::Working => ("accent", "working"),
        Working::Waiting => ("warn", "waiting"),
        Working::Asking => ("warn", "waits for you"),
        Working::Idle => ("ok", "idle"),
        Working::Ended => ("off", "ended"),
    }
}

/// A dot and a word.
pub fn state_dot(working: Working) -> Element {
    let (class, word) = told(working);
    rsx! {
        span { class: "state",
            span { class: "dot {class}" }
            "{word}"
        }
    }
}
