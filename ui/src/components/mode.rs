//! How much the agent does without asking.

use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::{Command, Mode, SessionId};

/// Every mode: its word in the interface, its name, and what it means.
pub const MODES: [(Mode, &str, &str, &str); 4] = [
    (
        Mode::Ask,
        "ask",
        "Ask",
        "asks before it changes or runs anything",
    ),
    (
        Mode::AcceptEdits,
        "accept_edits",
        "Accept edits",
        "changes files itself, asks before it runs anything",
    ),
    (
        Mode::Plan,
        "plan",
        "Plan",
        "only reads until its plan is approved",
    ),
    (Mode::Auto, "auto", "Auto", "does what its sandbox allows"),
];

/// The mode of the session.
#[component]
pub fn ModeChoice(id: SessionId, mode: Mode, may: bool) -> Element {
    let shared = shared();
    let means = MODES.iter().find(|known| known.0 == mode);
    let (name, meaning) = means.map_or(("", ""), |known| (known.2, known.3));
    if !may {
        return rsx! { span { class: "mode muted", title: "The agent {meaning}", "{name}" } };
    }
    rsx! {
        select {
            class: "mode",
            id: "mode",
            aria_label: "What the agent does without asking",
            title: "The agent {meaning}",
            onchange: move |event| {
                let word = event.value();
                let Some(chosen) = MODES.iter().find(|known| known.1 == word) else { return };
                let mode = chosen.0;
                shared.please(id, Command::ChooseMode { mode });
            },
            for known in MODES {
                option { key: "{known.1}", value: "{known.1}", selected: known.0 == mode, title: "{known.3}", "{known.2}" }
            }
        }
    }
}
