//! The calls that need no approval in a session.

use super::dialog::Dialog;
use super::icon::icon;
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Mode, Role, SessionId};

/// How many rules there are, and the way to them; nothing where nothing would ask anyway.
#[component]
pub fn RulesButton(id: SessionId, session: Shown) -> Element {
    let shared = shared();
    let mut open = use_signal(|| false);
    let session = session.0;
    let rules = session.rules.clone();
    if rules.is_empty() && session.mode == Mode::Auto && !open() {
        return rsx! {};
    }
    let may = shared.role(&session) >= Some(Role::Driver);
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small",
            id: "rules",
            title: "What the agent may always do in this session",
            onclick: move |_| open.set(true),
            "Rules "
            span { class: "number", "{rules.len()}" }
        }
        if open() {
            Dialog { title: "Always allowed", class: "small", on_close: move |()| open.set(false),
                if rules.is_empty() {
                    p { class: "muted",
                        "No call is always allowed yet. “Always allow” at an approval puts a rule here."
                    }
                } else {
                    p { class: "muted", "Calls like these run in this session without asking." }
                }
                ul { class: "rules",
                    for rule in rules {
                        li { key: "{rule}",
                            code { class: "grow", "{rule}" }
                            if may {
                                button {
                                    r#type: "button",
                                    class: "icon-button",
                                    aria_label: "Remove {rule}",
                                    title: "Ask again",
                                    onclick: move |_| {
                                        let rule = rule.clone();
                                        shared.please(id, Command::RemoveRule { rule });
                                    },
                                    {icon("x")}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
