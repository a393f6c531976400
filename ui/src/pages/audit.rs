//! The page of who did what, for owners of the team.

use crate::components::icon::icon;
use crate::components::top_bar::TopBar;
use crate::interop::dom;
use crate::model::ago::ago;
use crate::net::api::{self, Failure};
use dioxus::prelude::*;
use duplex_domain::audit::{How, Outcome, Record};
use duplex_wire::{AuditChain, AuditPage, AuditWords};

/// How far back: days, and the words for them.
const SPANS: [(i64, &str); 4] = [
    (1, "Last 24 hours"),
    (7, "Last 7 days"),
    (30, "Last 30 days"),
    (0, "All time"),
];
const DAY: i64 = 86_400_000;
/// What things came to: the word for the server, and the one for people.
const OUTCOMES: [(&str, &str); 4] = [
    ("", "All"),
    ("ok", "Done"),
    ("refused", "Refused"),
    ("failed", "Failed"),
];

/// Which records are wanted.
#[derive(Clone, Copy, PartialEq)]
struct Wanted {
    outcome: Signal<&'static str>,
    who: Signal<String>,
    what: Signal<String>,
    text: Signal<String>,
    days: Signal<i64>,
}

impl Wanted {
    fn query(self) -> String {
        let days = (self.days)();
        let from = (days > 0).then(|| (dom::now().0 - days * DAY).to_string());
        format!(
            "outcome={}&who={}&what={}&q={}&from={}",
            (self.outcome)(),
            (self.who)(),
            (self.what)(),
            api::escaped(&(self.text)()),
            from.unwrap_or_default()
        )
    }
}

/// Who did what.
#[component]
pub fn Audit() -> Element {
    let wanted = Wanted {
        outcome: use_signal(|| ""),
        who: use_signal(String::new),
        what: use_signal(String::new),
        text: use_signal(String::new),
        days: use_signal(|| 30),
    };
    let mut older = use_signal(Vec::<AuditPage>::new);
    let mut asking = use_signal(|| false);
    let mut problem = use_signal(|| None::<Failure>);
    use_effect(|| dom::set_title("Audit log — Duplex"));
    let first = use_resource(move || {
        let query = wanted.query();
        older.write().clear();
        async move { api::audit(&query, None).await }
    });
    let mut more = move |cursor: String| {
        asking.set(true);
        let query = wanted.query();
        spawn(async move {
            match api::audit(&query, Some(&cursor)).await {
                Ok(page) => older.write().push(page),
                Err(failure) => problem.set(Some(failure)),
            }
            asking.set(false);
        });
    };
    let shown = match &*first.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Reading…" } },
        Some(Err(failure)) => failed(failure),
        Some(Ok(page)) if page.records.is_empty() => rsx! {
            div { class: "empty", p { "Nothing like that is in the audit log." } }
        },
        Some(Ok(page)) => {
            let pages: Vec<AuditPage> = std::iter::once(page.clone()).chain(older()).collect();
            let cursor = pages.last().and_then(|page| page.cursor.clone());
            rsx! {
                {table(pages.into_iter().flat_map(|page| page.records).collect())}
                if let Some(failure) = &*problem.read() {
                    {failed(failure)}
                }
                if let Some(cursor) = cursor {
                    button {
                        r#type: "button",
                        class: "button",
                        id: "older",
                        disabled: asking(),
                        onclick: move |_| more(cursor.clone()),
                        "Show older"
                    }
                }
            }
        }
    };
    rsx! {
        TopBar {}
        main { class: "page", id: "content",
            div { class: "page-head",
                h1 { "Audit log" }
                div { class: "actions",
                    a {
                        class: "button",
                        id: "table-audit",
                        href: "/api/team/audit/table?{wanted.query()}",
                        download: "audit.csv",
                        title: "What is chosen below, for a spreadsheet",
                        "Export as CSV"
                    }
                    a {
                        class: "button",
                        id: "export-audit",
                        href: "/api/team/audit/export",
                        download: "audit.ndjson",
                        title: "All records as they were written; duplex verify --audit checks them",
                        "Export all"
                    }
                }
            }
            Chain {}
            Filters { wanted }
            {shown}
        }
    }
}

