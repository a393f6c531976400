//! The page of what was spent, over all sessions.

use crate::components::icon::icon;
use crate::components::money::{BudgetForm, bar};
use crate::components::top_bar::TopBar;
use crate::interop::dom;
use crate::model::money;
use crate::net::api::{self, Failure};
use crate::route::Route;
use crate::state::shared;
use dioxus::prelude::*;
use duplex_domain::Time;
use duplex_wire::{CostRow, CostsBy, TeamBudget};

/// By what costs are told apart: the word for the server, and the one for people.
const BY: [(&str, &str); 5] = [
    ("day", "Day"),
    ("session", "Session"),
    ("person", "Person"),
    ("workspace", "Workspace"),
    ("model", "Model"),
];
/// How far back: days, and the words for them.
const SPANS: [(i64, &str); 3] = [(7, "Last 7 days"), (30, "Last 30 days"), (0, "All time")];
const DAY: i64 = 86_400_000;

/// What was spent, and what the team may spend.
#[component]
pub fn Costs() -> Element {
    let shared = shared();
    let mut by = use_signal(|| "day");
    let mut days = use_signal(|| 30_i64);
    use_effect(|| dom::set_title("Costs — Duplex"));
    let costs = use_resource(move || {
        let (by, days) = (by(), days());
        let from = (days > 0).then(|| Time(dom::now().0 - days * DAY));
        let _ = shared.nudges.read();
        async move { api::costs(by, from).await }
    });
    let shown = match &*costs.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => failed(failure),
        Some(Ok(costs)) if costs.rows.is_empty() => rsx! {
            div { class: "empty", p { "Nothing was spent in this time." } }
        },
        Some(Ok(costs)) => rsx! {
            div { class: "table-scroll",
                table { class: "costs",
                    thead {
                        tr {
                            th { scope: "col", {BY.iter().find(|known| known.0 == by()).map_or("", |known| known.1)} }
                            th { scope: "col", class: "number", "Calls" }
                            th { scope: "col", class: "number", "Tokens" }
                            th { scope: "col", class: "number", "Cost" }
                        }
                    }
                    tbody {
                        for row in costs.rows.clone() {
                            {line(row, costs.by)}
                        }
                    }
                    tfoot {
                        tr {
                            th { scope: "row", if costs.more { "All, rows not shown included" } else { "All" } }
                            td { class: "number", "{costs.total.calls}" }
                            td { class: "number", {money::count(costs.total.usage.total())} }
                            td { class: "number", id: "total-cost", {money::exact(&costs.total.cost)} }
                        }
                    }
                }
            }
        },
    };
    rsx! {
        TopBar {}
        main { class: "page", id: "content",
            div { class: "page-head", h1 { "Costs" } }
            Team {}
            div { class: "filters",
                div { class: "segments", role: "group", aria_label: "By",
                    for (value , label) in BY {
                        button {
                            key: "{value}",
                            r#type: "button",
                            aria_pressed: by() == value,
                            onclick: move |_| by.set(value),
                            "{label}"
                        }
                    }
                }
                select {
                    class: "span",
                    aria_label: "How far back",
                    onchange: move |event| days.set(event.value().parse().unwrap_or_default()),
                    for (value , label) in SPANS {
                        option { key: "{value}", value: "{value}", selected: days() == value, "{label}" }
                    }
                }
            }
            {shown}
        }
    }
}

fn line(row: CostRow, by: CostsBy) -> Element {
    let CostRow {
        key,
        label,
        spending,
    } = row;
    let id = key.clone();
    let name = match label.as_str() {
        "" if by == CostsBy::Person => "Nobody known".to_owned(),
        "" => super::sessions::short_id(&key),
        label => label.to_owned(),
    };
    rsx! {
        tr { key: "{id}",
            td {
                if by == CostsBy::Session {
                    Link { to: Route::SessionAt { id: key }, "{name}" }
                } else {
                    "{name}"
                }
            }
            td { class: "number", "{spending.calls}" }
            td { class: "number", title: "{spending.usage.total()}", {money::count(spending.usage.total())} }
            td { class: "number", {money::exact(&spending.cost)} }
        }
    }
}

fn failed(failure: &Failure) -> Element {
    rsx! {
        div { class: "notice error", role: "alert",
            {icon("alert")}
            span { "The costs could not be loaded: {failure.message}" }
        }
    }
}

/// What the team has spent this month, and may.
#[component]
fn Team() -> Element {
    let shared = shared();
    let mut set = use_signal(|| None::<TeamBudget>);
    let asked = use_resource(api::team_budget);
    let budget = match (&*set.read(), &*asked.read()) {
        (Some(set), _) => set.clone(),
        (None, Some(Ok(budget))) => budget.clone(),
        (None, Some(Err(failure))) => return failed(failure),
        (None, None) => return rsx! {},
    };
    let change = move |pico| {
        spawn(async move {
            match api::set_team_budget(pico).await {
                Ok(now) => set.set(Some(now)),
                Err(failure) => shared.failed(&failure),
            }
        });
    };
    rsx! {
        section { class: "team-budget", "data-reached": budget.reached,
            div { class: "grow",
                h2 { "The team in {budget.month}" }
                p {
                    strong { class: "number", {money::exact(&budget.spent)} }
                    if let Some(pico) = budget.pico {
                        " of "
                        span { class: "number", id: "team-limit", {money::dollars(pico)} }
                        " a month"
                    } else {
                        span { class: "muted", " spent; there is no limit" }
                    }
                }
                if let Some(pico) = budget.pico {
                    {bar("team-gauge", budget.spent.pico, pico)}
                }
                if budget.reached {
                    p { class: "problem", "The agents of the team do nothing more this month until the limit is raised." }
                }
            }
            if budget.may_set {
                div {
                    BudgetForm { limit: budget.pico, on_set: change }
                }
            }
        }
    }
}
