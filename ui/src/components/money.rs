//! What a session has used: its model's window, its money, and what it may cost.

use super::dialog::Dialog;
use super::icon::icon;
use crate::model::gauge::{Loudness, gauge};
use crate::model::money;
use crate::route::Route;
use crate::state::{Shown, shared};
use dioxus::prelude::*;
use duplex_domain::{Command, Role, Session, SessionId};

/// Whether the panel of what was used is open: it is opened from more than one place.
#[derive(Clone, Copy, PartialEq)]
pub struct MoneyPanel(pub Signal<bool>);

/// How full the window is and what was spent, short, in the session's head. `window` is in tokens.
#[component]
pub fn MoneyButton(id: SessionId, session: Shown, window: Option<u64>) -> Element {
    let MoneyPanel(mut open) = use_context();
    let session = session.0;
    let mut told = vec![format!("Cost: {}", money::exact(&session.cost))];
    let mut loudness = Loudness::Quiet;
    if let Some(budget) = session.budget {
        loudness = gauge(session.cost.pico, budget.pico).1;
        told.push(format!("Budget: {}", money::dollars(budget.pico)));
    }
    if let Some(words) = context(&session, window) {
        told.push(format!("{words}; /compact makes room"));
    }
    rsx! {
        button {
            r#type: "button",
            class: "button quiet small money",
            id: "money",
            title: told.join("\n"),
            "data-level": loudness.word(),
            onclick: move |_| open.set(true),
            if let Some(window) = window.filter(|_| session.context > 0) {
                {bar("context", session.context, window)}
            }
            span { class: "number cost", id: "cost", {money::short(&session.cost)} }
            if let Some(budget) = session.budget {
                span { class: "number", "/ {money::dollars(budget.pico)}" }
            }
        }
        if open() {
            Panel { id, session: Shown(session), window }
        }
    }
}

/// How full the window is, in words; nothing before the first model call.
fn context(session: &Session, window: Option<u64>) -> Option<String> {
    let used = Some(session.context).filter(|used| *used > 0)?;
    Some(match window {
        Some(window) => format!("Context: {used} of {window} tokens"),
        None => format!("Context: {used} tokens; how many the model takes is not known"),
    })
}

/// How much of something is used, as a bar that says how many percent once that matters.
pub fn bar(id: &str, used: u64, most: u64) -> Element {
    let (percent, loudness) = gauge(used, most);
    rsx! {
        span { class: "gauge", id, "data-level": loudness.word(),
            span { class: "gauge-bar",
                span { style: "width: {percent.min(100)}%" }
            }
            if loudness != Loudness::Quiet {
                span { class: "number", "{percent} %" }
            }
        }
    }
}

#[component]
fn Panel(id: SessionId, session: Shown, window: Option<u64>) -> Element {
    let shared = shared();
    let MoneyPanel(mut open) = use_context();
    let session = session.0;
    let role = shared.role(&session);
    let words = context(&session, window);
    let usage = session.usage;
    rsx! {
        Dialog { title: "Cost and context", class: "small", on_close: move |()| open.set(false),
            dl { class: "figures",
                dt { "Cost" }
                dd { class: "number", id: "exact-cost", {money::exact(&session.cost)} }
                if let Some(turn) = &session.turn {
                    dt { "This turn" }
                    dd { class: "number", {money::exact(&turn.cost)} }
                }
                dt { "Tokens in" }
                dd { class: "number", "{usage.input}" }
                dt { "Tokens out" }
                dd { class: "number", "{usage.output}" }
                dt { "Cache written, read" }
                dd { class: "number", "{usage.cache_write}, {usage.cache_read}" }
            }
            if session.cost.unpriced > 0 {
                p { class: "muted small", "Calls without a known price ({session.cost.unpriced}) are in no total." }
            }
            if let Some(words) = words {
                section {
                    if let Some(window) = window {
                        {bar("panel-context", session.context, window)}
                    }
                    p { class: "muted small", "{words}." }
                    if role >= Some(Role::Driver) {
                        button {
                            r#type: "button",
                            class: "button small",
                            disabled: session.compacting,
                            title: "The conversation is summed up, so that the model has room again (/compact)",
                            onclick: move |_| {
                                shared.please(id, Command::Compact);
                            },
                            if session.compacting { "Will be summed up…" } else { "Sum up now" }
                        }
                    }
                }
            }
            section {
                if let Some(budget) = session.budget {
                    {bar("panel-budget", session.cost.pico, budget.pico)}
                    p { class: "small", "The session may cost {money::dollars(budget.pico)}; then the agent stops." }
                } else {
                    p { class: "small", "The session may cost what it needs: it has no budget." }
                }
                if role >= Some(Role::Owner) {
                    BudgetForm {
                        limit: session.budget.map(|budget| budget.pico),
                        on_set: move |pico| {
                            shared.please(id, Command::SetBudget { pico });
                        },
                    }
                } else {
                    p { class: "muted small", "An owner of the session can change that." }
                }
            }
            Link { class: "small", to: Route::Costs {}, "All costs" }
        }
    }
}

/// Sets a limit in dollars, or takes it away.
#[component]
pub fn BudgetForm(limit: Option<u64>, on_set: EventHandler<Option<u64>>) -> Element {
    let mut draft = use_signal(String::new);
    let mut wrong = use_signal(|| false);
    let submit = move |event: FormEvent| {
        event.prevent_default();
        let pico = money::parse(&draft.peek());
        wrong.set(pico.is_none());
        if pico.is_some() {
            draft.set(String::new());
            on_set.call(pico);
        }
    };
    rsx! {
        form { class: "budget-form", onsubmit: submit,
            label { class: "dollars",
                span { aria_hidden: true, "$" }
                input {
                    name: "budget",
                    class: "number",
                    inputmode: "decimal",
                    autocomplete: "off",
                    aria_label: "Budget in dollars",
                    placeholder: "5.00",
                    value: "{draft}",
                    oninput: move |event| draft.set(event.value()),
                }
            }
            button { r#type: "submit", class: "button primary", disabled: draft.read().is_empty(),
                if limit.is_some() { "Change budget" } else { "Set budget" }
            }
            if limit.is_some() {
                button { r#type: "button", class: "button", onclick: move |_| on_set.call(None), "No budget" }
            }
        }
        if wrong() {
            p { class: "problem", role: "alert", "write an amount of dollars such as 2.50" }
        }
    }
}

/// Says, while the budget is used up, what that means and how to go on.
#[component]
pub fn Spent() -> Element {
    let shared = shared();
    let MoneyPanel(mut open) = use_context();
    let Some(session) = shared.session.read().clone() else {
        return rsx! {};
    };
    let session = session.0;
    let Some(budget) = session.budget.filter(|_| session.is_spent()) else {
        return rsx! {};
    };
    rsx! {
        div { class: "asking spent", role: "status",
            {icon("alert")}
            span { class: "grow",
                "The budget of {money::dollars(budget.pico)} is used up. The agent does nothing more until it is raised."
            }
            if shared.role(&session) >= Some(Role::Owner) {
                button { r#type: "button", class: "button small", onclick: move |_| open.set(true), "Raise budget" }
            } else {
                span { class: "muted", "An owner of the session can do that." }
            }
        }
    }
}
