//! The agent's plan, and how far it is.

use super::icon::icon;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::PlanStatus;

/// The plan as a list to tick off; nothing while there is none, or once all of it is done.
#[component]
pub fn Plan() -> Element {
    let shared = shared();
    let mut open = use_signal(|| false);
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let plan = session.0.plan.clone();
    let done = plan
        .iter()
        .filter(|item| item.status == PlanStatus::Completed)
        .count();
    if plan.is_empty() || done == plan.len() {
        return rsx! {};
    }
    let now = plan
        .iter()
        .find(|item| item.status == PlanStatus::InProgress);
    let now = now.or_else(|| plan.iter().find(|item| item.status == PlanStatus::Pending));
    let now = now.map_or_else(String::new, |item| item.text.clone());
    rsx! {
        section { class: "plan", aria_label: "The agent's plan",
            button {
                r#type: "button",
                class: "fold",
                aria_expanded: open(),
                onclick: move |_| open.toggle(),
                {icon("chevron")}
                span { class: "number", "{done}/{plan.len()}" }
                span { class: "target", "{now}" }
            }
            if open() {
                ol {
                    for (index , item) in plan.into_iter().enumerate() {
                        li { key: "{index}", "data-status": word(item.status),
                            span { class: "unseen", "{word(item.status)}: " }
                            "{item.text}"
                        }
                    }
                }
            }
        }
    }
}

fn word(status: PlanStatus) -> &'static str {
    match status {
        PlanStatus::Pending => "to do",
        PlanStatus::InProgress => "in progress",
        PlanStatus::Completed => "done",
    }
}