/// What can be chosen.
#[component]
fn Filters(wanted: Wanted) -> Element {
    let words = use_resource(api::audit_words);
    let words = match &*words.read() {
        Some(Ok(words)) => words.clone(),
        _ => AuditWords::default(),
    };
    let Wanted {
        mut outcome,
        mut who,
        mut what,
        mut text,
        mut days,
    } = wanted;
    rsx! {
        div { class: "filters",
            div { class: "segments", role: "group", aria_label: "Outcome",
                for (value , label) in OUTCOMES {
                    button {
                        key: "{value}",
                        r#type: "button",
                        aria_pressed: outcome() == value,
                        onclick: move |_| outcome.set(value),
                        "{label}"
                    }
                }
            }
            label { class: "search",
                {icon("search")}
                input {
                    r#type: "search",
                    placeholder: "Search names, addresses, ids",
                    aria_label: "Search the audit log",
                    value: "{text}",
                    oninput: move |event| text.set(event.value()),
                }
            }
            select {
                class: "span",
                aria_label: "Who",
                onchange: move |event| who.set(event.value()),
                option { value: "", "Everybody" }
                for person in words.people {
                    option { key: "{person.user}", value: "{person.user}", "{person.name}" }
                }
            }
            select {
                class: "span",
                aria_label: "What",
                onchange: move |event| what.set(event.value()),
                option { value: "", "Anything" }
                for word in words.what {
                    option { key: "{word}", value: "{word}", "{word}" }
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
    }
}

/// Whether the chain is whole.
#[component]
fn Chain() -> Element {
    let chain = use_resource(api::audit_chain);
    match &*chain.read() {
        None => rsx! { p { class: "muted", aria_busy: true, "Checking the chain…" } },
        Some(Err(failure)) => failed(failure),
        Some(Ok(AuditChain {
            unbroken,
            hash,
            broken,
            waiting,
        })) => rsx! {
            if let Some(broken) = broken {
                div { class: "notice error", role: "alert", id: "chain",
                    {icon("alert")}
                    span { "The chain is unbroken up to record {unbroken} only: {broken}" }
                }
            } else {
                p { class: "muted", id: "chain",
                    "The chain is unbroken up to record {unbroken}, whose hash is "
                    code { class: "hash", "{hash}" }
                    ". Keep number and hash elsewhere to be able to show that nothing was taken off its end."
                }
            }
            if *waiting > 0 {
                div { class: "notice error", role: "alert",
                    {icon("alert")}
                    span { "{waiting} records are waiting to be written; the server's log says why." }
                }
            }
        },
    }
}

fn table(records: Vec<Record>) -> Element {
    let now = dom::now();
    rsx! {
        div { class: "table-scroll",
            table { class: "costs audit",
                thead {
                    tr {
                        th { scope: "col", class: "number", "No." }
                        th { scope: "col", "When (UTC)" }
                        th { scope: "col", "Who" }
                        th { scope: "col", "What" }
                        th { scope: "col", "On" }
                        th { scope: "col", "Outcome" }
                        th { scope: "col", "From" }
                    }
                }
                tbody {
                    for record in records {
                        {line(&record, now)}
                    }
                }
            }
        }
    }
}

fn line(record: &Record, now: duplex_domain::Time) -> Element {
    let deed = &record.deed;
    let (when, since) = (deed.at.utc(), ago(now, deed.at));
    let who = match deed.who.name.as_str() {
        "" => "nobody signed in",
        name => name,
    };
    let by = match deed.who.how {
        How::Cookie | How::Nobody => "",
        How::Token => "by token",
        How::Link => "by link",
    };
    let on = deed
        .on
        .as_ref()
        .map_or_else(String::new, |on| on.kind.clone());
    let id = deed
        .on
        .as_ref()
        .map_or_else(String::new, |on| on.id.clone());
    let detail: Vec<String> = deed
        .detail
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let (mark, outcome) = match deed.outcome {
        Outcome::Ok => ("ok", "done".to_owned()),
        Outcome::Refused => ("refused", format!("refused: {}", deed.code)),
        Outcome::Failed => ("failed", format!("failed: {}", deed.code)),
    };
    let times = deed.count;
    let trace = &deed.trace;
    rsx! {
        tr { key: "{record.n}", title: "request {trace}",
            td { class: "number muted", "{record.n}" }
            td { class: "when", title: "{since}", "{when}" }
            td { "{who} ", span { class: "muted small", "{by}" } }
            td {
                code { "{deed.what}" }
                if !detail.is_empty() {
                    div { class: "muted small", {detail.join(", ")} }
                }
            }
            td { "{on} ", code { class: "small", "{id}" } }
            td { "data-outcome": mark,
                "{outcome}"
                if times > 1 {
                    strong { " × {times}" }
                }
            }
            td { "{deed.from.address} ", div { class: "muted small agent", title: "{deed.from.agent}", "{deed.from.agent}" } }
        }
    }
}

fn failed(failure: &Failure) -> Element {
    rsx! {
        div { class: "notice error", role: "alert",
            {icon("alert")}
            span { "The audit log could not be loaded: {failure.message}" }
        }
    }
}
